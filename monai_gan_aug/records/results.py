"""Results of the classifiers in ``study.json``, as frozen dataclasses."""

from dataclasses import dataclass
from typing import Literal

from monai_gan_aug.records.curves import Series

__all__ = [
    "Arm",
    "Claim",
    "Comparison",
    "Corrected",
    "Estimate",
    "Exchange",
    "ExternalSet",
    "Measured",
    "Results",
    "SingleSplit",
    "SweepPoint",
    "Verdict",
    "Word",
]

Word = Literal["helps", "harms", "no evidence", "underpowered"]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval, and the value of every seed in order."""

    mean: float
    lower: float
    upper: float
    per_seed: Series = ()


@dataclass(frozen=True)
class Measured:
    """The metrics of an arm on one set of test patients."""

    name: str
    metrics: dict[str, Estimate | None]


@dataclass(frozen=True)
class Arm(Measured):
    """One way to train the classifier; ``confusion`` rows are true classes, summed over seeds."""

    title: str
    role: Literal["control", "candidate", "reference"]
    steps: int
    confusion: tuple[tuple[int, ...], ...] | None = None


@dataclass(frozen=True)
class SingleSplit:
    """P-values of one split, which see one training and take every image for a patient."""

    seed: int
    delong: float
    mcnemar: float


@dataclass(frozen=True)
class Comparison:
    """Paired difference ``arm - control`` in one metric.

    Args:
        arm: Minuend.
        control: Subtrahend.
        metric: Name of the metric.
        difference: Mean over seeds.
        lower: Lower end of its interval.
        upper: Upper end.
        per_seed: Difference of each seed, in order.
        primary: Whether it was planned.
        p_value: Two-sided; none in records of earlier versions.
        p_holm: Corrected for the number of candidate arms.
        minimum_detectable_effect: Smallest true difference that would be seen reliably.
        patients_needed: Test patients to see the relevant effect; none if no number would do.
        single_splits: Tests on every split.
    """

    arm: str
    control: str
    metric: str
    difference: float
    lower: float
    upper: float
    per_seed: Series = ()
    primary: bool = False
    p_value: float | None = None
    p_holm: float | None = None
    minimum_detectable_effect: float | None = None
    patients_needed: int | None = None
    single_splits: tuple[SingleSplit, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The answer, the arm and controls it speaks of, and the size of effect it could have seen."""

    word: Word
    sentence: str
    arm: str
    controls: tuple[str, ...]
    metric: str
    relevant_effect: float
    minimum_detectable_effect: float | None = None
    confidence: float = 0.95


@dataclass(frozen=True)
class Claim:
    """That an arm is better than every one of some controls, with its corrected p-value."""

    arm: str
    controls: tuple[str, ...]
    p_value: float
    holm: float


@dataclass(frozen=True)
class Corrected:
    """Claims of every candidate arm: to beat the verdict's controls, and to beat every control."""

    method: str
    metric: str
    verdict_controls: tuple[Claim, ...]
    every_control: tuple[Claim, ...]


@dataclass(frozen=True)
class Exchange:
    """What an arm is worth in training patients, read off arms with more real patients.

    Args:
        arm: The arm.
        where: Inside the measured curve, below it or above it.
        patients: Training patients that give the same value; none outside the curve.
        lower: Lower end of the interval; none outside the curve.
        upper: Upper end; none outside the curve.
        measured: Fewest and most patients of the curve.
    """

    arm: str
    where: Literal["inside", "below", "above"]
    patients: float | None
    lower: float | None
    upper: float | None
    measured: tuple[int, ...]


@dataclass(frozen=True)
class Results:
    """What one set of test patients said: values of arms, paired differences, a verdict."""

    arms: tuple[Measured, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict

    def value(self, arm: str) -> Estimate | None:
        """Value of an arm in the metric of the verdict."""
        found = (one for one in self.arms if one.name == arm)
        return next((one.metrics.get(self.verdict.metric) for one in found), None)

    def difference(self, arm: str, control: str) -> Comparison | None:
        """Difference of two arms in the metric of the verdict."""
        wanted = (arm, control, self.verdict.metric)
        found = (c for c in self.comparisons if (c.arm, c.control, c.metric) == wanted)
        return next(found, None)


@dataclass(frozen=True)
class ExternalSet(Results):
    """What the classifiers of the study said about images of another place.

    Args:
        name: Name of the set.
        images: Images of each class.
        patients: Patients of each class.
        grouping: How patients were told apart.
        caveats: What must be said about the set.
    """

    name: str
    images: dict[str, int]
    patients: dict[str, int]
    grouping: str
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class SweepPoint(Results):
    """The whole study repeated with one number of training patients per class."""

    training_patients_per_class: int
    arms: tuple[Arm, ...]
    external: tuple[ExternalSet, ...] = ()
