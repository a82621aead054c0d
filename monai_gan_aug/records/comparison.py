"""``comparison.json``: several GANs on the same splits."""

from collections.abc import Mapping
from dataclasses import dataclass

from monai_gan_aug.records.files import FileRecord
from monai_gan_aug.records.study_parts import Grid, PublishedTable, SeedQuality

__all__ = ["ComparedGan", "ComparisonRecord"]


@dataclass(frozen=True)
class ComparedGan:
    """One GAN of a comparison.

    Args:
        name: Name of its row.
        recipe: What was trained.
        seconds: Training time by seed.
        quality: Image quality of every seed.
        grids: Pictures of the first seed.
    """

    name: str
    recipe: Mapping[str, object]
    seconds: Mapping[str, float]
    quality: tuple[SeedQuality, ...]
    grids: tuple[Grid, ...] = ()


@dataclass(frozen=True)
class ComparisonRecord(FileRecord):
    """``comparison.json``.

    Args:
        name: Short name.
        title: What the images and classes are.
        caveats: What must be said about the images.
        patients: Patients per class, by split and seed.
        gans: The GANs.
        published: Numbers of a publication.
    """

    KIND = "a comparison of GANs"
    SCHEMA = 2
    REMEDY = "run the comparison again: finished jobs are not repeated"

    name: str
    title: str
    caveats: tuple[str, ...]
    patients: Mapping[str, Mapping[str, Mapping[str, int]]]
    gans: tuple[ComparedGan, ...]
    published: PublishedTable | None = None
