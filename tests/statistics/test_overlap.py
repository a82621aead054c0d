"""How far training sets are the same patients: random draws, turns, and sets that never change."""

import numpy as np
import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.statistics.overlap import training_overlap


def drawn(rng, seeds, pool, size):
    names = [f"p{number}" for number in range(pool)]
    return [{"ill": set(rng.permutation(names)[:size])} for _ in range(seeds)]


@pytest.mark.parametrize("share", [0.2, 0.4, 0.7])
def test_random_draws_share_their_fraction_of_the_pool(share):
    rng = np.random.default_rng(0)
    found = training_overlap(drawn(rng, 30, 200, round(200 * share)))
    assert found.share == pytest.approx(share, abs=0.02)
    assert found.odds == pytest.approx(share / (1 - share), rel=0.1)
    assert found.fixed == ()
    assert found.patients == 200


def test_matches_pair_by_pair():
    sets = [{"a", "b", "c"}, {"b", "c", "d"}, {"x", "y", "z"}]
    assert training_overlap([{"ill": one} for one in sets]).share == pytest.approx(2 / 3 / 3)


def test_dealing_in_turns_shares_less_than_drawing():
    """Five times 40 % of a pool: every patient twice, (5 * 0.4 - 1) / 4 in common."""
    order = [f"p{number}" for number in range(50)] * 2
    turns = [{"ill": set(order[20 * seed : 20 * (seed + 1)])} for seed in range(5)]
    assert training_overlap(turns).share == pytest.approx(0.25)


def test_disjoint_sets_need_no_correction():
    found = training_overlap([{"ill": {"a", "b"}}, {"ill": {"c"}}, {"ill": {"d", "e"}}])
    assert (found.share, found.odds) == (0, 0)


def test_the_class_that_overlaps_most_decides():
    small = [{"ill": {"a", "b"}, "well": {f"{seed}{n}" for n in range(9)}} for seed in range(3)]
    small[0]["ill"] = {"b", "c"}
    small[1]["ill"] = {"c", "a"}
    assert training_overlap(small).share == pytest.approx(0.5)


def test_parts_that_never_change_are_named_and_not_corrected():
    seeds = [{"ill": {f"{seed}"}, "unlabelled": {"u", "v"}} for seed in range(3)]
    found = training_overlap(seeds)
    assert found.fixed == ("unlabelled",)
    assert found.share == 0
    assert found.patients == 5


@pytest.mark.parametrize(
    "training",
    [[{"ill": {"a"}}], [{"ill": {"a"}}, {"well": {"a"}}], [{"ill": {"a"}}, {"ill": set()}]],
)
def test_refuses_what_has_no_overlap(training):
    with pytest.raises(DataError):
        training_overlap(training)
