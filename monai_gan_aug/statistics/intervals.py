r"""Intervals of a mean over seeds that count seeds, patients and the overlap of training sets.

A study repeats a split and a training :math:`S` times and averages a metric, or its difference
between two arms. Three kinds of luck move that mean, and the interval adds up the three:

**Seeds.** :math:`s^2 / S`, with the variance :math:`s^2` between seeds: weights, batches, the test
patients that only this seed drew.

**Training patients.** All seeds draw their training sets from one pool. What they learned from the
patients they share is the same in every seed: more seeds do not average it away, and differences
between seeds do not show it. If two training sets share :math:`\rho` of their patients and all
variance between seeds came from them, the mean would have the variance
:math:`s^2 \left( \frac{1}{S} + \frac{\rho}{1 - \rho} \right)`: the correction of Nadeau and
Bengio, here with the overlap that was really drawn instead of the one they assume. How much of
:math:`s^2` comes from the training patients cannot be told from a handful of seeds, so the interval
takes all of it. That is exact where the training sample is the luck that counts, and wide where it
is not; the remedy is a smaller overlap (a smaller part of the pool, or training sets dealt out in
turns).

**Test patients.** The part of the variance over patients that seeds have in common, :math:`C_c` for
the patients of class :math:`c` (:mod:`monai_gan_aug.statistics.influence`); what is specific to one
seed is in :math:`s^2` already. A class of few patients knows its :math:`C_c` badly.

Each part is an estimate with its own degrees of freedom, so each gets its own quantile of
Student's t,

.. math:: h = \sqrt{t_{S-1}^2 \, s^2 \left( \frac{1}{S} + \frac{\rho}{1 - \rho} \right)
                    + \sum_c t_{n_c - 1}^2 \, C_c},

and the interval is the mean :math:`\pm h`, cut to possible values. With one part it is the t
interval. The usual single t with Satterthwaite's degrees of freedom is too narrow with three seeds
(3.9 % instead of 2.5 % beyond either end, in the worst mixture): when the seeds happen to agree, it
trusts the patients' degrees of freedom. The sum does not err on that side. It is about a third
wider with three seeds at most, and a sixth with five.

Two seeds give no interval: with one degree of freedom it would be wider than any difference that
is possible, or narrow by accident.

References:
    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52 (2003).
    Graybill and Wang, "Confidence Intervals on Nonnegative Linear Combinations of Variances",
    Journal of the American Statistical Association 75 (1980), on adding squared limits.
    Cochran, "Approximate Significance Levels of the Behrens-Fisher Test", Biometrics 20 (1964).
    ``scripts/benchmark/verdict_simulation.py`` measures what the interval keeps.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import brentq

from monai_gan_aug.records.results import TrainingOverlap
from monai_gan_aug.statistics.overlap import NO_OVERLAP

__all__ = [
    "FEWEST_SEEDS",
    "POWER",
    "TAIL",
    "ClassVariance",
    "Interval",
    "MeanOverSeeds",
    "mean_over_seeds",
    "student_quantile",
]

Array = NDArray[np.float64]

FEWEST_SEEDS = 3
TAIL = 0.025
POWER = 0.8
LEAST_TAIL = 1e-12


@dataclass(frozen=True)
class Interval:
    """Both ends of an interval, with its nominal coverage."""

    lower: float
    upper: float
    confidence: float


@dataclass(frozen=True)
class ClassVariance:
    """Variance of a mean over seeds that comes from the test patients of one class.

    Args:
        patients: Different patients of the class in any test set.
        shared: The part that seeds have in common; more seeds do not make it smaller.
        own: The part specific to the test set and training of a single seed, averaged over seeds.
    """

    patients: int
    shared: float
    own: float


@dataclass(frozen=True)
class MeanOverSeeds:
    """The mean over seeds of a metric or a difference, and what its error is made of.

    Args:
        per_seed: One value per seed, in the order of the seeds.
        classes: What the test patients add, one row per class.
        overlap: How far the training sets are the same patients.
        lowest: Smallest possible value.
        highest: Largest possible value.
    """

    per_seed: tuple[float, ...]
    classes: tuple[ClassVariance, ...] = ()
    overlap: TrainingOverlap = NO_OVERLAP
    lowest: float = -math.inf
    highest: float = math.inf

    def __neg__(self) -> "MeanOverSeeds":
        """The same with the sign turned: a loss as a gain."""
        turned = tuple(-value for value in self.per_seed)
        return replace(self, per_seed=turned, lowest=-self.highest, highest=-self.lowest)

    @cached_property
    def value(self) -> float:
        """The mean."""
        return math.fsum(self.per_seed) / len(self.per_seed)

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return len(self.per_seed)

    @cached_property
    def between_seeds(self) -> float:
        """Variance between seeds, :math:`s^2`."""
        mean = self.value
        return math.fsum((value - mean) ** 2 for value in self.per_seed) / (self.seeds - 1)

    @property
    def has_interval(self) -> bool:
        """Whether there are seeds enough for an interval."""
        return self.seeds >= FEWEST_SEEDS

    def half_width(self, tail: float = TAIL) -> float:
        """Distance between the mean and either end that is missed with a chance of ``tail``."""
        return math.sqrt(math.fsum(t * t * part for t, part in self._parts(tail)))

    def _parts(self, tail: float) -> list[tuple[float, float]]:
        """Quantile of Student's t and variance, for each kind of luck."""
        luck = self.between_seeds * (1 / self.seeds + self.overlap.odds)
        parts = [(student_quantile(tail, self.seeds - 1), luck)]
        parts += [(student_quantile(tail, one.patients - 1), one.shared) for one in self.classes]
        return parts

    def interval(self, tail: float = TAIL) -> Interval | None:
        """The interval that is missed with a chance of ``tail`` at each end; none for two seeds."""
        if not self.has_interval:
            return None
        reach = self.half_width(tail)
        lower, upper = self.value - reach, self.value + reach
        return Interval(max(lower, self.lowest), min(upper, self.highest), 1 - 2 * tail)

    @property
    def p_value(self) -> float | None:
        """Twice the smallest tail whose interval leaves out zero; none for two seeds.

        It is below 0.05 exactly when the 95 % interval leaves out zero.
        """
        if not self.has_interval:
            return None
        size = abs(self.value)

        def excess(log_tail: float) -> float:
            return self.half_width(math.exp(log_tail)) - size

        least, most = math.log(LEAST_TAIL), math.log(0.5)
        if size == 0:
            return 1.0
        if excess(least) <= 0:
            return 2 * LEAST_TAIL
        return float(min(1.0, 2 * math.exp(brentq(excess, least, most, xtol=1e-10))))

    def detectable(self, tail: float = TAIL, power: float = POWER) -> float | None:
        r"""The smallest true value that such a study would tell from zero; none for two seeds.

        It is told from zero when the mean exceeds :math:`h`. Both vary: the mean by its own
        variance, :attr:`expected_variance`, and :math:`h` because :math:`s^2` is an estimate. So
        the value is :math:`h + z \sqrt{\mathrm{var}(\text{mean}) + \mathrm{var}(h)}`.

        Args:
            tail: Chance of each end of the interval to be missed.
            power: Chance that the value is told from zero.
        """
        if not self.has_interval:
            return None
        reach = self.half_width(tail)
        if reach == 0:
            return 0.0
        spread = self.expected_variance + self._variance_of_half_width(tail)
        return reach + float(special.ndtri(power)) * math.sqrt(spread)

    @cached_property
    def training_and_weights(self) -> float:
        """Variance between seeds without that of their own test patients, at least 0."""
        return max(self.between_seeds - math.fsum(one.own for one in self.classes), 0.0)

    @property
    def expected_variance(self) -> float:
        """Variance of the mean as one may expect it, where the interval takes the worst case.

        Half of what seeds differ by, beyond their test patients, is put down to the training
        patients. All of it or nothing may be true, and with it 75 to 90 % instead of the 80 % that
        :meth:`detectable` is meant to keep.
        """
        patients = math.fsum(one.shared for one in self.classes)
        shared_training = self.overlap.odds * self.training_and_weights / 2
        return patients + self.between_seeds / self.seeds + shared_training

    def _variance_of_half_width(self, tail: float) -> float:
        """By the delta method: a squared t quantile times a variance known from few values."""
        freedoms = [self.seeds - 1, *(one.patients - 1 for one in self.classes)]
        squared = math.fsum(
            2 * (t * t * part) ** 2 / freedom
            for (t, part), freedom in zip(self._parts(tail), freedoms, strict=True)
        )
        return squared / (2 * self.half_width(tail)) ** 2


def mean_over_seeds(
    per_seed: Array,
    influence: Array,
    strata: NDArray[np.int64],
    patients: NDArray[np.int64],
    *,
    overlap: TrainingOverlap,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> MeanOverSeeds:
    """Put a mean together from the values of its seeds and the influences of their patients.

    Args:
        per_seed: Shape ``(S,)``, at least two.
        influence: What every patient adds to the error of every seed, shape ``(S, U)``; see
            :func:`~monai_gan_aug.statistics.influence.patient_influence`.
        strata: Stratum of every patient, shape ``(U,)``.
        patients: Number of patients in each stratum, shape ``(strata,)``.
        overlap: Overlap of the training sets.
        lowest: Smallest possible value.
        highest: Largest possible value.

    Raises:
        ValueError: If there are fewer than two seeds.

    Example:
        >>> same = np.tile([0.1, -0.1, 0.2, -0.2], (3, 1))
        >>> found = mean_over_seeds(
        ...     np.full(3, 0.5), same, np.array([0, 0, 1, 1]), np.array([2, 2]), overlap=NO_OVERLAP
        ... )
        >>> [(row.patients, round(row.shared, 3), round(row.own, 3)) for row in found.classes]
        [(2, 0.02, 0.0), (2, 0.08, 0.0)]
    """
    seeds = len(per_seed)
    if seeds < 2:
        raise ValueError(f"`per_seed` needs at least two seeds, got {seeds}.")
    total = influence.mean(axis=0) ** 2
    single = (influence**2).mean(axis=0)
    rows = []
    for stratum, count in enumerate(patients):
        members = strata == stratum
        of_mean, of_one = float(total[members].sum()), float(single[members].sum())
        # The mean of products of different seeds: unbiased, and below 0 by chance only.
        shared = min(max((seeds * of_mean - of_one) / (seeds - 1), 0.0), of_one)
        rows.append(ClassVariance(int(count), shared, of_one - shared))
    return MeanOverSeeds(tuple(per_seed.tolist()), tuple(rows), overlap, lowest, highest)


@lru_cache(maxsize=4096)
def student_quantile(tail: float, freedom: int) -> float:
    """What Student's t exceeds with a chance of ``tail``.

    Example:
        >>> round(student_quantile(0.025, 2), 3)
        4.303
    """
    return -float(special.stdtrit(freedom, tail))
