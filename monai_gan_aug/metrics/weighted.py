"""Classification metrics of many weighted copies of one test set at once.

A bootstrap replicate of a test set is the same rows with other weights. Every function takes the
weights of ``R`` replicates and returns ``R`` values, as if each row were repeated as often as its
weight says (weights need not be whole). A replicate in which a class has no weight has no value:
NaN.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "METRICS",
    "average_precision",
    "confusion",
    "expected_calibration_error",
    "roc_auc",
    "weighted_metric",
]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def roc_auc(positive: NDArray[np.bool_], scores: Array, weights: Array) -> Array:
    r"""Area under the ROC curve: the chance that a positive row outranks a negative one.

    .. math:: \frac{\sum_{i \in P} \sum_{j \in N} w_i w_j
              \left( [s_i > s_j] + \tfrac{1}{2} [s_i = s_j] \right)}{\sum_P w_i \sum_N w_j}

    Args:
        positive: Which rows are positive, shape ``(N,)``.
        scores: Higher means more positive, shape ``(N,)``; equal scores count half.
        weights: Not negative, shape ``(R, N)``.

    Returns:
        Shape ``(R,)``, in ``[0, 1]``, NaN where a class has no weight.

    Example:
        >>> rows = np.array([False, True, True]), np.array([0.2, 0.2, 0.9])
        >>> roc_auc(*rows, np.array([[1.0, 1.0, 1.0], [1.0, 3.0, 1.0]]))
        array([0.75 , 0.625])
    """
    order = np.argsort(scores[~positive], kind="stable")
    ranked = scores[~positive][order]
    negatives = _running_sum(weights[:, ~positive][:, order])
    below = negatives[:, np.searchsorted(ranked, scores[positive], side="left")]
    below += negatives[:, np.searchsorted(ranked, scores[positive], side="right")]
    gained = weights[:, positive]
    won = np.einsum("rp,rp->r", gained, below) / 2
    return _ratio(won, gained.sum(axis=1) * negatives[:, -1])


def average_precision(positive: NDArray[np.bool_], scores: Array, weights: Array) -> Array:
    r"""Precision averaged over the recall gained: :math:`\sum_k (R_k - R_{k-1}) P_k`.

    Args:
        positive: Which rows are positive, shape ``(N,)``.
        scores: Higher means more positive, shape ``(N,)``.
        weights: Not negative, shape ``(R, N)``.

    Returns:
        Shape ``(R,)``, in ``[0, 1]``, NaN where there is no positive weight.
    """
    hits, false_alarms = (
        _weight_from(scores[part], weights[:, part], scores[positive])
        for part in (positive, ~positive)
    )
    whole = hits + false_alarms
    precision = np.divide(hits, whole, out=np.zeros_like(whole), where=whole > 0)
    gained = weights[:, positive]
    return _ratio(np.einsum("rp,rp->r", gained, precision), gained.sum(axis=1))


def confusion(labels: Labels, probabilities: Array, weights: Array) -> Array:
    """Weight of every pair of true class (row) and most probable class (column).

    Args:
        labels: Shape ``(N,)``, in ``[0, K)``.
        probabilities: Shape ``(N, K)``.
        weights: Shape ``(R, N)``.

    Returns:
        Shape ``(R, K, K)``.
    """
    classes = probabilities.shape[1]
    cell = labels * classes + probabilities.argmax(axis=1)
    cells = np.eye(classes * classes)[cell]
    table: Array = weights @ cells
    return table.reshape(-1, classes, classes)


def weighted_metric(
    name: str,
    labels: Labels,
    probabilities: Array,
    weights: Array,
    *,
    positive: int = 1,
) -> Array:
    """The metric called ``name``: of the positive class if there are two, else the class mean.

    Args:
        name: A key of :data:`METRICS`.
        labels: Shape ``(N,)``, in ``[0, K)``.
        probabilities: Shape ``(N, K)``, rows sum to 1.
        weights: Shape ``(R, N)``.
        positive: The class that counts as disease when there are two.

    Returns:
        Shape ``(R,)``.

    Raises:
        ValueError: If there is no such metric.
    """
    if name not in METRICS:
        raise ValueError(f"Unknown metric {name!r}: choose from {list(METRICS)}.")
    count = probabilities.shape[1]
    classes = [positive] if count == 2 else list(range(count))
    return METRICS[name](labels, probabilities, weights, classes)


def _weight_from(scores: Array, weights: Array, thresholds: Array) -> Array:
    """Weight of the rows that score at least each threshold, ``(R, thresholds)``."""
    order = np.argsort(-scores, kind="stable")
    sums = _running_sum(weights[:, order])
    return sums[:, np.searchsorted(-scores[order], -thresholds, side="right")]


def _running_sum(weights: Array) -> Array:
    """Sums of the first 0, 1, … columns, shape ``(R, columns + 1)``."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _mean(values: list[Array]) -> Array:
    """Mean over classes, shape ``(R,)``."""
    mean: Array = np.mean(values, axis=0)
    return mean


def _auc(labels: Labels, probabilities: Array, weights: Array, classes: list[int]) -> Array:
    return _mean([roc_auc(labels == c, probabilities[:, c], weights) for c in classes])


def _average_precision(
    labels: Labels, probabilities: Array, weights: Array, classes: list[int]
) -> Array:
    values = [average_precision(labels == c, probabilities[:, c], weights) for c in classes]
    return _mean(values)


def _sensitivity(labels: Labels, probabilities: Array, weights: Array, classes: list[int]) -> Array:
    table = confusion(labels, probabilities, weights)
    return _mean([_ratio(table[:, c, c], table[:, c].sum(axis=1)) for c in classes])


def _specificity(labels: Labels, probabilities: Array, weights: Array, classes: list[int]) -> Array:
    table = confusion(labels, probabilities, weights)
    values = []
    for c in classes:
        negative = table.sum(axis=(1, 2)) - table[:, c].sum(axis=1)
        values.append(_ratio(negative - (table[:, :, c].sum(axis=1) - table[:, c, c]), negative))
    return _mean(values)


def _balanced_accuracy(
    labels: Labels, probabilities: Array, weights: Array, classes: list[int]
) -> Array:
    return _sensitivity(labels, probabilities, weights, list(range(probabilities.shape[1])))


def _accuracy(labels: Labels, probabilities: Array, weights: Array, classes: list[int]) -> Array:
    table = confusion(labels, probabilities, weights)
    return _ratio(table.trace(axis1=1, axis2=2), table.sum(axis=(1, 2)))


def _f1(labels: Labels, probabilities: Array, weights: Array, classes: list[int]) -> Array:
    table = confusion(labels, probabilities, weights)
    pairs = [
        (table[:, c, c], table[:, c].sum(axis=1) + table[:, :, c].sum(axis=1)) for c in classes
    ]
    return _mean([_ratio(2 * hit, total) for hit, total in pairs])


def _brier(labels: Labels, probabilities: Array, weights: Array, classes: list[int]) -> Array:
    targets = np.eye(probabilities.shape[1])[labels]
    errors = ((probabilities - targets)[:, classes] ** 2).sum(axis=1)
    return _ratio(weights @ errors, weights.sum(axis=1))


def expected_calibration_error(
    labels: Labels, probabilities: Array, weights: Array, bins: int = 10
) -> Array:
    r"""Mean distance between how sure a classifier is and how often it is right.

    .. math:: \sum_b \frac{n_b}{n} \left| \text{accuracy}_b - \text{confidence}_b \right|

    over bins of equal width of the probability of the most probable class. It is biased upwards
    when bins hold few images.

    Args:
        labels: Shape ``(N,)``, in ``[0, K)``.
        probabilities: Shape ``(N, K)``, rows sum to 1.
        weights: Not negative, shape ``(R, N)``.
        bins: Number of bins of ``[0, 1]``.

    Returns:
        Shape ``(R,)``, in ``[0, 1]``.

    References:
        Guo et al., "On Calibration of Modern Neural Networks". https://arxiv.org/abs/1706.04599

    Example:
        >>> sure = np.array([[0.0, 1.0], [0.0, 1.0]])
        >>> expected_calibration_error(np.array([1, 0]), sure, np.ones((1, 2)))
        array([0.5])
    """
    sureness = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(sureness * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.zeros((len(labels), bins))
    gaps[np.arange(len(labels)), place] = right - sureness
    return _ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def _ece(labels: Labels, probabilities: Array, weights: Array, classes: list[int]) -> Array:
    return expected_calibration_error(labels, probabilities, weights)


METRICS: dict[str, Callable[[Labels, Array, Array, list[int]], Array]] = {
    "auc": _auc,
    "average_precision": _average_precision,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
    "f1": _f1,
    "brier": _brier,
    "ece": _ece,
}
