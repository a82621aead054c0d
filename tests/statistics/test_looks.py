"""The error budget: all looks there may ever be spend no more than one."""

import numpy as np
import pytest
from scipy.stats import norm

from monai_gan_aug.statistics.looks import tail_of_look


def test_all_looks_together_spend_the_budget_and_no_more():
    spent = np.cumsum([tail_of_look(look, 0.025) for look in range(1, 5000)])
    assert spent[-1] == pytest.approx(0.025, rel=1e-3)
    assert (spent < 0.025).all()


def test_every_later_look_spends_less():
    tails = [tail_of_look(look) for look in range(1, 50)]
    assert tails == sorted(tails, reverse=True)


def test_nine_looks_at_growing_numbers_of_seeds_keep_the_budget():
    """Adding seeds from 3 to 20 until the mean is above what its look allows."""
    rng = np.random.default_rng(0)
    studies, stops = 20_000, (3, 5, 7, 9, 11, 13, 15, 17, 20)
    sums = rng.normal(size=(studies, 20)).cumsum(axis=1)

    planned = np.zeros(studies, bool)
    plain = np.zeros(studies, bool)
    for look, seeds in enumerate(stops, start=1):
        score = sums[:, seeds - 1] / np.sqrt(seeds)
        planned |= score > norm.isf(tail_of_look(look))
        plain |= score > norm.isf(0.025)
    assert plain.mean() > 0.05
    assert planned.mean() <= 0.025


def test_refuses_a_look_before_the_first():
    with pytest.raises(ValueError, match="counts from 1"):
        tail_of_look(0)
