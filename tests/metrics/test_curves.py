"""Curves against scikit-learn and against what can be counted by hand."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve as reference

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.curves import precision_recall_curve, reliability
from monai_gan_aug.metrics.weighted import expected_calibration_error


def drawn(seed, count=400, decimals=8):
    rng = np.random.default_rng(seed)
    scores = rng.uniform(size=count).round(decimals)
    return (rng.uniform(size=count) < scores).astype(int), scores


def test_precision_recall_by_hand():
    """Thresholds 0.9, 0.8, 0.7, 0.6 find 0, 1, 1, 2 of two positives among 1, 2, 3, 4 images."""
    curve = precision_recall_curve([0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6], points=5)
    assert curve["recall"] == [0, 0.25, 0.5, 0.75, 1]
    assert curve["precision"] == [0.5, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("decimals", [8, 1])  # the second has many equal scores
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_precision_at_a_recall_is_that_of_the_highest_threshold_that_reaches_it(seed, decimals):
    labels, scores = drawn(seed, decimals=decimals)
    precision, recall, _ = reference(labels, scores)  # recall falls along the thresholds
    curve = precision_recall_curve(labels, scores)
    for wanted, got in zip(curve["recall"][1:], curve["precision"][1:], strict=True):
        highest = np.flatnonzero(recall >= wanted - 1e-9)[-1]
        assert got == precision[highest]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_area_below_the_steps_is_the_average_precision(seed):
    labels, scores = drawn(seed)
    points = 200_001
    precision = precision_recall_curve(labels, scores, points)["precision"]
    assert np.mean(precision[1:]) == pytest.approx(
        average_precision_score(labels, scores), abs=1e-4
    )


def test_precision_at_full_recall_of_useless_scores_is_the_share_of_positives():
    curve = precision_recall_curve([1, 0, 0, 0], [0.5] * 4)
    assert curve["precision"] == [0.25] * 101


def test_no_positive_has_no_curve():
    with pytest.raises(DataError, match="needs positive"):
        precision_recall_curve([0, 0], [0.1, 0.2])


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("bins", [5, 10])
def test_reliability_is_scikit_learns(seed, bins):
    labels, scores = drawn(seed)
    observed, predicted = calibration_curve(labels, scores, n_bins=bins)
    sums = reliability(labels, scores, bins)
    kept = sums["count"] > 0
    assert sums["count"].sum() == len(labels)
    np.testing.assert_allclose(sums["observed"][kept] / sums["count"][kept], observed)
    np.testing.assert_allclose(sums["predicted"][kept] / sums["count"][kept], predicted)


def test_edges_belong_to_the_bin_below():
    sums = reliability([0, 1, 1], [0.0, 0.5, 1.0], bins=2)
    assert sums["count"].tolist() == [2, 1]


def test_gaps_of_the_bins_are_the_calibration_error():
    """The metric of the arms table and the figure speak of the same bins."""
    labels, scores = drawn(3)
    both = np.stack([1 - scores, scores], axis=1)
    right = (both.argmax(axis=1) == labels).astype(float)
    sums = reliability(right, both.max(axis=1))
    error = np.abs(sums["observed"] - sums["predicted"]).sum() / len(labels)
    expected = expected_calibration_error(labels, both, np.ones((1, len(labels))))[0]
    assert error == pytest.approx(expected)
