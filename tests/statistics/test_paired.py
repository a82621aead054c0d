"""P-values dual to the intervals, their correction, and how many patients would be needed."""

import numpy as np
import pytest
from scipy import stats

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.results import Difference
from monai_gan_aug.statistics.arm_statistics import ArmStatistics, PairedDraws
from monai_gan_aug.statistics.paired import claims, patients_needed, single_splits, two_sided_p


def draws(rng, effect=0.0, seeds=6, patients=100, luck=0.02, noise=0.2, replicates=2000):
    """A mean over seeds and patients whose variances are known."""
    by_seed = luck * rng.normal(size=seeds)
    by_patient = noise * rng.normal(size=patients)
    weights = rng.multinomial(patients, [1 / patients] * patients, replicates) / patients
    shared = (weights @ by_patient)[:, None]
    seed_weights = rng.multinomial(seeds, [1 / seeds] * seeds, replicates).astype(float)
    points = effect + by_seed + by_patient.mean()
    return PairedDraws(points, effect + by_seed + shared, seed_weights, patients)


def study(rng, seeds=3, patients=40):
    """Predictions of a good and a poor arm on the same patients."""
    labels = np.arange(patients) % 2
    rows = tuple(map(str, range(patients)))
    found = []
    for seed in range(seeds):
        for arm, merit in (("candidate", 3.0), ("classical", 1.0)):
            score = 1 / (1 + np.exp(-merit * (labels - 0.5) - rng.normal(size=patients)))
            both = np.stack([1 - score, score], axis=1)
            names = ("healthy", "ill")
            found.append(Predictions(arm, seed, names, "test", "5f", rows, rows, labels, both))
    return found


def gain(value):
    return Difference(value, value - 0.01, value + 0.01, (value,) * 3, 0.02)


@pytest.mark.parametrize("seed", range(12))
def test_below_five_percent_exactly_when_the_interval_leaves_out_zero(seed):
    one = draws(np.random.default_rng(seed), effect=0.02 * (seed % 4))
    found = one.interval()
    assert (two_sided_p(one) < 0.05) == (found.lower > 0 or found.upper < 0)


def test_luck_alone_gives_the_p_value_of_a_t_test():
    rng = np.random.default_rng(3)
    points = 0.02 + 0.03 * rng.normal(size=8)
    seed_weights = rng.multinomial(8, [1 / 8] * 8, 20_000).astype(float)
    one = PairedDraws(points, np.tile(points, (20_000, 1)), seed_weights, 10**6)
    assert two_sided_p(one) == pytest.approx(stats.ttest_1samp(points, 0).pvalue, abs=0.02)


def test_equal_arms_rarely_differ():
    rng = np.random.default_rng(0)
    low = [two_sided_p(draws(rng, replicates=400)) < 0.05 for _ in range(150)]
    assert np.mean(low) <= 0.08


def test_larger_effects_have_smaller_p_values():
    found = [two_sided_p(draws(np.random.default_rng(5), effect=e)) for e in (0, 0.03, 0.06, 0.2)]
    assert found[1:] == sorted(found[1:], reverse=True)
    assert found[-1] == pytest.approx(4 / 2000)


def test_no_difference_at_all_has_p_one():
    zero = PairedDraws(np.zeros(3), np.zeros((400, 3)), np.ones((400, 3)), 20)
    assert two_sided_p(zero) == 1.0


def test_needs_as_many_patients_as_there_are_when_it_sees_the_effect_just_so():
    one = draws(np.random.default_rng(1))
    assert patients_needed(one, one.interval().minimum_detectable_effect) == one.patients


def test_half_the_effect_takes_four_times_the_patients_without_luck():
    one = draws(np.random.default_rng(1), luck=0.0)
    half = one.interval().minimum_detectable_effect / 2
    assert patients_needed(one, half) == pytest.approx(4 * one.patients, rel=0.02)


def test_no_number_of_patients_makes_up_for_luck():
    one = draws(np.random.default_rng(1), luck=0.2, noise=0.01)
    assert patients_needed(one, 0.02) is None


def test_a_claim_is_as_weak_as_its_weakest_comparison():
    found = claims({"a": {"x": (gain(0.1), 0.001), "y": (gain(0.1), 0.03)}})
    assert found[0].p_value == found[0].holm == 0.03


def test_worse_than_one_control_is_no_claim():
    (found,) = claims({"a": {"x": (gain(0.1), 0.001), "y": (gain(-0.1), 0.001)}})
    assert found.p_value == 1.0


def test_correction_keeps_the_order_and_never_helps():
    rng = np.random.default_rng(0)
    gains = {str(i): {"x": (gain(0.1), p)} for i, p in enumerate(rng.random(9) ** 3)}
    found = sorted(claims(gains), key=lambda claim: claim.p_value)
    assert [c.holm for c in found] == sorted(c.holm for c in found)
    assert all(c.holm >= c.p_value for c in found)


def test_single_splits_have_one_row_per_seed():
    items = study(np.random.default_rng(0))
    statistics = ArmStatistics(items, replicates=200)
    pair = (statistics.predictions("candidate"), statistics.predictions("classical"))
    rows = single_splits(*pair)
    assert [row.seed for row in rows] == [0, 1, 2]
    assert all(0 <= p_value <= 1 for row in rows for p_value in (row.delong, row.mcnemar))
    same = single_splits(pair[0], pair[0])
    assert {row.delong for row in same} == {row.mcnemar for row in same} == {1.0}


def test_draws_of_a_study_give_the_interval_of_its_difference():
    statistics = ArmStatistics(study(np.random.default_rng(0)), replicates=300)
    found = statistics.draws("candidate", "classical").interval()
    assert found == statistics.difference("candidate", "classical")
