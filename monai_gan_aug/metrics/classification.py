"""How well predicted probabilities fit the labels of one test set."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve as sklearn_roc_curve

from monai_gan_aug.metrics.weighted import METRICS, confusion, weighted_metric
from monai_gan_aug.records.predictions import check_predictions

__all__ = ["LOWER_IS_BETTER", "classification_metrics", "roc_curve"]

LOWER_IS_BETTER = frozenset({"brier", "ece"})


def classification_metrics(
    labels: ArrayLike, probabilities: ArrayLike, *, positive: int = 1
) -> dict[str, Any]:
    """AUC, average precision, accuracies, F1, Brier score, calibration error, confusion matrix.

    With two classes, sensitivity, specificity, F1, average precision and the Brier score
    :math:`(p - y)^2` are those of the positive class; with more, they are one-against-the-rest
    means over classes, and the Brier score sums over classes. A row counts as the most probable
    class, so with two classes the threshold is one half.

    Args:
        labels: Shape ``(N,)``, in ``[0, K)``; every class must occur.
        probabilities: Shape ``(N, K)``, rows sum to 1.
        positive: The class that counts as disease when there are two.

    Returns:
        Every name in :data:`~monai_gan_aug.metrics.weighted.METRICS` with a float, and
        ``"confusion"`` with ``K`` rows (truth) of ``K`` counts (prediction).

    Raises:
        DataError: If the predictions cannot support the metrics.

    Example:
        >>> metrics = classification_metrics([0, 1, 1], [[0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
        >>> metrics["auc"], metrics["sensitivity"], metrics["confusion"]
        (1.0, 0.5, [[1, 0], [1, 1]])
    """
    truth, values = check_predictions(labels, probabilities)
    once = np.ones((1, len(truth)))
    metrics: dict[str, Any] = {
        name: float(weighted_metric(name, truth, values, once, positive=positive)[0])
        for name in METRICS
    }
    metrics["confusion"] = confusion(truth, values, once)[0].astype(int).tolist()
    return metrics


def roc_curve(labels: ArrayLike, scores: ArrayLike, points: int = 101) -> dict[str, list[float]]:
    """The ROC curve at evenly spaced false positive rates, so that curves can be averaged.

    Args:
        labels: Shape ``(N,)``, 1 for positive.
        scores: Shape ``(N,)``, higher means more positive.
        points: Number of false positive rates from 0 to 1.

    Returns:
        ``"fpr"`` and ``"tpr"``, both of length ``points``.
    """
    false, true, _ = sklearn_roc_curve(np.asarray(labels), np.asarray(scores))
    grid = np.linspace(0, 1, points)
    rates = np.interp(grid, false, true)
    rates[0] = 0.0
    return {"fpr": grid.tolist(), "tpr": rates.tolist()}
