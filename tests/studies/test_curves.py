"""Means of curves over seeds."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.studies.curves import (
    calibration_curves,
    precision_recall_curves,
    roc_curves,
)


def predictions(arm, seed, classes=2, count=60):
    rng = np.random.default_rng([seed, len(arm)])
    labels = np.arange(count) % classes
    values = rng.uniform(size=(count, classes)) + 0.5 * np.eye(classes)[labels]
    names = tuple(f"{arm}-{i}" for i in range(count))
    return Predictions(
        arm=arm,
        seed=seed,
        class_names=tuple("abc"[:classes]),
        split="test",
        split_sha256="0",
        ids=names,
        groups=names,
        labels=labels,
        probabilities=values / values.sum(axis=1, keepdims=True),
    )


SEVERAL = [predictions(arm, seed) for seed in (0, 1, 2) for arm in ("one", "other", "third")]


def test_only_the_arms_asked_for_have_a_curve():
    assert set(precision_recall_curves(SEVERAL, ("one", "other"))) == {"one", "other"}
    assert set(calibration_curves(SEVERAL, ("one",))) == {"one"}
    assert set(roc_curves(SEVERAL)) == {"one", "other", "third"}


def test_precision_is_the_mean_over_seeds():
    curve = precision_recall_curves(SEVERAL, ("one",))["one"]
    ends = []
    for item in SEVERAL:
        if item.arm == "one":
            precision, recall, _ = precision_recall_curve(item.labels, item.probabilities[:, 1])
            ends.append(precision[np.flatnonzero(recall >= 1)[-1]])
    assert curve.recall[-1] == 1
    assert curve.precision[-1] == pytest.approx(np.mean(ends), abs=1e-4)


def test_calibration_counts_the_predictions_of_all_seeds():
    curve = calibration_curves(SEVERAL, ("one",))["one"]
    own = [item for item in SEVERAL if item.arm == "one"]
    count = np.array(curve.count)
    assert count.sum() == sum(len(item) for item in own)
    scores = np.concatenate([item.probabilities[:, 1] for item in own])
    labels = np.concatenate([item.labels for item in own])
    assert (count @ curve.predicted) / count.sum() == pytest.approx(scores.mean(), abs=1e-4)
    assert (count @ curve.observed) / count.sum() == pytest.approx(labels.mean(), abs=1e-4)


def test_many_classes_have_a_calibration_of_the_class_called_and_no_other_curve():
    three = [predictions("one", seed, classes=3) for seed in (0, 1)]
    assert precision_recall_curves(three, ("one",)) == roc_curves(three) == {}
    curve = calibration_curves(three, ("one",))["one"]
    count = np.array(curve.count)
    right = np.mean([item.probabilities.argmax(axis=1) == item.labels for item in three])
    assert (count @ curve.observed) / count.sum() == pytest.approx(right, abs=1e-4)
    assert min(curve.predicted) >= 1 / 3
