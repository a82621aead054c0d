"""The runs of the classifier bundle on one split: train arms, guess classes, put arms together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.generation.pseudo_labels import GUESSED
from monai_gan_aug.studies.arms import Arm, arm
from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.external import ExternalSet, external_place
from monai_gan_aug.studies.gan_runs import GanRuns
from monai_gan_aug.studies.jobs import BundleJob

__all__ = ["LABELLER", "PSEUDO", "SHARED_KNOBS", "ClassifierRecipe", "ClassifierRuns"]

SHARED_KNOBS = ("total_steps", "steps_multiplier", "batch_size")
LABELLER = "classical"
PSEUDO = "pseudo"
RESULTS_OF_A_SPLIT = ("predictions.json", "metrics.json")


@dataclass(frozen=True)
class ClassifierRecipe:
    """How the classifiers of all arms are trained.

    Args:
        network: ``configs/network_<…>.yaml`` of the classifier bundle, for all arms but those made
            of a discriminator.
        knobs: Knobs of all arms; what an arm sets itself, it keeps, and the learning rate is not
            passed to the other architecture.
        arm_knobs: Knobs of single arms, by name.

    Raises:
        DataError: If an arm's own knobs would change how long it is trained.
    """

    network: str = "small_cnn"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    arm_knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, knobs in self.arm_knobs.items():
            arm(name)
            if unequal := sorted(set(knobs) & set(SHARED_KNOBS)):
                raise DataError(
                    f"`arm_knobs` of {name} sets {', '.join(unequal)}, but all arms take equally "
                    "many steps of equally many images: set it in `classifier`."
                )

    def knobs_of(self, chosen: Arm, configs: Path) -> dict[str, Any]:
        """Knobs of one arm; ``configs`` holds the arms' files."""
        from monai.bundle import ConfigParser  # heavy, and studies are also only looked at

        own = set(ConfigParser.load_config_file(str(configs / chosen.config_file)))
        if chosen.discriminator:
            own.add("learning_rate")
        shared = {key: value for key, value in self.knobs.items() if key not in own}
        return {**shared, **self.arm_knobs.get(chosen.name, {})}


@dataclass(frozen=True)
class ClassifierRuns:
    """Jobs of one recipe on the splits of a study.

    Args:
        data: The images.
        recipe: How the classifiers are trained.
        folder: Folder of these runs.
        root: Folder of the whole study, whose ``cache`` is used.
        gans: The GAN that arms use.
        semi_gans: The GAN that learned from unlabelled images as well.
        bundles_dir: Folder that holds the bundles.
        device: Device of the jobs.
    """

    data: StudyData
    recipe: ClassifierRecipe
    folder: Path
    root: Path
    gans: GanRuns
    semi_gans: GanRuns
    bundles_dir: Path
    device: str = "cpu"

    def train(self, seed: int, chosen: Arm) -> BundleJob:
        """The training of one arm."""
        datalist = self._datalist(
            seed, f"{chosen.name}.json" if chosen.patients > 1 else "datalist.json"
        )
        synthetic = self._synthetic(seed, chosen)
        knobs, inputs = self._parts(seed, chosen)
        return self._job(
            f"seed-{seed}/arm-{chosen.name}",
            seed,
            ("common.yaml", self._network_file(chosen), chosen.config_file, "train.yaml"),
            datalist,
            {
                **self.data.image,
                **self._knobs(chosen),
                **knobs,
                "synthetic": [str(path) for path in synthetic],
            },
            (datalist, *synthetic, *inputs),
        )

    def guess(self, seed: int) -> BundleJob:
        """Guess the classes of unlabelled images with the baseline; needs its training."""
        unlabelled = self._datalist(seed, "unlabelled.json")
        datalist = self._datalist(seed, "datalist.json")
        labeller = self.checkpoint(seed, arm(LABELLER))
        return self._job(
            f"seed-{seed}/{PSEUDO}",
            seed,
            ("pseudo_label.yaml",),
            datalist,
            {"ckpt_path": str(labeller), "unlabelled": str(unlabelled)},
            (datalist, unlabelled, labeller),
        )

    def judge(self, seed: int, chosen: Arm, name: str, external: ExternalSet) -> BundleJob:
        """The final weights of one arm on an external set; needs its training."""
        place = f"seed-{seed}/{external_place(name, chosen.name)}"
        checkpoint = self.checkpoint(seed, chosen)
        return self._job(
            place,
            seed,
            ("evaluate.yaml",),
            external.path,
            {
                "dataset_dir": str(external.root),
                "ckpt_path": str(checkpoint),
                "eval_dir": str(self._output(place)),
            },
            (external.path, checkpoint),
        )

    def choose(self, seed: int, chosen: Arm, external: str | None = None) -> BundleJob:
        """Take over the arm that did best on the validation split; needs their trainings.

        Args:
            seed: The seed.
            chosen: The arm that is chosen from others.
            external: Take over its results on this external set, which must be there.
        """
        curves = [self._results(seed, name) for name in chosen.members]
        knobs: dict[str, Any] = {"choices": [str(folder) for folder in curves]}
        if external is not None:
            results = [self._results(seed, name, external) for name in chosen.members]
            knobs["results"] = [str(folder) for folder in results]
        inputs = [folder / "curves.json" for folder in curves]
        return self._derive(seed, chosen, external, "choose.yaml", knobs, inputs)

    def average(self, seed: int, chosen: Arm, external: str | None = None) -> BundleJob:
        """Average the predictions of arms; needs their trainings, or results on the external set.

        Args:
            seed: The seed.
            chosen: The arm that is averaged from others.
            external: Average their results on this external set.
        """
        folders = [self._results(seed, name, external) for name in chosen.members]
        knobs = {"members": [str(folder) for folder in folders]}
        return self._derive(seed, chosen, external, "average.yaml", knobs)

    def checkpoint(self, seed: int, chosen: Arm) -> Path:
        """``latest.json`` of one trained arm."""
        return self._output(f"seed-{seed}/arm-{chosen.name}") / "checkpoints" / "latest.json"

    def _derive(
        self,
        seed: int,
        chosen: Arm,
        external: str | None,
        file: str,
        knobs: Mapping[str, Any],
        inputs: Sequence[Path] = (),
    ) -> BundleJob:
        """A job that makes the results of an arm of the results of its members."""
        members = [self._results(seed, name, external) for name in chosen.members]
        files = [folder / name for folder in members for name in RESULTS_OF_A_SPLIT]
        return self._job(
            self._results(seed, chosen.name, external).relative_to(self.folder).as_posix(),
            seed,
            ("common.yaml", self._network_file(chosen), chosen.config_file, file),
            self._datalist(seed, "datalist.json"),
            {**self.data.image, **knobs},
            (*files, *inputs),
        )

    def _results(self, seed: int, name: str, external: str | None = None) -> Path:
        """Folder of what an arm said about the test split, or about an external set."""
        place = f"arm-{name}" if external is None else external_place(external, name)
        return self._output(f"seed-{seed}/{place}")

    def _parts(self, seed: int, chosen: Arm) -> tuple[dict[str, Any], list[Path]]:
        """Knobs for guessed classes and discriminators, and the files behind them."""
        knobs: dict[str, Any] = {}
        inputs: list[Path] = []
        if chosen.source == "pseudo":
            inputs.append(self._output(f"seed-{seed}/{PSEUDO}") / GUESSED)
            knobs["pseudo"] = str(inputs[-1])
        if chosen.source == "unlabelled":
            inputs.append(self._datalist(seed, "unlabelled.json"))
            knobs["unlabelled"] = str(inputs[-1])
        if chosen.discriminator == "random":
            knobs["discriminator_def"] = self._gans(chosen).discriminator_definition()
        if chosen.discriminator == "trained":
            inputs.append(self._gans(chosen).checkpoint(seed))
            knobs["gan_checkpoint"] = str(inputs[-1])
        return knobs, inputs

    def _synthetic(self, seed: int, chosen: Arm) -> list[Path]:
        gans = self._gans(chosen)
        if chosen.source == "generated":
            return gans.synthetic(seed)
        if chosen.source in ("selected", "random_selection"):
            return gans.selected(seed, at_random=chosen.source == "random_selection")
        return []

    def _gans(self, chosen: Arm) -> GanRuns:
        return self.semi_gans if chosen.semi else self.gans

    def _knobs(self, chosen: Arm) -> dict[str, Any]:
        return self.recipe.knobs_of(chosen, self._bundle / "configs")

    def _network_file(self, chosen: Arm) -> str:
        if chosen.discriminator:
            return "network_discriminator.yaml"
        return f"network_{self.recipe.network}.yaml"

    def _data_knobs(self, datalist: Path, seed: int) -> dict[str, Any]:
        """Where the images are; how they are prepared is said to a training, then known."""
        knobs = self.data.knobs(datalist, self.root / "cache", seed)
        return {key: value for key, value in knobs.items() if key not in self.data.image}

    @property
    def _bundle(self) -> Path:
        return self.bundles_dir / "augmentation_classifier"

    def _datalist(self, seed: int, name: str) -> Path:
        return self.data.datalist_path(self.folder, seed, name)

    def _output(self, place: str) -> Path:
        return self.folder / place

    def _job(
        self,
        place: str,
        seed: int,
        files: tuple[str, ...],
        datalist: Path,
        knobs: Mapping[str, Any],
        inputs: tuple[Path, ...],
    ) -> BundleJob:
        """A run of the bundle with its folder at ``place`` below :attr:`folder`."""
        output_dir = self._output(place)
        return BundleJob(
            name=output_dir.relative_to(self.root).as_posix(),
            bundle=self._bundle,
            config_files=files,
            overrides={
                "bundle_root": str(self._bundle),
                **self._data_knobs(datalist, seed),
                "device": f"$torch.device('{self.device}')",
                "output_dir": str(output_dir),
                **knobs,
            },
            output_dir=output_dir,
            inputs=inputs,
        )
