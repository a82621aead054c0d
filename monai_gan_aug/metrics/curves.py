"""Curves of predicted probabilities: precision against recall, and how far they can be believed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import precision_recall_curve as sklearn_precision_recall_curve

from monai_gan_aug.errors import DataError

__all__ = ["precision_recall_curve", "reliability"]

Array = NDArray[np.float64]


def precision_recall_curve(
    labels: ArrayLike, scores: ArrayLike, points: int = 101
) -> dict[str, list[float]]:
    r"""Precision at evenly spaced recalls, so that curves can be averaged.

    Between two thresholds the curve is a step, not a line: at recall :math:`r` stands the
    precision of the highest threshold that reaches :math:`r`. The area below it is therefore the
    average precision :math:`\sum_k (R_k - R_{k-1}) P_k`.

    Args:
        labels: Shape ``(N,)``, 1 for positive.
        scores: Shape ``(N,)``, higher means more positive.
        points: Number of recalls from 0 to 1.

    Returns:
        ``"recall"`` and ``"precision"``, both of length ``points``; at recall 0 stands the
        precision of the first threshold that finds a positive.

    Raises:
        DataError: If nothing is positive.

    References:
        Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML 2006,
        on why no line may be drawn between two points.

    Example:
        >>> precision_recall_curve([1, 0, 1], [0.9, 0.8, 0.7], points=3)["precision"]
        [1.0, 1.0, 0.6666666666666666]
    """
    truth = np.asarray(labels)
    if not truth.any():
        raise DataError("A precision-recall curve needs positive test images.")
    precision, recall, _ = sklearn_precision_recall_curve(truth, np.asarray(scores))
    precision, recall = precision[::-1], recall[::-1]  # now from the highest threshold down
    recalled = recall > 0
    grid = np.linspace(0, 1, points)
    place = np.searchsorted(recall[recalled], grid - 1e-12, side="left")
    return {"recall": grid.tolist(), "precision": precision[recalled][place].tolist()}


def reliability(outcomes: ArrayLike, probabilities: ArrayLike, bins: int = 10) -> dict[str, Array]:
    """What was predicted and what came true, in bins of equal width of the predicted probability.

    A bin holds its upper edge, the first one 0 as well.

    Args:
        outcomes: Whether it came true, shape ``(N,)``.
        probabilities: What was predicted, shape ``(N,)``, in ``[0, 1]``.
        bins: Number of bins.

    Returns:
        ``"count"``, ``"predicted"`` and ``"observed"``, each of shape ``(bins,)``: the number of
        predictions in a bin, the sum of their probabilities and how many came true. Sums, so that
        bins of several test sets can be added.

    References:
        Guo et al., "On Calibration of Modern Neural Networks". https://arxiv.org/abs/1706.04599

    Example:
        >>> reliability([0, 1, 1], [0.2, 0.9, 0.8], bins=2)["observed"]
        array([0., 2.])
    """
    values = np.asarray(probabilities, np.float64)
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], values)

    def total(weights: Array) -> Array:
        return np.bincount(place, weights=weights, minlength=bins).astype(np.float64)

    return {
        "count": total(np.ones_like(values)),
        "predicted": total(values),
        "observed": total(np.asarray(outcomes, np.float64)),
    }
