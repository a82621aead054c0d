"""Intervals over seeds and patients: paired, honest with few seeds, and refusing nonsense."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.statistics.arm_statistics import ArmStatistics, interval

ARMS = ("candidate", "classical", "classical_twice")


def predictions(arm, seed, patients, labels, scores):
    positive = expit(scores)
    return Predictions(
        arm=arm,
        seed=seed,
        class_names=("healthy", "ill"),
        split="test",
        split_sha256=str(seed),
        ids=tuple(f"{seed}-{row}" for row in range(len(labels))),
        groups=tuple(map(str, patients)),
        labels=labels,
        probabilities=np.stack([1 - positive, positive], axis=1),
    )


def study(rng, *, seeds=4, patients=40, luck=0.2, effect=0.0, arms=ARMS):
    """Predictions of arms whose quality varies by luck, on patients shared between seeds."""
    labels, difficulty = np.arange(patients) % 2, rng.normal(size=patients)
    found = []
    for seed in range(seeds):
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(labels == c), patients // 4, replace=False) for c in (0, 1)]
        )
        for arm in arms:
            quality = 2 + luck * rng.normal() + effect * (arm == "candidate")
            noise = difficulty[rows] + 0.5 * rng.normal(size=len(rows))
            scores = quality * (labels[rows] - 0.5) + noise
            found.append(predictions(arm, seed, rows, labels[rows], scores))
    return found


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_mean_is_that_of_the_seeds(rng):
    items = study(rng)
    found = ArmStatistics(items, replicates=200).metric("classical")
    areas = [roc_auc_score(i.labels, i.probabilities[:, 1]) for i in items if i.arm == "classical"]
    assert found.per_seed == pytest.approx(areas)
    assert found.mean == pytest.approx(np.mean(areas))


def test_difference_is_paired_and_antisymmetric(rng):
    statistics = ArmStatistics(study(rng), replicates=300)
    there = statistics.difference("candidate", "classical")
    back = statistics.difference("classical", "candidate")
    assert there.mean == pytest.approx(-back.mean)
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower))
    assert there.upper - there.lower < 0.7 * sum(
        e.upper - e.lower for e in map(statistics.metric, ("candidate", "classical"))
    )


def test_an_arm_does_not_differ_from_itself(rng):
    statistics = ArmStatistics(study(rng), replicates=200)
    found = statistics.difference("classical", "classical")
    assert (found.mean, found.lower, found.upper, found.minimum_detectable_effect) == (0, 0, 0, 0)


def test_with_luck_alone_it_is_the_t_interval(rng):
    per_seed = rng.normal(size=6)
    draws = rng.multinomial(6, [1 / 6] * 6, 20_000)
    found = interval(per_seed, np.tile(per_seed, (20_000, 1)), draws, patients=1000)
    half = stats.t(5).ppf(0.975) * per_seed.std(ddof=1) / np.sqrt(6)
    assert found.upper - found.lower == pytest.approx(2 * half, rel=0.1)


def test_with_patients_alone_it_is_the_patient_bootstrap(rng):
    shared = rng.normal(0.3, 0.1, size=(20_000, 1))
    draws = rng.multinomial(5, [1 / 5] * 5, 20_000)
    found = interval(np.full(5, 0.3), np.tile(shared, (1, 5)), draws, patients=1000)
    assert (found.lower, found.upper) == pytest.approx((0.3 - 0.196, 0.3 + 0.196), abs=0.01)


def widths(rng, **more):
    """Mean width of the interval of a metric and of a difference, over a few studies."""
    found = [ArmStatistics(study(rng, **more), replicates=200) for _ in range(5)]
    metric = [s.metric("classical") for s in found]
    gain = [s.difference("candidate", "classical") for s in found]
    return [np.mean([e.upper - e.lower for e in group]) for group in (metric, gain)]


def test_more_patients_make_the_interval_of_a_metric_narrower(rng):
    assert widths(rng, patients=400)[0] < 0.8 * widths(rng, patients=40)[0]


def test_more_seeds_make_the_interval_of_a_difference_narrower(rng):
    assert widths(rng, seeds=12)[1] < 0.7 * widths(rng, seeds=4)[1]


def test_metric_stays_within_possible_values(rng):
    statistics = ArmStatistics(study(rng, seeds=2, patients=24, luck=1.0), replicates=200)
    for name in ("auc", "sensitivity", "average_precision"):
        found = statistics.metric("classical", name)
        assert 0 <= found.lower <= found.mean <= found.upper <= 1


def test_difference_stays_within_possible_values(rng):
    """Two seeds that say the opposite have an interval far wider than any difference can be."""
    labels = np.arange(20) % 2
    items = [
        predictions(arm, seed, range(20), labels, sign * (labels - 0.5) + 0.1 * rng.normal(size=20))
        for seed, signs in enumerate([(1, -1), (-1, 1)])
        for arm, sign in zip(("candidate", "classical"), signs, strict=True)
    ]
    found = ArmStatistics(items, replicates=200).difference("candidate", "classical", "accuracy")
    assert (found.lower, found.upper) == (-1, 1)


def test_minimum_detectable_effect_is_detected_four_times_in_five():
    rng = np.random.default_rng(7)
    found = [
        ArmStatistics(study(rng, arms=ARMS[:2]), replicates=200).difference(*ARMS[:2])
        for _ in range(40)
    ]
    promised = np.median([e.minimum_detectable_effect for e in found])
    shifted = [e.lower + promised > 0 for e in found]
    assert np.mean(shifted) > 0.7


def test_identical_arms_are_rarely_told_apart():
    rng = np.random.default_rng(1)
    covered, helps = [], []
    for number in range(150):
        statistics = ArmStatistics(study(rng, seeds=3), replicates=200, seed=number)
        gains = [statistics.difference("candidate", control) for control in ARMS[1:]]
        covered.append(gains[0].lower <= 0 <= gains[0].upper)
        helps.append(all(gain.lower > 0 for gain in gains))
    assert np.mean(covered) >= 0.91
    assert np.mean(helps) <= 0.05


def test_results_depend_on_the_seed_only(rng):
    items = study(rng)
    first, second = (ArmStatistics(items, replicates=200, seed=5) for _ in range(2))
    assert first.metric("classical") == second.metric("classical")


def test_counts_patients_and_images_once(rng):
    items = study(rng, seeds=3, patients=40)
    statistics = ArmStatistics(items, replicates=200)
    assert statistics.patients == len(set().union(*(i.groups for i in items)))
    assert statistics.images == len(set().union(*(i.ids for i in items)))


def test_three_classes_work(rng):
    labels = np.arange(60) % 3
    items = []
    for seed in range(2):
        raw = rng.dirichlet(np.ones(3), 60) + np.eye(3)[labels]
        base = predictions("a", seed, np.arange(60), labels % 2, np.zeros(60))
        changes = {"labels": labels, "probabilities": raw / 2, "class_names": ("a", "b", "c")}
        items.append(Predictions(**{**vars(base), **changes}))
    assert 0.5 < ArmStatistics(items, replicates=200).metric("a").mean <= 1


def test_refuses_one_seed(rng):
    with pytest.raises(DataError, match="two seeds"):
        ArmStatistics(study(rng, seeds=1))


def test_refuses_a_missing_or_doubled_run(rng):
    items = study(rng)
    with pytest.raises(DataError, match="per arm and seed"):
        ArmStatistics(items[1:])
    with pytest.raises(DataError, match="given twice: 1"):
        ArmStatistics([*items, items[0]])


def test_refuses_arms_judged_on_different_images(rng):
    items = study(rng)
    other = Predictions(**{**vars(items[1]), "ids": tuple(f"x{n}" for n in range(len(items[1])))})
    with pytest.raises(DataError, match="different images"):
        ArmStatistics([items[0], other, *items[2:]])


def test_refuses_a_class_that_resampling_loses(rng):
    labels = np.array([0, 1, 1, 1])
    items = [predictions("a", s, np.arange(4), labels, rng.normal(size=4)) for s in range(2)]
    with pytest.raises(DataError, match="lack a whole class"):
        ArmStatistics(items, replicates=200).metric("a")
