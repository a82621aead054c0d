"""The word: whatever the gains are, and in whatever order they come."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.statistics.decision import Gain, Part, VerdictWord, decide
from monai_gan_aug.statistics.intervals import ClassVariance, MeanOverSeeds

quick = settings(deadline=None, max_examples=60)

RELEVANT = 0.02
TAIL = 0.02


def mean(value, spread=0.0, seeds=5):
    """A gain whose half width at ``TAIL`` is ``spread``."""
    unit = MeanOverSeeds((0.0,) * seeds, (ClassVariance(1000, 1.0, 0.0),))
    shared = (spread / unit.half_width(TAIL)) ** 2
    return MeanOverSeeds(
        (value,) * seeds, (ClassVariance(1000, shared, 0.0),), lowest=-1, highest=1
    )


def gain(value, spread=0.001, part=Part.BASELINE, name="classical", headroom=0.2, seeds=5):
    return Gain(name, name, part, mean(value, spread, seeds), headroom)


def with_all(*gains):
    return decide(list(gains), RELEVANT, TAIL)


others = st.lists(
    st.builds(
        gain,
        st.floats(-0.1, 0.1),
        st.floats(0.0001, 0.1),
        st.sampled_from([Part.MATCHED, Part.PLANNED, Part.OTHER]),
        st.sampled_from(["mixup", "longer", "shuffled", "stronger", "twice"]),
        st.floats(0.001, 0.5),
    ),
    max_size=5,
    unique_by=lambda one: one.control,
)
baselines = st.builds(
    gain,
    st.floats(-0.1, 0.1),
    st.floats(0.0001, 0.1),
    st.just(Part.BASELINE),
    st.just("classical"),
    st.floats(0.001, 0.5),
)


@pytest.mark.parametrize(
    ("gains", "word"),
    [
        ([gain(0.03)], "helps"),
        ([gain(0.005)], "helps"),
        ([gain(-0.03)], "harms"),
        ([gain(0.0, 0.01)], "no relevant gain"),
        ([gain(0.015, 0.016)], "underpowered"),
        ([gain(0.0, 0.05)], "underpowered"),
        ([gain(0.03), gain(-0.01, part=Part.MATCHED, name="m")], "no relevant gain"),
        ([gain(0.03), gain(0.03, 0.04, Part.PLANNED, "p")], "underpowered"),
        ([gain(0.03), gain(0.0, 0.005, Part.PLANNED, "p")], "no relevant gain"),
        ([gain(0.03), gain(-0.01, 0.001, Part.OTHER, "o")], "no relevant gain"),
        ([gain(0.03), gain(-0.01, 0.02, Part.OTHER, "o")], "helps"),
        ([gain(-0.03), gain(0.03, part=Part.PLANNED, name="p")], "harms"),
    ],
)
def test_rule(gains, word):
    assert with_all(*gains).word.value == word


@quick
@given(baselines, others, st.randoms())
def test_order_of_controls_never_matters(baseline, rest, random):
    gains = [baseline, *rest]
    known = with_all(*gains)
    random.shuffle(gains)
    assert with_all(*gains) == known


@quick
@given(baselines, others)
def test_helps_only_if_every_needed_control_is_beaten_and_none_is_better(baseline, rest):
    found = with_all(baseline, *rest)
    needed = [one for one in (baseline, *rest) if one.part is not Part.OTHER]
    if found.word is VerdictWord.HELPS:
        assert all(one.lower(TAIL) > 0 for one in needed)
        assert not found.better
        count = sum(one.part is Part.OTHER for one in rest)
        assert all(one.upper(TAIL / count) >= 0 for one in rest if one.part is Part.OTHER)


@quick
@given(baselines, others)
def test_harms_exactly_if_worse_than_the_baseline(baseline, rest):
    assert (with_all(baseline, *rest).word is VerdictWord.HARMS) == (baseline.upper(TAIL) < 0)


@quick
@given(baselines, others)
def test_no_relevant_gain_has_a_control_to_show_for_it(baseline, rest):
    found = with_all(baseline, *rest)
    if found.word is VerdictWord.NO_RELEVANT_GAIN:
        assert found.better or found.excluded
        if found.excluded is not None:
            assert found.excluded.upper(TAIL) < RELEVANT <= found.excluded.headroom


@quick
@given(baselines, others)
def test_a_clearly_better_control_is_named_and_never_helped_against(baseline, rest):
    better = gain(-0.05, 0.0001, Part.OTHER, "better still")
    found = with_all(baseline, *rest, better)
    assert found.word in (VerdictWord.HARMS, VerdictWord.NO_RELEVANT_GAIN)
    assert better in found.better


@quick
@given(baselines, others, st.floats(0, 0.1))
def test_a_better_arm_gets_no_worse_word(baseline, rest, more):
    """Harms, then no gain or underpowered, then helps."""
    rank = {"harms": 0, "no relevant gain": 1, "underpowered": 1, "helps": 2}

    def shifted(one):
        values = tuple(value + more for value in one.gain.per_seed)
        return replace(one, gain=replace(one.gain, per_seed=values))

    gains = [baseline, *rest]
    before, after = with_all(*gains), with_all(*map(shifted, gains))
    assert rank[after.word.value] >= rank[before.word.value]


@quick
@given(baselines, others)
def test_a_smaller_tail_never_makes_a_word_firm(baseline, rest):
    gains = [baseline, *rest]
    loose, strict = (decide(gains, RELEVANT, tail) for tail in (TAIL, TAIL / 10))
    if strict.word in (VerdictWord.HELPS, VerdictWord.HARMS):
        assert loose.word in (strict.word, VerdictWord.NO_RELEVANT_GAIN)
    if loose.word is VerdictWord.UNDERPOWERED:
        assert strict.word is VerdictWord.UNDERPOWERED


@quick
@given(baselines, others)
def test_two_seeds_are_always_underpowered(baseline, rest):
    def of_two(one):
        return replace(one, gain=replace(one.gain, per_seed=one.gain.per_seed[:2]))

    assert with_all(*map(of_two, (baseline, *rest))).word is VerdictWord.UNDERPOWERED


@quick
@given(st.floats(0.0, 0.0199), st.floats(0.0001, 0.1))
def test_at_the_ceiling_nothing_is_excluded(headroom, spread):
    full = gain(0.0, spread, headroom=headroom)
    found = with_all(full)
    assert found.word is VerdictWord.UNDERPOWERED
    assert found.no_room == full


@pytest.mark.parametrize(
    ("value", "spread", "smaller"),
    [(0.03, 0.001, ""), (0.015, 0.01, "perhaps"), (0.01, 0.005, "surely"), (0.03, 0.02, "")],
)
def test_a_gain_below_the_relevant_one_says_so(value, spread, smaller):
    found = with_all(gain(value, spread))
    assert (found.word, found.smaller) == (VerdictWord.HELPS, smaller)


@pytest.mark.parametrize("count", [1, 4])
def test_looking_at_more_controls_needs_clearer_differences(count):
    """Just clear for one control is not clear for one of four."""
    rest = [gain(0.0, 0.02, Part.OTHER, f"o{number}") for number in range(count - 1)]
    edge = gain(-0.0201, 0.02, Part.OTHER, "edge")
    found = with_all(gain(0.03), edge, *rest)
    assert (edge in found.better) == (count == 1)


@pytest.mark.parametrize(
    "gains", [[], [gain(0.1, part=Part.PLANNED)], [gain(0.1), gain(0.1, name="second")]]
)
def test_refuses_anything_but_one_baseline(gains):
    with pytest.raises(ValueError, match="one baseline"):
        decide(gains, RELEVANT, TAIL)


def test_refuses_an_effect_that_is_none():
    with pytest.raises(ValueError, match="relevant_effect"):
        decide([gain(0.1)], 0.0, TAIL)


def test_without_an_interval_nothing_is_known():
    none = gain(0.1, seeds=2)
    assert (none.lower(TAIL), none.upper(TAIL)) == (-math.inf, math.inf)
