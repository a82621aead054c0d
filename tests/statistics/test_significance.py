"""Tests for one split against brute force, outside implementations and known coverage."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from monai_gan_aug.statistics.significance import delong, holm, mcnemar


def draw(seed, count=60, shared=0.7, ties=False):
    rng = np.random.default_rng(seed)
    positive = rng.random(count) < 0.4
    common = rng.normal(size=count) + positive
    first, second = (shared * common + (1 - shared) * rng.normal(size=count) for _ in range(2))
    return positive, np.round(first, 1) if ties else first, second


def brute_force_variance(positive, first, second):
    """DeLong's covariance by its definition: a matrix of all pairs."""

    def kernel(scores):
        gap = scores[positive][:, None] - scores[~positive][None, :]
        return (gap > 0) + 0.5 * (gap == 0)

    difference = kernel(first) - kernel(second)
    m, n = difference.shape
    return difference.mean(1).var(ddof=1) / m + difference.mean(0).var(ddof=1) / n


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_delong_is_its_definition(seed, ties):
    positive, first, second = draw(seed, ties=ties)
    found = delong(positive, first, second)
    assert found.auc == pytest.approx(
        (roc_auc_score(positive, first), roc_auc_score(positive, second))
    )
    reach = (found.upper - found.lower) / 2
    assert reach == pytest.approx(1.959964 * brute_force_variance(positive, first, second) ** 0.5)


def test_delong_rejects_as_often_as_it_says():
    """Two classifiers of the same merit: 5 % of the p-values lie below 0.05."""
    low = [delong(*draw(seed, count=120)).p_value < 0.05 for seed in range(800)]
    assert 0.025 < np.mean(low) < 0.08


def test_equal_scores_differ_by_nothing():
    positive, first, _ = draw(0)
    found = delong(positive, first, first)
    assert (found.difference, found.p_value) == (0.0, 1.0)


def test_swapping_the_two_swaps_the_sign():
    positive, first, second = draw(1)
    there, back = delong(positive, first, second), delong(positive, second, first)
    assert there.difference == -back.difference
    assert there.p_value == pytest.approx(back.p_value)


@pytest.mark.parametrize("positives", [1, 5])
def test_too_few_of_a_kind_are_refused(positives):
    positive = np.arange(6) < positives
    scores = np.arange(6.0)
    with pytest.raises(ValueError, match="Two positive and two negative"):
        delong(positive, scores, scores)


@pytest.mark.parametrize("seed", range(4))
def test_mcnemar_agrees_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 80)
    first, second = (rng.dirichlet(np.ones(3), 80) for _ in range(2))
    found = mcnemar(labels, first, second)
    right = [(p.argmax(1) == labels) for p in (first, second)]
    table = [[int((right[0] == a)[right[1] == b].sum()) for b in (1, 0)] for a in (1, 0)]
    assert found.p_value == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    assert (found.first_only, found.second_only) == (table[0][1], table[1][0])


def test_classifiers_that_agree_do_not_differ():
    sure = np.eye(2)[[0, 1, 1]]
    assert mcnemar(np.array([0, 1, 1]), sure, sure).p_value == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_holm_agrees_with_statsmodels(seed):
    values = np.random.default_rng(seed).random(7) ** 3
    found = holm({str(i): value for i, value in enumerate(values)})
    assert list(found.values()) == pytest.approx(multipletests(values, method="holm")[1])
