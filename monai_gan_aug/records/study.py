"""What ``study.json`` holds, as frozen dataclasses. Picture paths are relative to its folder."""

from dataclasses import dataclass, field
from typing import Any

from monai_gan_aug.records.curves import Curves
from monai_gan_aug.records.results import (
    Arm,
    Comparison,
    Corrected,
    Exchange,
    ExternalSet,
    Results,
    SweepPoint,
)

__all__ = [
    "SCHEMA",
    "SIZES",
    "Dataset",
    "Grid",
    "Provenance",
    "Published",
    "QualityRow",
    "Recipe",
    "Screening",
    "SeedRecord",
    "Splits",
    "Stage",
    "Study",
    "Timing",
]

SCHEMA = 1
SIZES = ("training", "held_out", "baseline", "synthetic")


@dataclass(frozen=True)
class Dataset:
    """The whole pool: images and patients per class name, and what must be said about it."""

    labels: tuple[str, ...]
    images: dict[str, int]
    patients: dict[str, int]
    grouping: str
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """Everything that was chosen before the first run."""

    preprocessing: dict[str, Any]
    gan: dict[str, Any]
    classifier: dict[str, Any]
    metric: str


@dataclass(frozen=True)
class Splits:
    """Counts per class name in each split."""

    training: dict[str, int]
    validation: dict[str, int]
    test: dict[str, int]


@dataclass(frozen=True)
class SeedRecord:
    """One repeat: its split, what was trained on it, and the hashes that tie them together."""

    seed: int
    split_sha256: str
    checkpoint_sha256: tuple[str, ...]
    synthetic_sha256: tuple[str, ...]
    images: Splits
    patients: Splits


@dataclass(frozen=True)
class QualityRow:
    """One image quality number beside the same number between two sets of real images.

    Args:
        seed: The repeat.
        metric: Name of the number.
        value: Of the synthetic images.
        real_versus_real: Of real images.
        lower_is_better: Whether a smaller value is the better one.
        recipe: How it was computed; :data:`SIZES` in it count the images of each set.
        label: The class it is of; None for all classes together.
        interval: Ends of the interval of ``value`` over patients and generated images.
        set: Name of the synthetic set, where several were compared.
    """

    seed: int
    metric: str
    value: float
    real_versus_real: float
    lower_is_better: bool
    recipe: dict[str, Any]
    label: str | None = None
    interval: tuple[float, ...] | None = None
    set: str = ""

    @property
    def method(self) -> dict[str, Any]:
        """The recipe without the numbers of images: rows compare only when it is the same."""
        return {key: value for key, value in self.recipe.items() if key not in SIZES}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Images of each set, in the order of :data:`SIZES`."""
        sizes = (self.recipe.get(key) for key in SIZES)
        return tuple(size for size in sizes if isinstance(size, int))


@dataclass(frozen=True)
class Grid:
    """A picture of real and one of synthetic images of a class."""

    seed: int
    label: str
    synthetic: str
    real: str | None = None


@dataclass(frozen=True)
class Provenance:
    """What computed the study."""

    package: str
    versions: dict[str, str]
    machine: str
    key_fingerprint: str = ""


@dataclass(frozen=True)
class Screening:
    """What the copy screen of one repeat found; see :mod:`monai_gan_aug.privacy.screening`.

    Args:
        seed: The repeat.
        conclusion: One sentence.
        near_copies: Generated images that were flagged.
        images: Generated images that were screened.
        rows: Its numbers; ``real_versus_real`` is the control.
    """

    seed: int
    conclusion: str
    near_copies: int
    images: int
    rows: tuple[QualityRow, ...] = ()


@dataclass(frozen=True)
class Published:
    """A table of a publication to stand beside this study's.

    Args:
        caption: Which publication and table.
        metrics: Names of the columns, as this package names its metrics.
        rows: One number per metric for each arm.
        n: What the numbers were computed on, in words.
        errata: What is wrong with them.
    """

    caption: str
    metrics: tuple[str, ...]
    rows: dict[str, tuple[float | None, ...]]
    n: str = "not stated"
    errata: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """One stage and the seconds it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Timing:
    """Where the time went."""

    stages: tuple[Stage, ...]
    total_seconds: float


@dataclass(frozen=True)
class Study(Results):
    """The results of one study."""

    schema: int
    name: str
    title: str
    created: str
    dataset: Dataset
    recipe: Recipe
    seeds: tuple[SeedRecord, ...]
    arms: tuple[Arm, ...]
    provenance: Provenance
    timing: Timing
    curves: Curves = field(default_factory=Curves)
    quality: tuple[QualityRow, ...] = ()
    screening: tuple[Screening, ...] = ()
    grids: tuple[Grid, ...] = ()
    published: Published | None = None
    corrected: Corrected | None = None
    exchange: tuple[Exchange, ...] = ()
    sweep: tuple[SweepPoint, ...] = ()
    external: tuple[ExternalSet, ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Title of every arm by its name."""
        return {arm.name: arm.title for arm in self.arms}

    @property
    def baseline(self) -> str:
        """Name of the control that every arm is read against: the first of the verdict."""
        return self.verdict.controls[0]

    def decisive(self) -> tuple[Comparison, ...]:
        """The comparisons the verdict rests on, one for each of its controls, in their order."""
        found = (self.difference(self.verdict.arm, control) for control in self.verdict.controls)
        return tuple(c for c in found if c is not None)
