"""Weighted metrics against scikit-learn on repeated rows, and against brute force."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_calibration_error

from monai_gan_aug.metrics.weighted import METRICS, average_precision, roc_auc, weighted_metric


def draw(seed, rows=40, classes=2, ties=True):
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(classes), rng.integers(0, classes, rows - classes)]
    raw = rng.dirichlet(np.ones(classes), rows)
    raw[labels == 1, 1] += 0.3
    if ties:
        raw = np.round(raw, 1) + 0.01
    return labels, raw / raw.sum(axis=1, keepdims=True), rng.integers(0, 4, (5, rows))


def brute_force_auc(positive, scores, weights):
    """Every pair of a positive and a negative row."""
    total = hit = 0.0
    for p, s, w in zip(positive, scores, weights, strict=True):
        for q, t, v in zip(positive, scores, weights, strict=True):
            if p and not q:
                total += w * v
                hit += w * v * (float(s > t) + 0.5 * float(s == t))
    return hit / total


@pytest.mark.parametrize("seed", range(5))
def test_auc_counts_pairs(seed):
    labels, probabilities, weights = draw(seed)
    weights = weights * np.random.default_rng(seed).random(weights.shape)
    scores = probabilities[:, 1]
    expected = [brute_force_auc(labels == 1, scores, w) for w in weights]
    np.testing.assert_allclose(roc_auc(labels == 1, scores, weights), expected, rtol=1e-12)


def calibration_error(labels, probabilities, bins=10):
    """Bin by bin; a bin holds its upper edge."""
    sureness, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    total = 0.0
    for b in range(bins):
        inside = (sureness * bins > b) & (sureness * bins <= b + 1)
        total += abs((right[inside] - sureness[inside]).sum())
    return total / len(labels)


def sklearn_values(labels, probabilities):
    positive, predicted = probabilities[:, 1], probabilities.argmax(axis=1)
    (tn, fp), _ = sk.confusion_matrix(labels, predicted, labels=[0, 1])
    return {
        "auc": sk.roc_auc_score(labels, positive),
        "average_precision": sk.average_precision_score(labels, positive),
        "accuracy": sk.accuracy_score(labels, predicted),
        "ece": calibration_error(labels, probabilities),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "sensitivity": sk.recall_score(labels, predicted),
        "specificity": tn / (tn + fp),
        "f1": sk.f1_score(labels, predicted),
        "brier": sk.brier_score_loss(labels, positive),
    }


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", METRICS)
def test_a_weight_is_a_repetition(name, seed):
    labels, probabilities, weights = draw(seed)
    found = weighted_metric(name, labels, probabilities, weights)
    for value, row in zip(found, weights, strict=True):
        expected = sklearn_values(np.repeat(labels, row), np.repeat(probabilities, row, axis=0))
        assert value == pytest.approx(expected[name], abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_calibration_error_agrees_with_torchmetrics(classes):
    labels, probabilities, _ = draw(2, rows=300, classes=classes, ties=False)
    found = weighted_metric("ece", labels, probabilities, np.ones((1, 300)))[0]
    scores, targets = torch.from_numpy(probabilities), torch.from_numpy(labels)
    expected = multiclass_calibration_error(scores, targets, classes, n_bins=10)
    assert found == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_more_classes_are_averaged_one_against_the_rest(seed):
    labels, probabilities, _ = draw(seed, rows=60, classes=3)
    once = np.ones((1, 60))
    predicted = probabilities.argmax(axis=1)
    expected = {
        "auc": sk.roc_auc_score(labels, probabilities, multi_class="ovr"),
        "average_precision": sk.average_precision_score(np.eye(3)[labels], probabilities),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "sensitivity": sk.recall_score(labels, predicted, average="macro"),
        "f1": sk.f1_score(labels, predicted, average="macro"),
    }
    found = {n: weighted_metric(n, labels, probabilities, once)[0] for n in expected}
    assert found == pytest.approx(expected)


def test_scores_without_ties_give_the_same_as_with_the_tie_path():
    labels, probabilities, weights = draw(0, ties=False)
    scores = probabilities[:, 1]
    doubled = np.r_[scores, scores]
    twice = roc_auc(np.r_[labels, labels] == 1, doubled, np.hstack([weights, weights]))
    np.testing.assert_allclose(roc_auc(labels == 1, scores, weights), twice)


def test_a_missing_class_gives_nan():
    positive = np.array([True, False])
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert np.isnan(roc_auc(positive, np.array([0.1, 0.9]), weights)).tolist() == [
        True,
        True,
        False,
    ]
    assert np.isnan(average_precision(positive, np.array([0.1, 0.9]), weights))[1]


def test_positive_class_can_be_the_first():
    labels, probabilities, weights = draw(1)
    flipped = weighted_metric("sensitivity", 1 - labels, probabilities[:, ::-1], weights)
    found = weighted_metric("sensitivity", labels, probabilities, weights, positive=0)
    np.testing.assert_allclose(found, flipped)


def test_refuses_an_unknown_metric():
    with pytest.raises(ValueError, match="auc"):
        weighted_metric("auk", *draw(0))
