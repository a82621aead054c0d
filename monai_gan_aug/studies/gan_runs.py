"""The runs of the GAN bundle on one split: train, generate, compare with real images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_gan_aug.generation.selection import CONTROL, SELECTED
from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.jobs import BundleJob

__all__ = ["GanRecipe", "GanRuns"]

GENERATION_KNOBS = ("batch_size", "truncation", "output_format")
"""Knobs of a recipe that also reach what is done with the trained GAN."""


@dataclass(frozen=True)
class GanRecipe:
    """What is trained.

    Args:
        preset: Name of a ``configs/<preset>.yaml`` of the GAN bundle: ``family_…``, ``system_…``.
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


@dataclass(frozen=True)
class GanRuns:
    """Jobs of one recipe on the splits of an experiment.

    Args:
        data: The images and splits.
        recipe: What is trained.
        folder: Folder of the experiment.
        labels: Class names, by label.
        bundles_dir: Folder that holds the bundles.
        device: Device of the jobs, ``"cpu"`` or ``"cuda"``.
        prefix: Put in front of the names of the folders below ``seed-<seed>``.
        root: Folder of the whole experiment, whose ``cache`` is used; ``folder`` if not given.
        datalist_name: The datalist below ``seed-<seed>`` that the GAN learns from.
    """

    data: StudyData
    recipe: GanRecipe
    folder: Path
    labels: Sequence[str]
    bundles_dir: Path
    device: str = "cpu"
    prefix: str = ""
    root: Path | None = None
    datalist_name: str = "datalist.json"

    @property
    def class_sets(self) -> dict[str, list[str] | None]:
        """The classes of each GAN, by the ending of its folders' names."""
        if not self.recipe.per_class:
            return {"": None}
        return {f"-{position}": [name] for position, name in enumerate(self.labels)}

    def trainings(self, seed: int) -> list[BundleJob]:
        """One job per GAN."""
        return [
            self._job(
                "train",
                seed,
                f"gan{suffix}",
                {"only_labels": labels, "resume": True},
                resumable=True,
                extra=["best_by_kid.yaml"] if self.recipe.best_by_kid else [],
            )
            for suffix, labels in self.class_sets.items()
        ]

    def generations(self, seed: int) -> list[BundleJob]:
        """One job per GAN; needs its training."""
        return [
            self._job(
                "inference",
                seed,
                f"synthetic{suffix}",
                {
                    "ckpt_path": str(self._checkpoint(seed, suffix)),
                    "samples_per_class": self.recipe.samples_per_class,
                    "synthetic_dir": str(self._folder(seed, f"synthetic{suffix}")),
                },
                inputs=[self._checkpoint(seed, suffix)],
            )
            for suffix in self.class_sets
        ]

    def comparisons(self, seed: int) -> list[BundleJob]:
        """One job that writes ``quality.json``; needs all images of the seed."""
        synthetic = self.synthetic(seed)
        knobs = {**self.recipe.evaluation, "synthetic": [str(path) for path in synthetic]}
        return [self._job("evaluate", seed, "quality", knobs, inputs=synthetic)]

    def screenings(self, seed: int) -> list[BundleJob]:
        """One job that writes ``screening.json``; needs all images of the seed."""
        synthetic = self.synthetic(seed)
        knobs: dict[str, Any] = {"synthetic": [str(path) for path in synthetic]}
        inputs = list(synthetic)
        if not self.recipe.per_class:  # the screen takes one discriminator
            inputs.append(self._checkpoint(seed, ""))
            knobs["discriminator_checkpoint"] = str(self._checkpoint(seed, "").parent)
        return [self._job("screen", seed, "screen", knobs, inputs=inputs)]

    def synthetic(self, seed: int) -> list[Path]:
        """The datalists of the generated images."""
        return [
            self._folder(seed, f"synthetic{suffix}") / "datalist.json" for suffix in self.class_sets
        ]

    def selections(self, seed: int, criteria: Mapping[str, Any]) -> list[BundleJob]:
        """One job per GAN that chooses among its images; needs their generation."""
        return [
            self._job(
                "select",
                seed,
                f"selection{suffix}",
                {"synthetic": str(path), **criteria},
                inputs=[path],
            )
            for suffix, path in zip(self.class_sets, self.synthetic(seed), strict=True)
        ]

    def selected(self, seed: int, *, at_random: bool = False) -> list[Path]:
        """The datalists of the chosen images, or of as many at random."""
        name = CONTROL if at_random else SELECTED
        return [path.with_name(name) for path in self.synthetic(seed)]

    def discriminator_definition(self) -> dict[str, Any]:
        """What its discriminator is made of, for a classifier of the same architecture."""
        from monai_gan_aug.generation.gan_parts import configured_definition  # heavy

        knobs = {**self.data.image, **self.recipe.image, **self.recipe.knobs}
        return configured_definition(
            self._config_paths(), {**knobs, "only_labels": list(self.labels)}
        )

    def _config_paths(self) -> list[Path]:
        configs = self.bundles_dir / "medical_image_gan" / "configs"
        return [configs / "common.yaml", configs / f"{self.recipe.preset}.yaml"]

    def knows_classes(self) -> bool:
        """Whether its images have classes: it was told them, or there is one GAN for each."""
        from monai.bundle import ConfigParser  # heavy, and studies are also only looked at

        files = ConfigParser.load_config_files([str(path) for path in self._config_paths()])
        condition = {**files, **self.recipe.knobs}["condition"]
        return self.recipe.per_class or condition is not None

    def checkpoint(self, seed: int) -> Path:
        """``latest.json`` of the checkpoint used, of the one GAN for all classes."""
        return self._checkpoint(seed, "")

    def quality_path(self, seed: int) -> Path:
        """Where the comparison with real images is written."""
        return self._folder(seed, "quality") / "quality.json"

    def _datalist(self, seed: int) -> Path:
        return self.data.datalist_path(self.folder, seed, self.datalist_name)

    def _folder(self, seed: int, name: str) -> Path:
        return self.folder / f"seed-{seed}" / f"{self.prefix}{name}"

    def _checkpoint(self, seed: int, suffix: str) -> Path:
        kept = self._folder(seed, f"gan{suffix}") / "checkpoints"
        return (kept / "best" if self.recipe.best_by_kid else kept) / "latest.json"

    def _job(
        self,
        stage: str,
        seed: int,
        name: str,
        knobs: Mapping[str, Any],
        inputs: Sequence[Path] = (),
        resumable: bool = False,
        extra: Sequence[str] = (),
    ) -> BundleJob:
        root = self.bundles_dir / "medical_image_gan"
        whole = self.root or self.folder
        output_dir = self._folder(seed, name)
        given = self.data.knobs(self._datalist(seed), whole / "cache", seed)
        files: tuple[str, ...] = (f"{stage}.yaml",)
        turned = {**self.recipe.image, **self.recipe.knobs}
        if stage == "train":
            files = ("common.yaml", f"{self.recipe.preset}.yaml", *files, *extra)
        else:  # what the GAN was trained with stands in its checkpoint and in its images
            given = {key: value for key, value in given.items() if key not in self.data.image}
            turned = {key: value for key, value in turned.items() if key in GENERATION_KNOBS}
        return BundleJob(
            name=output_dir.relative_to(whole).as_posix(),
            bundle=root,
            config_files=files,
            overrides={
                "bundle_root": str(root),
                **given,
                "device": f"$torch.device('{self.device}')",
                "output_dir": str(output_dir),
                **turned,
                **knobs,
            },
            output_dir=output_dir,
            inputs=(self._datalist(seed), *inputs),
            resumable=resumable,
        )
