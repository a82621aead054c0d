"""The interval: the t interval where there is one kind of luck, and honest where there are more."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monai_gan_aug.records.results import TrainingOverlap
from monai_gan_aug.statistics.intervals import (
    ClassVariance,
    MeanOverSeeds,
    mean_over_seeds,
    student_quantile,
)
from monai_gan_aug.statistics.overlap import NO_OVERLAP

values = st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=12).map(tuple)
rows = st.lists(
    st.builds(ClassVariance, st.integers(3, 300), st.floats(0, 0.01), st.floats(0, 0.01)),
    max_size=3,
).map(tuple)
means = st.builds(
    MeanOverSeeds,
    values,
    rows,
    st.builds(TrainingOverlap, st.floats(0, 0.89)),
    st.just(-1.0),
    st.just(1.0),
)

quick = settings(deadline=None, max_examples=60)


@quick
@given(st.floats(1e-6, 0.4), st.integers(1, 500))
def test_quantiles_are_those_of_student(tail, freedom):
    assert student_quantile(tail, freedom) == pytest.approx(stats.t.isf(tail, freedom), rel=1e-6)


def test_with_seeds_alone_it_is_the_t_interval():
    rng = np.random.default_rng(0)
    per_seed = rng.normal(0.02, 0.03, size=7)
    known = stats.ttest_1samp(per_seed, 0)
    found = MeanOverSeeds(tuple(per_seed))
    interval = found.interval()
    assert (interval.lower, interval.upper) == pytest.approx(tuple(known.confidence_interval()))
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-6)


def test_with_patients_of_one_class_alone_it_is_their_t_interval():
    found = MeanOverSeeds((0.1, 0.1, 0.1), (ClassVariance(5, 0.0004, 0.0),))
    assert found.half_width() == pytest.approx(stats.t(4).isf(0.025) * 0.02)


def test_overlap_is_the_correction_of_nadeau_and_bengio():
    """Their example: 15 runs that test a tenth, where the overlap is nine tenths."""
    per_seed = tuple(np.random.default_rng(1).normal(size=15))
    found = MeanOverSeeds(per_seed, overlap=TrainingOverlap(0.1)).half_width()
    variance = np.var(per_seed, ddof=1)
    assert found == pytest.approx(stats.t(14).isf(0.025) * math.sqrt((1 / 15 + 1 / 9) * variance))


@quick
@given(means)
def test_below_five_percent_exactly_when_the_interval_leaves_out_zero(mean):
    interval, p_value = mean.interval(), mean.p_value
    outside = interval.lower > 0 or interval.upper < 0
    if abs(mean.half_width() - abs(mean.value)) > 1e-9:
        assert (p_value < 0.05) == outside


@quick
@given(means)
def test_ends_are_possible_values_around_the_mean(mean):
    interval = mean.interval()
    assert -1 <= interval.lower <= mean.value + 1e-12
    assert mean.value - 1e-12 <= interval.upper <= 1
    assert interval.confidence == pytest.approx(0.95)


@quick
@given(means)
def test_a_loss_is_a_gain_with_the_sign_turned(mean):
    there, back = mean.interval(), (-mean).interval()
    assert (back.lower, back.upper) == pytest.approx((-there.upper, -there.lower))
    assert (-mean).p_value == pytest.approx(mean.p_value)
    assert (-mean).detectable() == pytest.approx(mean.detectable())


@quick
@given(means, st.floats(0.0001, 0.02))
def test_a_smaller_tail_is_a_wider_interval(mean, tail):
    assert mean.half_width(tail) >= mean.half_width()


@quick
@given(means)
def test_any_overlap_makes_it_wider(mean):
    assert mean.half_width() >= replace(mean, overlap=NO_OVERLAP).half_width()


@quick
@given(means)
def test_detectable_is_more_than_the_half_width(mean):
    assert mean.detectable() >= mean.half_width()
    assert mean.detectable(power=0.9) >= mean.detectable()


def test_two_seeds_have_no_interval():
    found = MeanOverSeeds((0.1, 0.2), (ClassVariance(30, 0.01, 0.01),))
    assert (found.interval(), found.p_value, found.detectable()) == (None, None, None)
    assert found.value == pytest.approx(0.15)


def test_arms_that_never_differ_have_an_interval_of_no_width():
    found = MeanOverSeeds((0.0, 0.0, 0.0))
    assert (found.interval().lower, found.interval().upper) == (0, 0)
    assert (found.p_value, found.detectable()) == (1, 0)


@pytest.mark.parametrize(("seeds", "patients"), [(3, 5), (3, 300), (5, 5), (5, 300), (10, 20)])
@pytest.mark.parametrize("ratio", [0, 0.1, 1, 10])
def test_keeps_its_tail_for_any_mixture_of_luck(seeds, patients, ratio):
    """Variances of seeds and patients are known from few values; their ratio is not known."""
    rng = np.random.default_rng(seeds + patients)
    studies = 20_000
    of_seeds = rng.chisquare(seeds - 1, studies) / (seeds - 1)
    of_patients = ratio * rng.chisquare(patients - 1, studies) / (patients - 1)
    error = rng.normal(size=studies) * math.sqrt(1 / seeds + ratio)
    reach = np.sqrt(
        student_quantile(0.025, seeds - 1) ** 2 * of_seeds / seeds
        + student_quantile(0.025, patients - 1) ** 2 * of_patients
    )
    one = MeanOverSeeds(
        tuple(np.linspace(-1, 1, seeds)), (ClassVariance(patients, float(of_patients[0]), 0.0),)
    )
    known = math.sqrt(one.between_seeds / of_seeds[0])
    assert replace(
        one, per_seed=tuple(value / known for value in one.per_seed)
    ).half_width() == pytest.approx(reach[0])
    assert (error > reach).mean() <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / studies)


def covered(rng, share, seeds, studies=600):
    """Coverage when the training sample is the only luck, and only its overlap is shared."""
    inside = 0
    for _ in range(studies):
        pool = rng.normal(size=50)
        size = round(50 * share)
        per_seed = np.array([rng.permutation(pool)[:size].mean() for _ in range(seeds)])
        found = mean_over_seeds(
            per_seed,
            np.zeros((seeds, 2)),
            np.array([0, 0]),
            np.array([2]),
            overlap=TrainingOverlap(share),
        ).interval()
        inside += found.lower <= 0 <= found.upper
    return inside / studies


@pytest.mark.parametrize("share", [0.2, 0.7])
@pytest.mark.parametrize("seeds", [3, 10])
def test_covers_when_the_training_sample_is_the_only_luck(share, seeds):
    assert 0.925 <= covered(np.random.default_rng(0), share, seeds) <= 0.975


def test_shared_patients_do_not_average_out_and_own_ones_do():
    rng = np.random.default_rng(2)
    strata, patients = np.zeros(40, int), np.array([40])
    same = np.tile(rng.normal(size=40), (8, 1))
    other = rng.normal(size=(8, 40))
    shared = mean_over_seeds(np.zeros(8), same, strata, patients, overlap=NO_OVERLAP).classes[0]
    own = mean_over_seeds(np.zeros(8), other, strata, patients, overlap=NO_OVERLAP).classes[0]
    assert shared.shared == pytest.approx((same[0] ** 2).sum())
    assert shared.own == pytest.approx(0, abs=1e-9)
    assert own.shared < 0.1 * own.own


def test_refuses_one_seed():
    with pytest.raises(ValueError, match="two seeds"):
        mean_over_seeds(
            np.zeros(1), np.zeros((1, 2)), np.zeros(2, int), np.array([2]), overlap=NO_OVERLAP
        )
