"""Curves of the predictions of a study: means over seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.metrics.classification import roc_curve
from monai_gan_aug.metrics.curves import precision_recall_curve, reliability
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.study_parts import Calibration, PrecisionRecall, Roc

__all__ = ["calibration_curves", "precision_recall_curves", "roc_curves"]

Points = tuple[float, ...]
CurveOf = Callable[[NDArray[np.bool_], NDArray[np.float64]], Mapping[str, list[float]]]


def roc_curves(predictions: Iterable[Predictions]) -> dict[str, Roc]:
    """Mean true positive rate at common false positive rates, by arm; empty for many classes."""
    means = _means(predictions, roc_curve, "fpr", "tpr")
    return {arm: Roc(across, up) for arm, (across, up) in means.items()}


def precision_recall_curves(
    predictions: Iterable[Predictions], arms: Sequence[str]
) -> dict[str, PrecisionRecall]:
    """Mean precision at common recalls of the positive class, by arm; empty for many classes."""
    shown = (item for item in predictions if item.arm in arms)
    means = _means(shown, precision_recall_curve, "recall", "precision")
    return {arm: PrecisionRecall(across, up) for arm, (across, up) in means.items()}


def calibration_curves(
    predictions: Iterable[Predictions], arms: Sequence[str]
) -> dict[str, Calibration]:
    """Mean predicted and observed frequency, and number of predictions, of every bin that has any.

    Of two classes the probability is that of the positive class; of more, that of the class called.
    Predictions of all seeds count together.
    """
    sums: dict[str, dict[str, NDArray[np.float64]]] = {}
    for item in predictions:
        if item.arm in arms:
            bins = reliability(*_promises(item))
            before = sums.setdefault(item.arm, {name: np.zeros_like(v) for name, v in bins.items()})
            sums[item.arm] = {name: before[name] + value for name, value in bins.items()}
    curves = {}
    for arm, total in sums.items():
        count = total["count"]
        kept = count > 0
        curves[arm] = Calibration(
            predicted=tuple((total["predicted"][kept] / count[kept]).round(4).tolist()),
            observed=tuple((total["observed"][kept] / count[kept]).round(4).tolist()),
            count=tuple(count[kept].astype(int).tolist()),
        )
    return curves


def _promises(item: Predictions) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether what was predicted came true, and with which probability it was predicted."""
    if len(item.class_names) == 2:
        return item.labels == 1, item.probabilities[:, 1]
    return item.probabilities.argmax(axis=1) == item.labels, item.probabilities.max(axis=1)


def _means(
    predictions: Iterable[Predictions], curve_of: CurveOf, across: str, up: str
) -> dict[str, tuple[Points, Points]]:
    grid: list[float] = []
    curves: dict[str, list[list[float]]] = {}
    for item in predictions:
        if len(item.class_names) != 2:
            return {}
        points = curve_of(item.labels == 1, item.probabilities[:, 1])
        grid = points[across]
        curves.setdefault(item.arm, []).append(points[up])
    places = tuple(np.round(grid, 4).tolist())
    return {
        arm: (places, tuple(np.mean(rows, axis=0).round(4).tolist()))
        for arm, rows in curves.items()
    }
