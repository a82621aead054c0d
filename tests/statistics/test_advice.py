"""What more seeds or patients would do, and when they would not."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.records.results import Needed, TrainingOverlap
from monai_gan_aug.statistics.advice import MOST_SEEDS, advise
from monai_gan_aug.statistics.decision import Gain, Part
from monai_gan_aug.statistics.intervals import ClassVariance, MeanOverSeeds

quick = settings(deadline=None, max_examples=60)


def gain(luck, shared=0.0, own=0.0, share=0.0, seeds=5, part=Part.BASELINE):
    """Variance between seeds ``luck**2``, of patients ``shared`` and ``own``."""
    values = np.linspace(-1, 1, seeds)
    values *= luck / values.std(ddof=1)
    classes = (ClassVariance(50, shared, own), ClassVariance(50, shared, own))
    mean = MeanOverSeeds(tuple(values), classes, TrainingOverlap(share), -1, 1)
    return Gain("classical", "classical", part, mean)


def test_luck_of_seeds_asks_for_seeds_and_not_for_patients():
    found = advise([gain(0.04)], 0.02, 0.02)
    assert found.times_patients is None
    assert found.seeds.low < found.seeds.likely
    # Between the sizes for z quantiles alone and twice as many.
    ideal = ((2.05 + 0.84) * 0.04 / 0.02) ** 2
    assert ideal <= found.seeds.likely <= 2 * ideal


def test_luck_of_patients_asks_for_patients_and_not_for_seeds():
    found = advise([gain(0.002, shared=0.0002)], 0.02, 0.02)
    assert found.seeds is None
    assert found.times_patients.likely > 2


def test_overlap_asks_for_a_larger_pool():
    found = advise([gain(0.02, share=0.7)], 0.02, 0.02)
    assert (found.seeds, found.times_patients) == (None, None)
    assert found.times_pool.likely > 2
    larger = gain(0.02, share=0.7 / found.times_pool.likely, seeds=30).gain
    assert larger.detectable(0.02) <= 0.02


def test_a_pool_is_not_asked_for_without_reason():
    assert advise([gain(0.04)], 0.02, 0.02).times_pool is None
    assert advise([gain(0.001, share=0.7)], 0.02, 0.02).times_pool is None


def test_says_nothing_where_nothing_would_do():
    found = advise([gain(2.0, share=0.7)], 0.02, 0.02)
    assert (found.seeds, found.times_patients, found.times_pool) == (None, None, None)


def test_the_hardest_control_it_must_beat_decides():
    easy, hard = gain(0.01), gain(0.05, part=Part.PLANNED)
    other = gain(0.5, part=Part.OTHER)
    assert advise([easy, hard, other], 0.02, 0.02) == advise([hard, easy], 0.02, 0.02)


def test_two_seeds_ask_for_a_few_first():
    assert advise([gain(0.01, seeds=2)], 0.02, 0.02).seeds == Needed(3, 5, None)


def test_following_the_advice_on_seeds_makes_the_effect_detectable():
    likely = advise([gain(0.04)], 0.02, 0.02).seeds.likely
    assert gain(0.04, seeds=likely).gain.detectable(0.02) <= 0.02
    assert gain(0.04, seeds=likely - 1).gain.detectable(0.02) > 0.02


@quick
@given(
    st.floats(0.001, 0.1),
    st.floats(0, 0.001),
    st.floats(0, 0.001),
    st.floats(0, 0.8),
    st.integers(3, 30),
)
def test_ranges_hold_what_is_likely(luck, shared, own, share, seeds):
    found = advise([gain(luck, shared, own, share, seeds)], 0.02, 0.02)
    for one in (found.seeds, found.times_patients, found.times_pool):
        if one is not None:
            assert one.low <= one.likely <= (math.inf if one.high is None else one.high)
    if found.seeds is not None:
        assert seeds <= found.seeds.likely <= MOST_SEEDS
