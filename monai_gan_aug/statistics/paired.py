"""What a paired difference allows one to say beyond its interval: p-value, patients needed."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.results import Claim, Difference, SingleSplit
from monai_gan_aug.statistics.arm_statistics import PairedDraws
from monai_gan_aug.statistics.significance import delong, holm, mcnemar

__all__ = ["claims", "patients_needed", "single_splits", "two_sided_p"]

Array = NDArray[np.float64]
LEAST_DRAWS_BEYOND = 2


def two_sided_p(draws: PairedDraws) -> float:
    r"""The smallest :math:`\alpha` whose interval of confidence :math:`1 - \alpha` leaves out zero.

    It is the dual of :func:`monai_gan_aug.statistics.arm_statistics.interval`: below 0.05 exactly
    when the 95 % interval leaves out zero. With :math:`R` replicates there is no p-value below
    :math:`4 / R` (two draws in either tail), so that value means "at most".

    Args:
        draws: A paired difference under resampling.

    Returns:
        In ``(0, 1]``; 1 if every seed shows no difference.
    """

    def leaves_out_zero(alpha: float) -> bool:
        difference = draws.interval(1 - alpha)
        return difference.lower > 0 or difference.upper < 0

    low, high = 2 * LEAST_DRAWS_BEYOND / len(draws.patient_replicates), 0.99
    if not leaves_out_zero(high):
        return 1.0
    if leaves_out_zero(low):
        return low
    while high - low > 1e-5:
        middle = (low + high) / 2
        if leaves_out_zero(middle):
            high = middle
        else:
            low = middle
    return high


def patients_needed(draws: PairedDraws, relevant_effect: float) -> int | None:
    r"""Test patients with which a study like this one would see the relevant effect.

    The minimum detectable effect grows with :math:`\sqrt{A + B}`: :math:`A` from the seeds stays
    when patients are added, :math:`B` from the patients falls as one over their number.

    Args:
        draws: A paired difference under resampling.
        relevant_effect: The difference to be seen with a chance of 80 %, positive.

    Returns:
        The number of patients, or nothing if no number would do because the luck of the seeds
        alone hides the effect: more seeds are needed then.

    Raises:
        ValueError: If the effect is not positive.
    """
    if relevant_effect <= 0:
        raise ValueError(f"`relevant_effect` must be positive, got {relevant_effect}.")
    detectable = draws.interval().minimum_detectable_effect
    if detectable == 0:
        return draws.patients
    seeds, patients = draws.variances
    allowed = (seeds + patients) * (relevant_effect / detectable) ** 2
    if allowed <= seeds:
        return None
    return max(2, math.ceil(draws.patients * patients / (allowed - seeds)))


def claims(gains: Mapping[str, Mapping[str, tuple[Difference, float]]]) -> list[Claim]:
    """Holm's correction over arms, each of which must beat all of its controls.

    Being better than every control is an intersection-union test: the largest p-value needs no
    correction for the number of controls, only for the number of arms.

    Args:
        gains: By arm, then by control: the gain (positive is better) and its two-sided p-value.

    References:
        Berger, "Multiparameter Hypothesis Testing and Acceptance Sampling", Technometrics 24
        (1982); Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    largest = {
        arm: max(p if gain.mean > 0 else 1.0 for gain, p in by_control.values())
        for arm, by_control in gains.items()
        if by_control
    }
    corrected = holm(largest)
    return [Claim(arm, tuple(gains[arm]), p, corrected[arm]) for arm, p in largest.items()]


def single_splits(
    arm: Sequence[Predictions], control: Sequence[Predictions], positive: int = 1
) -> tuple[SingleSplit, ...]:
    """DeLong's and McNemar's tests on every split, for orientation.

    They see one training each and take every image for a patient of its own.

    Args:
        arm: Predictions of one arm, one per seed, of two classes.
        control: Those of the other arm, in the same order.
        positive: The class that counts as disease.

    Returns:
        One row per seed; empty for more classes.
    """
    rows = []
    for first, second in zip(arm, control, strict=True):
        if len(first.class_names) != 2:
            return ()
        scores = [item.probabilities[:, positive] for item in (first, second)]
        areas = delong(first.labels == positive, *scores)
        right = mcnemar(first.labels, first.probabilities, second.probabilities)
        rows.append(SingleSplit(first.seed, areas.p_value, right.p_value))
    return tuple(rows)
