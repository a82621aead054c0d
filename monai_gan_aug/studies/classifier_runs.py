"""The runs of the classifier bundle on one split: train arms, guess classes, look elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies.arms import LABELLER, Arm
from monai_gan_aug.studies.arms import arm as arm_called
from monai_gan_aug.studies.bundle_runs import CLASSIFIER_BUNDLE, BundleRun, BundleRuns
from monai_gan_aug.studies.external import ExternalSet
from monai_gan_aug.studies.gan_runs import GanRuns
from monai_gan_aug.studies.jobs import BundleJob
from monai_gan_aug.studies.layout import SeedLayout

__all__ = ["SHARED_KNOBS", "ClassifierRecipe", "ClassifierRuns"]

SHARED_KNOBS = ("total_steps", "steps_multiplier", "batch_size")


@dataclass(frozen=True)
class ClassifierRecipe:
    """How the classifiers of all arms are trained.

    Args:
        network: ``--network`` of the classifier bundle, for all arms but those made of a
            discriminator.
        knobs: Knobs of all arms; what an arm sets itself, it keeps, and the learning rate is not
            passed to the other architecture.
        arm_knobs: Knobs of single arms, by name.

    Raises:
        DataError: If an arm's own knobs would change how long it is trained.
        ValueError: If an arm is unknown.
    """

    network: str = "small_cnn"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    arm_knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, knobs in self.arm_knobs.items():
            arm_called(name)
            if unequal := sorted(set(knobs) & set(SHARED_KNOBS)):
                raise DataError(
                    f"`arm_knobs` of {name} sets {', '.join(unequal)}, but all arms take equally "
                    "many steps of equally many images: set it in `classifier`."
                )

    def knobs_of(self, arm: Arm) -> dict[str, Any]:
        """Knobs that the training of one arm turns, besides those the arm sets itself."""
        own = {*arm.knobs, *(["learning_rate"] if arm.discriminator else [])}
        shared = {key: value for key, value in self.knobs.items() if key not in own}
        return {**shared, **self.arm_knobs.get(arm.name, {})}


@dataclass(frozen=True)
class ClassifierRuns:
    """Jobs of one recipe on the splits of a study.

    Args:
        runs: What they share with all other jobs.
        recipe: How the classifiers are trained.
        gans: The GAN that arms use.
        unlabelled_gans: The GAN that learned from unlabelled images as well.
    """

    runs: BundleRuns
    recipe: ClassifierRecipe
    gans: GanRuns
    unlabelled_gans: GanRuns

    def train(self, seed: int, arm: Arm) -> BundleJob:
        """The training of one arm."""
        place = self._seed(seed)
        datalist = place.more_patients(arm.name) if arm.patients > 1 else place.datalist
        synthetic = self._synthetic(seed, arm)
        knobs, inputs = self._parts(seed, arm)
        left = place.arm(arm.name)
        if arm.discriminator:
            files, network = ["network_discriminator.yaml"], {}
        else:
            files, network = [], {"network": self.recipe.network}
        return self.runs.job(
            CLASSIFIER_BUNDLE,
            BundleRun(
                kind="classifiers",
                seed=seed,
                config_files=[*files, "train.yaml"],
                datalist=datalist,
                output_dir=left.folder,
                knobs={
                    "arm": arm.name,
                    **network,
                    **self.recipe.knobs_of(arm),
                    **knobs,
                    "synthetic": [str(path) for path in synthetic],
                },
                inputs=[*synthetic, *inputs],
                outputs=[left.predictions, left.metrics, left.curves, left.checkpoint],
                trains=True,
            ),
        )

    def guess(self, seed: int) -> BundleJob:
        """Guess the classes of unlabelled images with the baseline; needs its training."""
        place = self._seed(seed)
        checkpoint = place.arm(LABELLER).checkpoint
        return self.runs.job(
            CLASSIFIER_BUNDLE,
            BundleRun(
                kind="guess",
                seed=seed,
                config_files=["pseudo_label.yaml"],
                datalist=place.datalist,
                output_dir=place.guesses.folder,
                knobs={"ckpt_path": str(checkpoint), "unlabelled": str(place.unlabelled)},
                inputs=[place.unlabelled, checkpoint],
                outputs=[place.guesses.guessed, place.guesses.enlarged],
            ),
        )

    def judge(self, seed: int, arm: Arm, name: str, external: ExternalSet) -> BundleJob:
        """The final weights of one arm on an external set; needs its training."""
        place = self._seed(seed)
        left, checkpoint = place.arm(arm.name, external=name), place.arm(arm.name).checkpoint
        return self.runs.job(
            CLASSIFIER_BUNDLE,
            BundleRun(
                kind="external",
                seed=seed,
                config_files=["evaluate.yaml"],
                datalist=external.path,
                output_dir=left.folder,
                knobs={
                    "dataset_dir": str(external.root),
                    "ckpt_path": str(checkpoint),
                    "eval_dir": str(left.folder),
                },
                inputs=[checkpoint],
                outputs=[left.predictions, left.metrics],
            ),
        )

    def _parts(self, seed: int, arm: Arm) -> tuple[dict[str, Any], list[Path]]:
        """Knobs for guessed classes and discriminators, and the files behind them."""
        knobs: dict[str, Any] = {}
        inputs: list[Path] = []
        place = self._seed(seed)
        if arm.source == "pseudo":
            inputs.append(place.guesses.guessed)
            knobs["pseudo"] = str(inputs[-1])
        if arm.source == "unlabelled":
            inputs.append(place.unlabelled)
            knobs["unlabelled"] = str(inputs[-1])
        if arm.discriminator == "random":
            knobs["discriminator_def"] = self._gans(arm).discriminator_definition()
        if arm.discriminator == "trained":
            inputs.append(self._gans(arm).checkpoint(seed))
            knobs["gan_checkpoint"] = str(inputs[-1])
        return knobs, inputs

    def _synthetic(self, seed: int, arm: Arm) -> list[Path]:
        gans = self._gans(arm)
        if arm.source == "generated":
            return gans.synthetic(seed)
        if arm.selected:
            return gans.selected(seed, at_random=arm.source == "random_selection")
        return []

    def _gans(self, arm: Arm) -> GanRuns:
        return self.unlabelled_gans if arm.unlabelled_gan else self.gans

    def _seed(self, seed: int) -> SeedLayout:
        return self.runs.layout.seed(seed)
