"""What all jobs of a study share: its images, its folders, the bundles, and the device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.jobs import BundleJob
from monai_gan_aug.studies.layout import StudyLayout

__all__ = ["CLASSIFIER_BUNDLE", "GAN_BUNDLE", "KINDS", "BundleRun", "BundleRuns"]

GAN_BUNDLE, CLASSIFIER_BUNDLE = "medical_image_gan", "augmentation_classifier"
KINDS = ("GAN", "guess", "generate", "quality", "screen", "select", "classifiers", "external")
"""The kinds of jobs, in the order a record lists the time they took."""


@dataclass(frozen=True)
class BundleRun:
    """What one run of a bundle is about.

    Args:
        kind: One of :data:`KINDS`.
        seed: The seed.
        config_files: Names under the bundle's ``configs``, of a training behind ``common.yaml``.
        datalist: The images it works with.
        output_dir: Its folder.
        knobs: Knobs it turns.
        inputs: Files it reads besides the datalist.
        outputs: Files it makes for others.
        trains: Whether it trains a network, and so must be told how images are prepared. Whatever
            comes after reads that from the checkpoint.
        resumable: Keep the folder of an interrupted run.
    """

    kind: str
    seed: int
    config_files: Sequence[str]
    datalist: Path
    output_dir: Path
    knobs: Mapping[str, Any]
    inputs: Sequence[Path] = ()
    outputs: Sequence[Path] = ()
    trains: bool = False
    resumable: bool = False


@dataclass(frozen=True)
class BundleRuns:
    """Makes the jobs of one number of training patients.

    Args:
        data: The images.
        layout: Where everything lies.
        bundles_dir: Folder that holds the bundles.
        device: Device of the jobs, ``"cpu"`` or ``"cuda"``.
    """

    data: StudyData
    layout: StudyLayout
    bundles_dir: Path
    device: str = "cpu"

    def job(self, bundle: str, run: BundleRun) -> BundleJob:
        """The job of one run of the bundle of that name."""
        folder = self.bundles_dir / bundle
        return BundleJob(
            name=run.output_dir.relative_to(self.layout.root).as_posix(),
            bundle=folder,
            config_files=(*(["common.yaml"] if run.trains else []), *run.config_files),
            overrides={
                "bundle_root": str(folder),
                "dataset_dir": str(self.data.root),
                "datalist": str(run.datalist),
                "cache_dir": str(self.layout.cache),
                "seed": run.seed,
                **(self.data.image if run.trains else {}),
                "device": f"$torch.device('{self.device}')",
                "output_dir": str(run.output_dir),
                **run.knobs,
            },
            output_dir=run.output_dir,
            kind=run.kind,
            inputs=(run.datalist, *run.inputs),
            outputs=tuple(run.outputs),
            resumable=run.resumable,
        )
