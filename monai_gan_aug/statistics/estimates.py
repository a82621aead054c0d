"""Means over seeds as a record holds them: with the interval that this look may afford."""

from monai_gan_aug.records.results import Difference, Estimate
from monai_gan_aug.statistics.intervals import TAIL, MeanOverSeeds

__all__ = ["as_difference", "as_estimate", "spent_p_value"]


def as_estimate(mean: MeanOverSeeds, tail: float = TAIL) -> Estimate:
    """A mean with its interval; both ends are nothing with two seeds.

    Args:
        mean: The mean.
        tail: Chance of each end of the interval to be missed.

    Example:
        >>> as_estimate(MeanOverSeeds((0.5, 0.7)))
        Estimate(mean=0.6, lower=None, upper=None, per_seed=(0.5, 0.7))
    """
    ends = mean.interval(tail)
    lower, upper = (None, None) if ends is None else (ends.lower, ends.upper)
    return Estimate(mean.value, lower, upper, mean.per_seed)


def as_difference(mean: MeanOverSeeds, tail: float = TAIL) -> Difference:
    """A difference with its interval and the smallest effect that it could see."""
    found = as_estimate(mean, tail)
    return Difference(found.mean, found.lower, found.upper, found.per_seed, mean.detectable(tail))


def spent_p_value(mean: MeanOverSeeds, tail: float = TAIL) -> float | None:
    """The p-value, multiplied by what a look of this ``tail`` has to pay; none for two seeds.

    It is below 0.05 exactly when the interval with this tail leaves out zero.

    Example:
        >>> mean = MeanOverSeeds((0.02, 0.03, 0.025, 0.027))
        >>> round(spent_p_value(mean, TAIL / 2) / spent_p_value(mean), 6)
        2.0
    """
    p_value = mean.p_value
    return None if p_value is None else min(1.0, p_value * (TAIL / tail))
