"""Curves of the predictions of a study: means over seeds, as lists for ``study.json``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.metrics.classification import roc_curve
from monai_gan_aug.metrics.curves import precision_recall_curve, reliability
from monai_gan_aug.records.predictions import Predictions

__all__ = ["calibration_curves", "precision_recall_curves", "roc_curves"]


def roc_curves(predictions: Iterable[Predictions]) -> dict[str, Any]:
    """Mean true positive rate at common false positive rates, by arm; empty for many classes."""
    return _means(predictions, roc_curve, "fpr", "tpr")


def precision_recall_curves(
    predictions: Iterable[Predictions], arms: Sequence[str]
) -> dict[str, Any]:
    """Mean precision at common recalls of the positive class, by arm; empty for many classes."""
    return _means(
        (one for one in predictions if one.arm in arms),
        precision_recall_curve,
        "recall",
        "precision",
    )


def calibration_curves(predictions: Iterable[Predictions], arms: Sequence[str]) -> dict[str, Any]:
    """Mean predicted and observed frequency, and number of predictions, of every bin that has any.

    Of two classes the probability is that of the positive class; of more, that of the class called.
    Predictions of all seeds count together.
    """
    sums: dict[str, dict[str, NDArray[np.float64]]] = {}
    for one in predictions:
        if one.arm in arms:
            found = reliability(*_promises(one))
            before = sums.setdefault(one.arm, {name: np.zeros_like(v) for name, v in found.items()})
            sums[one.arm] = {name: before[name] + value for name, value in found.items()}
    curves = {}
    for arm, total in sums.items():
        count = total["count"]
        kept = count > 0
        curves[arm] = {
            "predicted": (total["predicted"][kept] / count[kept]).round(4).tolist(),
            "observed": (total["observed"][kept] / count[kept]).round(4).tolist(),
            "count": count[kept].astype(int).tolist(),
        }
    return curves


def _promises(one: Predictions) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether what was predicted came true, and with which probability it was predicted."""
    if len(one.class_names) == 2:
        return one.labels == 1, one.probabilities[:, 1]
    return one.probabilities.argmax(axis=1) == one.labels, one.probabilities.max(axis=1)


def _means(
    predictions: Iterable[Predictions],
    curve_of: Callable[[Any, Any], Mapping[str, list[float]]],
    across: str,
    up: str,
) -> dict[str, Any]:
    grid: list[float] = []
    curves: dict[str, list[list[float]]] = {}
    for one in predictions:
        if len(one.class_names) != 2:
            return {}
        points = curve_of(one.labels == 1, one.probabilities[:, 1])
        grid = points[across]
        curves.setdefault(one.arm, []).append(points[up])
    return {
        arm: {
            across: np.round(grid, 4).tolist(),
            up: np.mean(rows, axis=0).round(4).tolist(),
        }
        for arm, rows in curves.items()
    }
