"""Classical tests for two classifiers on one split, and Holm's correction for several claims.

They see one training of each classifier, so they cannot tell luck in training from merit: the
verdict rests on :mod:`monai_gan_aug.statistics.study_statistics`. They are here because readers
expect them, and because one split is sometimes all there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monai_gan_aug.statistics.influence import share_ranked_below

__all__ = ["DeLong", "McNemar", "delong", "holm", "mcnemar"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DeLong:
    """Difference of two AUCs on the same images.

    Args:
        auc: AUC of the first and second classifier.
        difference: First minus second.
        lower: Lower end of the 95 % interval of the difference.
        upper: Upper end.
        p_value: Two-sided.
    """

    auc: tuple[float, float]
    difference: float
    lower: float
    upper: float
    p_value: float


@dataclass(frozen=True)
class McNemar:
    """Images that only one of two classifiers got right.

    Args:
        first_only: Right in the first, wrong in the second.
        second_only: The reverse.
        p_value: Two-sided, exact.
    """

    first_only: int
    second_only: int
    p_value: float


def delong(positive: NDArray[np.bool_], first: Array, second: Array) -> DeLong:
    """DeLong's test of two correlated AUCs; every image counts as a patient of its own.

    Args:
        positive: Which images are positive, shape ``(N,)``; at least two of either kind.
        first: Scores of the first classifier, shape ``(N,)``, higher means more positive.
        second: Scores of the second.

    Raises:
        ValueError: If there are fewer than two images of a kind, or shapes differ.

    References:
        DeLong et al., "Comparing the Areas under Two or More Correlated Receiver Operating
        Characteristic Curves: A Nonparametric Approach", Biometrics 44 (1988).

    Example:
        >>> truth = np.array([False, False, False, True, True, True])
        >>> a = np.array([0.1, 0.4, 0.35, 0.8, 0.3, 0.9])
        >>> delong(truth, a, a).difference
        0.0
    """
    if positive.shape != first.shape or first.shape != second.shape:
        raise ValueError(
            f"Shapes must agree, got {positive.shape}, {first.shape} and {second.shape}."
        )
    counts = int(positive.sum()), int((~positive).sum())
    if min(counts) < 2:
        raise ValueError(f"Two positive and two negative images are needed, got {counts}.")
    placed = [_placements(scores[positive], scores[~positive]) for scores in (first, second)]
    areas = [float(of_positive.mean()) for of_positive, _ in placed]
    variance = sum(
        float(np.var(placed[0][kind] - placed[1][kind], ddof=1)) / counts[kind] for kind in (0, 1)
    )
    difference = areas[0] - areas[1]
    if variance == 0:
        p_value = 1.0 if difference == 0 else 0.0
        return DeLong((areas[0], areas[1]), difference, difference, difference, p_value)
    error = variance**0.5
    reach = float(stats.norm.ppf(0.975)) * error
    p_value = float(2 * stats.norm.sf(abs(difference) / error))
    return DeLong((areas[0], areas[1]), difference, difference - reach, difference + reach, p_value)


def _placements(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Share of negatives below every positive, and of positives above every negative."""
    return share_ranked_below(positive, negative), 1 - share_ranked_below(negative, positive)


def mcnemar(labels: NDArray[np.int64], first: Array, second: Array) -> McNemar:
    """McNemar's exact test of two accuracies; every image counts as a patient of its own.

    Args:
        labels: Shape ``(N,)``.
        first: Probabilities of the first classifier, shape ``(N, K)``.
        second: Probabilities of the second.

    References:
        McNemar, "Note on the Sampling Error of the Difference between Correlated Proportions or
        Percentages", Psychometrika 12 (1947).

    Example:
        >>> sure = np.eye(2)[[0, 1, 1]]
        >>> mcnemar(np.array([0, 1, 0]), sure, sure[::-1]).p_value
        1.0
    """
    right = [rows.argmax(axis=1) == labels for rows in (first, second)]
    first_only = int((right[0] & ~right[1]).sum())
    second_only = int((right[1] & ~right[0]).sum())
    differing = first_only + second_only
    p_value = stats.binomtest(first_only, differing).pvalue if differing else 1.0
    return McNemar(first_only, second_only, float(p_value))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values corrected for their number: below 0.05 here, no claim is due to looking often.

    Args:
        p_values: One per claim.

    Returns:
        Corrected values in ``[0, 1]``, in the same order.

    References:
        Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
        Statistics 6 (1979).

    Example:
        >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
        {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    corrected: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}
