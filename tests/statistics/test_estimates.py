"""Estimates of a record against the means they are made of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.statistics.estimates import as_difference, as_estimate, spent_p_value
from monai_gan_aug.statistics.intervals import TAIL, MeanOverSeeds
from monai_gan_aug.statistics.looks import tail_of_look

quick = settings(deadline=None, max_examples=60)
VALUES = st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=8)


@quick
@given(VALUES, st.integers(1, 4))
def test_p_is_below_five_percent_exactly_when_the_interval_leaves_out_zero(values, look):
    tail, mean = tail_of_look(look), MeanOverSeeds(tuple(values))
    lower, upper = as_estimate(mean, tail).ends
    leaves_out_zero = lower > 0 or upper < 0
    if min(abs(lower), abs(upper)) > 1e-9:
        assert (spent_p_value(mean, tail) < 2 * TAIL) == leaves_out_zero


def test_two_seeds_have_a_mean_and_nothing_else():
    mean = MeanOverSeeds((0.1, 0.2))
    found = as_difference(mean)
    assert found.mean == pytest.approx(0.15)
    assert (found.ends, found.minimum_detectable_effect, spent_p_value(mean)) == (None, None, None)


def test_a_later_look_has_a_wider_interval():
    mean = MeanOverSeeds((0.1, 0.12, 0.11))
    first, second = (as_difference(mean, tail_of_look(look)) for look in (1, 2))
    assert second.lower < first.lower < first.upper < second.upper
    assert second.minimum_detectable_effect > first.minimum_detectable_effect
