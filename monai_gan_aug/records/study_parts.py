"""The parts of ``study.json``. Picture paths are relative to its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.curves import ClassifierCurves, GanCurves, GuardEvent
from monai_gan_aug.records.quality import ClassSelection, QualityRow
from monai_gan_aug.records.results import ArmResult, ExternalResults, Results

__all__ = [
    "Calibration",
    "ClassifierTraining",
    "Cohort",
    "Curves",
    "GanHashes",
    "GanTraining",
    "Grid",
    "PrecisionRecall",
    "PublishedTable",
    "Recipe",
    "Roc",
    "SeedQuality",
    "SeedRecord",
    "SeedScreening",
    "SeedSelection",
    "Splits",
    "Stage",
    "StudyProvenance",
    "SweepPoint",
    "Timing",
]


@dataclass(frozen=True)
class Cohort:
    """The whole pool: images and patients per class name, and what must be said about it."""

    labels: tuple[str, ...]
    images: Mapping[str, int]
    patients: Mapping[str, int]
    grouping: str
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """Everything that was chosen before the first run.

    Args:
        preprocessing: Knobs of the preprocessing.
        split: How the split was asked for.
        gan: Knobs of the GANs; empty if no arm uses one.
        classifier: Knobs of the classifiers.
        metric: The metric of the verdict.
    """

    preprocessing: Mapping[str, object]
    split: Mapping[str, object]
    gan: Mapping[str, object]
    classifier: Mapping[str, object]
    metric: str


@dataclass(frozen=True)
class Splits:
    """Counts per class name in each split."""

    training: Mapping[str, int]
    validation: Mapping[str, int]
    test: Mapping[str, int]

    def of(self, split: str) -> Mapping[str, int]:
        """The counts of the split of this name."""
        return {"training": self.training, "validation": self.validation, "test": self.test}[split]


@dataclass(frozen=True)
class GanHashes:
    """What ties one GAN to its split and to its images.

    Args:
        name: Which GAN it is: its class or "all classes", and whether unlabelled images helped.
        split_sha256: Hash of the datalist it learned from.
        checkpoint_sha256: Hash of the checkpoint that was used.
        synthetic_sha256: Hash of its images; nothing if no images were drawn.
    """

    name: str
    split_sha256: str
    checkpoint_sha256: str
    synthetic_sha256: str | None = None


@dataclass(frozen=True)
class SeedRecord:
    """One repeat: its split, what was trained on it, and the hashes that tie them together."""

    seed: int
    split_sha256: str
    images: Splits
    patients: Splits
    gans: tuple[GanHashes, ...] = ()


@dataclass(frozen=True)
class Roc:
    """One curve, false and true positive rates in ``[0, 1]``."""

    fpr: tuple[float, ...]
    tpr: tuple[float, ...]


@dataclass(frozen=True)
class PrecisionRecall:
    """One curve, recalls and precisions in ``[0, 1]``."""

    recall: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """Bins of the predicted probability: its mean, how often it came true, and how many."""

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int, ...]


@dataclass(frozen=True)
class GanTraining:
    """How one GAN was trained.

    Args:
        seed: The repeat.
        name: Which GAN it is, as in :class:`GanHashes`.
        curves: Losses and outputs.
        alarms: What the guards said; nothing if nobody knows whether there was an alarm.
    """

    seed: int
    name: str
    curves: GanCurves
    alarms: tuple[GuardEvent, ...] | None = None


@dataclass(frozen=True)
class ClassifierTraining:
    """How the classifier of one arm was trained."""

    seed: int
    arm: str
    curves: ClassifierCurves


@dataclass(frozen=True)
class Curves:
    """Everything drawn as a line; the first three by the name of the arm."""

    roc: Mapping[str, Roc] = field(default_factory=dict)
    precision_recall: Mapping[str, PrecisionRecall] = field(default_factory=dict)
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    gan: tuple[GanTraining, ...] = ()
    classifier: tuple[ClassifierTraining, ...] = ()


@dataclass(frozen=True)
class SeedQuality:
    """Image quality of one repeat."""

    seed: int
    rows: tuple[QualityRow, ...]


@dataclass(frozen=True)
class SeedScreening:
    """What the copy screen of one repeat said; see :mod:`monai_gan_aug.privacy.screening`.

    Args:
        seed: The repeat.
        caveat: What a screen cannot say.
        conclusion: One sentence.
        near_copies: Generated images that were flagged.
        images: Generated images that were screened.
        recipe: How it was computed.
        rows: Its numbers; ``real_versus_real`` is the control.
    """

    seed: int
    caveat: str
    conclusion: str
    near_copies: int
    images: int
    recipe: Mapping[str, object] = field(default_factory=dict)
    rows: tuple[QualityRow, ...] = ()


@dataclass(frozen=True)
class SeedSelection:
    """What a choice among the images of one repeat kept and cost."""

    seed: int
    classes: tuple[ClassSelection, ...]


@dataclass(frozen=True)
class Grid:
    """A picture of real and one of synthetic images of a class."""

    seed: int
    label: str
    synthetic: str
    real: str | None = None


@dataclass(frozen=True)
class StudyProvenance:
    """What computed the study."""

    package: str
    versions: Mapping[str, str]
    machine: str
    key_fingerprint: str


@dataclass(frozen=True)
class PublishedTable:
    """Numbers of a publication to stand beside one's own, and what is wrong with them.

    Args:
        caption: Which publication and table.
        metrics: Names of the columns, as this package names its metrics.
        rows: One number per metric (or nothing) for each row, by one's own name of the row.
        n: What the numbers were computed on, in words.
        errata: Sentences on where the publication contradicts itself or misleads.

    Raises:
        ValueError: If a row has not as many numbers as there are metrics.
    """

    caption: str
    metrics: tuple[str, ...]
    rows: Mapping[str, tuple[float | None, ...]]
    n: str = "not stated"
    errata: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # a configuration gives lists where a record has tuples
        object.__setattr__(self, "metrics", tuple(self.metrics))
        object.__setattr__(self, "errata", tuple(self.errata))
        object.__setattr__(self, "rows", {name: tuple(row) for name, row in self.rows.items()})
        for name, values in self.rows.items():
            if len(values) != len(self.metrics):
                raise DataError(
                    f"Row {name!r} has {len(values)} numbers for {len(self.metrics)} metrics."
                )

    def value(self, row: str, metric: str) -> float | None:
        """The published number, or nothing."""
        if row not in self.rows or metric not in self.metrics:
            return None
        return self.rows[row][self.metrics.index(metric)]


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
class SweepPoint(Results):
    """The whole study repeated with one number of training patients per class."""

    arms: tuple[ArmResult, ...]
    training_patients_per_class: int
    seeds: tuple[SeedRecord, ...]
    external: tuple[ExternalResults, ...] = ()
