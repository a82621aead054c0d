"""Weights of the crossed bootstrap."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.statistics.bootstrap import CrossedBootstrap

GROUPS = [["p", "p", "q"], ["q", "r", "s", "p"]]


def weights_of(bootstrap, index, **block):
    return np.concatenate(list(bootstrap.row_weights(index, **block)))


def test_a_patient_has_one_weight_in_every_row_of_every_seed():
    bootstrap = CrossedBootstrap(GROUPS, 200)
    first, second = weights_of(bootstrap, 0), weights_of(bootstrap, 1)
    np.testing.assert_array_equal(first[:, 0], first[:, 1])
    np.testing.assert_array_equal(first[:, 0], second[:, 3])
    np.testing.assert_array_equal(first[:, 2], second[:, 0])


def test_as_many_are_drawn_as_there_are():
    bootstrap = CrossedBootstrap([list("abcd")], 300)
    assert (weights_of(bootstrap, 0).sum(axis=1) == 4).all()
    assert (bootstrap.seed_weights.sum(axis=1) == 1).all()


def test_weights_vary_as_a_multinomial():
    bootstrap = CrossedBootstrap([[str(n) for n in range(50)]] * 3, 4000)
    assert weights_of(bootstrap, 0).var() == pytest.approx(1 - 1 / 50, abs=0.03)
    assert bootstrap.seed_weights.var() == pytest.approx(1 - 1 / 3, abs=0.03)


def test_seeds_and_patients_are_drawn_independently():
    bootstrap = CrossedBootstrap([list("abc")] * 3, 4000)
    both = np.corrcoef(bootstrap.seed_weights[:, 0], weights_of(bootstrap, 0)[:, 0])
    assert abs(both[0, 1]) < 0.05


def test_blocks_do_not_change_the_draws():
    bootstrap = CrossedBootstrap(GROUPS, 250)
    np.testing.assert_array_equal(
        weights_of(bootstrap, 1), weights_of(bootstrap, 1, weights_at_once=30)
    )


def test_same_seed_same_draws():
    first, second, third = (CrossedBootstrap(GROUPS, 200, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(weights_of(first, 0), weights_of(second, 0))
    assert (weights_of(first, 0) != weights_of(third, 0)).any()


@pytest.mark.parametrize("arguments", [(GROUPS, 10), ([], 200)])
def test_refuses_too_little(arguments):
    with pytest.raises(ValueError, match="at least"):
        CrossedBootstrap(*arguments)


def test_means_are_those_of_rows_written_out_as_often_as_they_were_drawn():
    """A weight of two is a row that stands there twice."""
    rng = np.random.default_rng(0)
    labels, groups = np.arange(30) % 2, tuple(f"p{n}" for n in range(30))
    items = []
    for seed in range(3):
        score = rng.random(30)
        rows = np.stack([1 - score, score], axis=1)
        names = ("healthy", "ill")
        items.append(Predictions("arm", seed, names, "test", "5f", groups, groups, labels, rows))
    bootstrap = CrossedBootstrap([item.groups for item in items], 200)
    means = bootstrap.means(items, "auc")
    weights = weights_of(bootstrap, 0)  # every seed has the same patients
    for draw in range(5):
        often = np.repeat(np.arange(30), weights[draw].astype(int))
        areas = [roc_auc_score(labels[often], item.probabilities[often, 1]) for item in items]
        expected = np.average(areas, weights=bootstrap.seed_weights[draw])
        assert means[draw] == pytest.approx(expected)
