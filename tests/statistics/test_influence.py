"""What every patient moves: against DeLong, brute force, and the variance over fresh patients."""

import numpy as np
import pytest
from scipy.special import expit

from monai_gan_aug.metrics.weighted import METRICS, weighted_metric
from monai_gan_aug.statistics.influence import patient_influence
from monai_gan_aug.statistics.significance import delong


def rows(scores):
    positive = expit(np.asarray(scores, float))
    return np.stack([1 - positive, positive], axis=1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_one_image_a_patient_is_delong(rng):
    labels = np.arange(40) % 2
    scores = [labels + rng.normal(size=40) for _ in range(2)]
    found = [patient_influence("auc", labels, rows(each), np.arange(40), labels) for each in scores]
    variance = ((found[0][1] - found[1][1]) ** 2).sum()
    known = delong(labels == 1, *scores)
    assert found[0][0] - found[1][0] == pytest.approx(known.difference)
    assert 2 * 1.959964 * variance**0.5 == pytest.approx(known.upper - known.lower, rel=1e-6)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_the_stratified_jackknife(name, classes, rng):
    """For the area under the curve of single images, too: its closed form changes nothing."""
    labels = np.arange(30) % classes
    probabilities = rng.dirichlet(np.ones(classes), 30) + np.eye(classes)[labels] / 2
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    value, influence = patient_influence(name, labels, probabilities, np.arange(30), labels)
    without = np.array(
        [
            weighted_metric(
                name, labels, probabilities, (np.arange(30) != patient)[None].astype(float)
            )[0]
            for patient in range(30)
        ]
    )
    assert value == pytest.approx(weighted_metric(name, labels, probabilities, np.ones((1, 30)))[0])
    for stratum in range(classes):
        members = labels == stratum
        n = members.sum()
        expected = (n - 1) / n * ((without[members] - without[members].mean()) ** 2).sum()
        exact = name != "auc" or classes == 2  # of three classes the rest is a mixture: first order
        assert (influence[members] ** 2).sum() == pytest.approx(
            expected, rel=1e-6 if exact else 0.2
        )


@pytest.mark.parametrize("name", METRICS)
def test_images_of_a_patient_count_together(name, rng):
    """Every image three times is no more evidence, in any metric."""
    labels = np.arange(24) % 2
    probabilities = rows(labels + rng.normal(size=24))
    once = patient_influence(name, labels, probabilities, np.arange(24), labels)
    thrice = patient_influence(
        name,
        np.repeat(labels, 3),
        np.repeat(probabilities, 3, axis=0),
        np.repeat(np.arange(24), 3),
        labels,
    )
    assert thrice[0] == pytest.approx(once[0])
    assert thrice[1] == pytest.approx(once[1])


def test_absent_patients_and_constant_strata_have_none(rng):
    labels = np.array([0, 0, 0, 1, 1, 1])
    strata = np.array([0, 0, 0, 0, 1, 1, 1])
    units = np.array([0, 1, 2, 4, 5, 6])
    _, influence = patient_influence("auc", labels, rows([0, 1, 2, 7, 8, 9]), units, strata)
    assert (influence == 0).all()
    _, influence = patient_influence("auc", labels, rows([0, 5, 2, 1, 8, 9]), units, strata)
    assert influence[3] == 0
    assert influence[:4].sum() == pytest.approx(0)


@pytest.mark.parametrize("name", ["auc", "balanced_accuracy", "brier", "average_precision"])
def test_sum_of_squares_is_the_variance_over_fresh_patients(name, rng):
    """Patients with up to five images, drawn again and again."""
    values, estimates = [], []
    for _ in range(300):
        patients = np.arange(60)
        images = rng.integers(1, 6, 60)
        units = np.repeat(patients, images)
        strata = patients % 2
        noise = np.repeat(rng.normal(size=60), images) + 0.5 * rng.normal(size=len(units))
        labels = strata[units]
        value, influence = patient_influence(
            name, labels, rows(1.5 * (labels - 0.5) + noise), units, strata
        )
        values.append(value)
        estimates.append((influence**2).sum())
    assert np.mean(estimates) == pytest.approx(np.var(values), rel=0.3)
