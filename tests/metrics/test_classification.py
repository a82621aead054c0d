"""Metrics of one test set."""

import numpy as np
import pytest
from sklearn import metrics as sk

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.classification import (
    check_predictions,
    classification_metrics,
    roc_curve,
)


def test_which_is_which():
    labels = [1] * 8 + [0] * 2
    careless = [[0.1, 0.9]] * 10
    found = classification_metrics(labels, careless)
    assert (found["sensitivity"], found["specificity"]) == (1.0, 0.0)
    assert found["auc"] == 0.5
    assert found["confusion"] == [[0, 2], [0, 8]]


def test_perfect_predictions_are_perfect():
    found = classification_metrics([0, 1, 2], np.eye(3))
    assert found["auc"] == found["f1"] == found["specificity"] == 1.0
    assert found["brier"] == 0.0


def test_confusion_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels, probabilities = np.arange(30) % 3, rng.dirichlet(np.ones(3), 30)
    expected = sk.confusion_matrix(labels, probabilities.argmax(axis=1)).tolist()
    assert classification_metrics(labels, probabilities)["confusion"] == expected


def test_area_under_the_curve_is_the_auc():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 400), rng.random(400)
    curve = roc_curve(labels, scores + 0.3 * labels, points=2001)
    area = np.trapezoid(curve["tpr"], curve["fpr"])
    assert area == pytest.approx(sk.roc_auc_score(labels, scores + 0.3 * labels), abs=2e-3)


def test_curves_share_their_rates_so_they_can_be_averaged():
    first, second = roc_curve([0, 1], [0.1, 0.9]), roc_curve([0, 1, 1], [0.5, 0.1, 0.9])
    assert first["fpr"] == second["fpr"]
    assert first["tpr"][0] == second["tpr"][0] == 0.0


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([0, 1], [[0.5, 0.5]]),
        ([0, 1], [[0.9, 0.3], [0.5, 0.5]]),
        ([0, 1], [[np.nan, 0.3], [0.5, 0.5]]),
        ([0, 0], [[0.5, 0.5], [0.5, 0.5]]),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]]),
    ],
)
def test_refuses_what_supports_no_metric(labels, probabilities):
    with pytest.raises(DataError):
        check_predictions(labels, probabilities)
