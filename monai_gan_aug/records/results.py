"""What the test patients said: values of arms, paired differences, claims and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ArmMetrics",
    "ArmResult",
    "Claim",
    "Comparison",
    "Corrected",
    "Difference",
    "Estimate",
    "ExternalResults",
    "Needed",
    "Results",
    "SampleSizeEquivalent",
    "SingleSplit",
    "TrainingOverlap",
    "Verdict",
    "Word",
]

Word = Literal["helps", "harms", "no relevant gain", "underpowered"]
"""What a study may conclude."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval.

    Args:
        mean: Mean over seeds.
        lower: Lower end of the interval; two seeds give none.
        upper: Upper end of the interval.
        per_seed: One value per seed, in the order of the seeds.
    """

    mean: float
    lower: float | None
    upper: float | None
    per_seed: tuple[float, ...]

    @property
    def ends(self) -> tuple[float, float] | None:
        """Both ends of the interval, if there is one."""
        if self.lower is None or self.upper is None:
            return None
        return self.lower, self.upper


@dataclass(frozen=True)
class Difference(Estimate):
    """A paired difference over seeds with its interval.

    Args:
        minimum_detectable_effect: The smallest true difference that a study like this one would
            tell from zero with a chance of 80 %; nothing without an interval.
    """

    minimum_detectable_effect: float | None


@dataclass(frozen=True)
class Needed:
    """A number of something that would do, with how far it may be off.

    Args:
        low: If the luck was overestimated.
        likely: As estimated.
        high: If the luck was underestimated; nothing if no number would do then.
    """

    low: int
    likely: int
    high: int | None

    def times(self, factor: int) -> "Needed":
        """The same in another unit."""
        high = None if self.high is None else self.high * factor
        return Needed(self.low * factor, self.likely * factor, high)

    def __str__(self) -> str:
        """As in a sentence.

        Example:
            >>> print(Needed(5, 12, 40), Needed(5, 12, None), sep=", ")
            12 (5 to 40), 12 (5 or more)
        """
        if self.high is None:
            return f"{self.likely} ({self.low} or more)"
        return f"{self.likely} ({self.low} to {self.high})"


@dataclass(frozen=True)
class TrainingOverlap:
    """How many training patients two seeds have in common.

    Args:
        share: Largest share over the parts of the training set (its classes, or its unlabelled
            images) that differ enough between seeds, in ``[0, 0.9)``.
        fixed: Parts that are nearly the same at every seed: the luck of drawing them is in no
            interval, and the sentence has to say so.
        patients: Different patients that any seed learned from.
    """

    share: float
    fixed: tuple[str, ...] = ()
    patients: int = 0

    @property
    def odds(self) -> float:
        """What :attr:`share` adds to ``1 / seeds``: Nadeau and Bengio's correction."""
        return self.share / (1 - self.share)


@dataclass(frozen=True)
class ArmMetrics:
    """The metrics of an arm on one set of test patients."""

    name: str
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True)
class ArmResult(ArmMetrics):
    """One way to train the classifier, and how it did.

    Args:
        title: Shown in reports.
        role: What it is for in the verdict.
        steps: Optimiser steps.
        confusion: Test images by true class (row) and called class, summed over seeds.
    """

    title: str
    role: Literal["control", "candidate", "reference"]
    steps: int
    confusion: tuple[tuple[int, ...], ...]


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
        difference: Mean over seeds, with its interval.
        primary: Whether it was planned.
        p_value: Two-sided, below 0.05 exactly when the interval leaves out zero; nothing without
            an interval.
        seeds_needed: Seeds to see the relevant effect; nothing if no number would do.
        patients_needed: Test patients to see it with these seeds.
        single_splits: Tests on every split.
        p_holm: Corrected for the number of candidate arms, where it is one against the baseline.
    """

    arm: str
    control: str
    metric: str
    difference: Difference
    primary: bool
    p_value: float | None
    seeds_needed: Needed | None
    patients_needed: Needed | None
    single_splits: tuple[SingleSplit, ...] = ()
    p_holm: float | None = None


@dataclass(frozen=True)
class Verdict:
    """A conclusion with what it rests on.

    Args:
        word: The conclusion in a word.
        sentence: The conclusion in at most thirty words.
        next_step: What to do now.
        arm: The arm judged.
        controls: What it had to beat, the baseline first.
        better: Controls that are clearly better than the arm, the best first.
        metric: Name of the metric.
        relevant_effect: Smallest difference that would matter.
        minimum_detectable_effect: Smallest true difference a study like this one would tell from
            zero, against every control, with a chance of 80 %; nothing without intervals.
        confidence: Nominal coverage of every interval, which follows from the look.
        look: Number of the look at results that this is.
        overlap: How far the training sets of the seeds are the same patients.
        changes: What was changed after results were seen, in words.
        unused_seeds: Seeds with results on disk that are not part of it.
    """

    word: Word
    sentence: str
    next_step: str
    arm: str
    controls: tuple[str, ...]
    better: tuple[str, ...]
    metric: str
    relevant_effect: float
    minimum_detectable_effect: float | None
    confidence: float
    look: int
    overlap: TrainingOverlap
    changes: tuple[str, ...] = ()
    unused_seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Claim:
    """That an arm is better than every one of some controls.

    Args:
        arm: The arm.
        controls: All of them must be beaten.
        p_value: The largest of the p-values against them; 1 if it is not better than one.
        holm: Corrected for the number of arms that make such a claim.
    """

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
class SampleSizeEquivalent:
    """What an arm is worth in training patients, read off arms with more real patients.

    Args:
        arm: The arm.
        where: ``"inside"`` the measured curve, ``"below"`` it (worse than the fewest patients) or
            ``"above"`` it (better than the most).
        patients: Training patients that give the same value; nothing outside the curve.
        lower: Lower end of the 95 % interval; nothing if it lies below the curve.
        upper: Upper end; nothing if it lies above the curve.
        measured: Fewest and most patients of the curve.
    """

    arm: str
    where: Literal["inside", "below", "above"]
    patients: float | None
    lower: float | None
    upper: float | None
    measured: tuple[int, int]


@dataclass(frozen=True)
class Results:
    """What one set of test patients said: values of arms, paired differences, a verdict."""

    arms: tuple[ArmMetrics, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict

    def value(self, arm: str) -> Estimate | None:
        """Value of an arm in the metric of the verdict."""
        wanted = (item for item in self.arms if item.name == arm)
        return next((item.metrics.get(self.verdict.metric) for item in wanted), None)

    def difference(self, arm: str, control: str) -> Comparison | None:
        """Difference of two arms in the metric of the verdict."""
        pair = (arm, control, self.verdict.metric)
        wanted = (c for c in self.comparisons if (c.arm, c.control, c.metric) == pair)
        return next(wanted, None)


@dataclass(frozen=True)
class ExternalResults(Results):
    """What the classifiers of the study said about images of another place.

    Args:
        name: Name of the set.
        images: Images of each class.
        patients: Patients of each class.
        grouping: How patients were told apart.
        caveats: What must be said about the set.
    """

    name: str
    images: Mapping[str, int]
    patients: Mapping[str, int]
    grouping: str
    caveats: tuple[str, ...] = ()
