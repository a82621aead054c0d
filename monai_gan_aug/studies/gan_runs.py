"""The runs of the GAN bundle on one split: train, generate, compare with real images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_gan_aug.studies.bundle_runs import GAN_BUNDLE, BundleRun, BundleRuns
from monai_gan_aug.studies.jobs import BundleJob
from monai_gan_aug.studies.layout import GanLayout, SeedLayout

__all__ = ["GanRecipe", "GanRuns"]

Part = int | None
RENAMED = {  # from names of earlier configurations
    "system_s0": "isic2016",
    "system_s1": "siim_isic",
    "system_s2": "head_ct",
    "system_s3": "bone_xray",
    "system_s4": "malaria",
}
GENERATION_KNOBS = ("batch_size", "truncation", "output_format")
"""Knobs of a recipe that also reach what is done with the trained GAN."""


@dataclass(frozen=True)
class GanRecipe:
    """What is trained.

    Args:
        preset: Name of a ``configs/<preset>.yaml`` of the GAN bundle: a family or a published
            system.
        knobs: Knobs of the GAN bundle.
        image: Knobs of the preprocessing that replace those of the data.
        per_class: One unconditional GAN per class instead of one for all classes.
        samples_per_class: Synthetic images per class.
        evaluation: Knobs of ``evaluate.yaml``.
        best_by_kid: Use the checkpoint of the epoch whose images are nearest to the validation
            images (``best_by_kid.yaml``) instead of the last one.
    """

    preset: str = "family_dcgan"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    image: Mapping[str, Any] = field(default_factory=dict)
    per_class: bool = False
    samples_per_class: int = 500
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    best_by_kid: bool = False

    def __post_init__(self) -> None:
        for old, new in RENAMED.items():
            if self.preset == old or self.preset.startswith(f"{old}_"):
                name = self.preset.replace(old, new)
                raise ValueError(f"`preset` {self.preset!r} is called {name!r} now: use that.")

    def summary(self) -> dict[str, Any]:
        """What a report says about it."""
        return {
            "preset": self.preset,
            "per class": self.per_class,
            "samples per class": self.samples_per_class,
            **({"checkpoint": "nearest to validation images"} if self.best_by_kid else {}),
            **self.image,
            **self.knobs,
        }


def _split(seed: SeedLayout) -> Path:
    return seed.datalist


def _only_gan(seed: SeedLayout) -> GanLayout:
    return seed.gan()


@dataclass(frozen=True)
class GanRuns:
    """Jobs of one recipe on the splits of an experiment.

    Args:
        runs: What it shares with all other jobs.
        recipe: What is trained.
        labels: Class names, by label.
        place: Where the GAN of a seed lies.
        datalist: The datalist of a seed that the GAN learns from.
    """

    runs: BundleRuns
    recipe: GanRecipe
    labels: Sequence[str]
    place: Callable[[SeedLayout], GanLayout] = _only_gan
    datalist: Callable[[SeedLayout], Path] = _split

    @property
    def parts(self) -> dict[Part, list[str] | None]:
        """The classes of each GAN, by what its folders are called."""
        if not self.recipe.per_class:
            return {None: None}
        return {position: [name] for position, name in enumerate(self.labels)}

    def trainings(self, seed: int) -> list[BundleJob]:
        """One job per GAN."""
        return [
            self._job(
                "GAN",
                "train",
                seed,
                self.layout(seed).training(part),
                {"only_labels": labels, "resume": True},
                outputs=[self._checkpoint(seed, part)],
                resumable=True,
                extra=["best_by_kid.yaml"] if self.recipe.best_by_kid else [],
            )
            for part, labels in self.parts.items()
        ]

    def generations(self, seed: int) -> list[BundleJob]:
        """One job per GAN; needs its training."""
        place = self.layout(seed)
        return [
            self._job(
                "generate",
                "inference",
                seed,
                place.generation(part),
                {
                    "ckpt_path": str(self._checkpoint(seed, part)),
                    "samples_per_class": self.recipe.samples_per_class,
                    "synthetic_dir": str(place.generation(part)),
                },
                inputs=[self._checkpoint(seed, part)],
                outputs=[place.synthetic(part)],
            )
            for part in self.parts
        ]

    def comparisons(self, seed: int) -> list[BundleJob]:
        """One job that compares with real images; needs all images of the seed."""
        place, synthetic = self.layout(seed), self.synthetic(seed)
        knobs = {**self.recipe.evaluation, "synthetic": [str(path) for path in synthetic]}
        return [
            self._job(
                "quality",
                "evaluate",
                seed,
                place.evaluation,
                knobs,
                inputs=synthetic,
                outputs=[place.quality],
            )
        ]

    def screenings(self, seed: int) -> list[BundleJob]:
        """One job that looks for copies; needs all images of the seed."""
        place, synthetic = self.layout(seed), self.synthetic(seed)
        knobs: dict[str, Any] = {"synthetic": [str(path) for path in synthetic]}
        inputs = list(synthetic)
        if not self.recipe.per_class:  # the screen takes one discriminator
            inputs.append(self._checkpoint(seed, None))
            knobs["discriminator_checkpoint"] = str(self._checkpoint(seed, None).parent)
        return [
            self._job(
                "screen",
                "screen",
                seed,
                place.screen,
                knobs,
                inputs=inputs,
                outputs=[place.screening],
            )
        ]

    def selections(self, seed: int, criteria: Mapping[str, Any]) -> list[BundleJob]:
        """One job per GAN that chooses among its images; needs their generation."""
        place = self.layout(seed)
        return [
            self._job(
                "select",
                "select",
                seed,
                place.selection(part),
                {"synthetic": str(place.synthetic(part)), **criteria},
                inputs=[place.synthetic(part)],
                outputs=[place.selected(part), place.selected(part, at_random=True)],
            )
            for part in self.parts
        ]

    def synthetic(self, seed: int) -> list[Path]:
        """The datalists of the generated images."""
        return [self.layout(seed).synthetic(part) for part in self.parts]

    def selected(self, seed: int, *, at_random: bool = False) -> list[Path]:
        """The datalists of the chosen images, or of as many at random."""
        return [self.layout(seed).selected(part, at_random=at_random) for part in self.parts]

    def discriminator_definition(self) -> dict[str, Any]:
        """What its discriminator is made of, for a classifier of the same architecture."""
        from monai_gan_aug.generation.gan_parts import configured_definition  # heavy

        knobs = {**self.runs.data.image, **self.recipe.image, **self.recipe.knobs}
        return configured_definition(
            self._config_paths(), {**knobs, "only_labels": list(self.labels)}
        )

    def _config_paths(self) -> list[Path]:
        """The configuration of its networks."""
        configs = self.runs.bundles_dir / GAN_BUNDLE / "configs"
        return [configs / "common.yaml", configs / f"{self.recipe.preset}.yaml"]

    def knows_classes(self) -> bool:
        """Whether its images have classes: it was told them, or there is one GAN for each."""
        from monai.bundle.config_parser import ConfigParser  # heavy, and studies are also looked at

        files = ConfigParser.load_config_files([str(path) for path in self._config_paths()])
        condition = {**files, **self.recipe.knobs}["condition"]
        return self.recipe.per_class or condition is not None

    def checkpoint(self, seed: int) -> Path:
        """The checkpoint used, of the one GAN for all classes."""
        return self._checkpoint(seed, None)

    def layout(self, seed: int) -> GanLayout:
        """Where the GAN of a seed lies."""
        return self.place(self.runs.layout.seed(seed))

    def _datalist(self, seed: int) -> Path:
        return self.datalist(self.runs.layout.seed(seed))

    def _checkpoint(self, seed: int, part: Part) -> Path:
        return self.layout(seed).checkpoint(part, best=self.recipe.best_by_kid)

    def _job(
        self,
        kind: str,
        stage: str,
        seed: int,
        output_dir: Path,
        knobs: Mapping[str, Any],
        *,
        inputs: Sequence[Path] = (),
        outputs: Sequence[Path] = (),
        resumable: bool = False,
        extra: Sequence[str] = (),
    ) -> BundleJob:
        trains = stage == "train"
        turned = {**self.recipe.image, **self.recipe.knobs}
        if not trains:  # what the GAN was trained with stands in its checkpoint and its images
            turned = {key: value for key, value in turned.items() if key in GENERATION_KNOBS}
        run = BundleRun(
            kind=kind,
            seed=seed,
            config_files=(
                *([f"{self.recipe.preset}.yaml"] if trains else []),
                f"{stage}.yaml",
                *extra,
            ),
            datalist=self._datalist(seed),
            output_dir=output_dir,
            knobs={**turned, **knobs},
            inputs=inputs,
            outputs=outputs,
            trains=trains,
            resumable=resumable,
        )
        return self.runs.job(GAN_BUNDLE, run)
