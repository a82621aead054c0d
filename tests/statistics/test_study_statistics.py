"""Arms of a study: paired, by patient, and refusing predictions that do not belong together."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.classification import LOWER_IS_BETTER
from monai_gan_aug.metrics.weighted import METRICS
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.results import TrainingOverlap
from monai_gan_aug.statistics.overlap import NO_OVERLAP
from monai_gan_aug.statistics.study_statistics import StudyStatistics

ARMS = ("candidate", "classical")


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


def study(rng, *, seeds=4, patients=40, effect=0.0, images=1):
    labels, easy = np.arange(patients) % 2, rng.normal(size=patients)
    items = []
    for seed in range(seeds):
        rows = np.repeat(rng.permutation(patients)[: patients * 3 // 4], images)
        for arm in ARMS:
            quality = 2 + 0.2 * rng.normal() + effect * (arm == "candidate")
            noise = easy[rows] + 0.5 * rng.normal(size=len(rows))
            items.append(
                predictions(arm, seed, rows, labels[rows], quality * (labels[rows] - 0.5) + noise)
            )
    return items


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_mean_is_that_of_the_seeds(rng):
    items = study(rng)
    found = StudyStatistics(items, NO_OVERLAP).metric("classical")
    areas = [roc_auc_score(i.labels, i.probabilities[:, 1]) for i in items if i.arm == "classical"]
    assert found.per_seed == pytest.approx(areas)
    assert found.value == pytest.approx(np.mean(areas))


@pytest.mark.parametrize("metric", METRICS)
def test_difference_is_paired_and_antisymmetric(rng, metric):
    statistics = StudyStatistics(study(rng), NO_OVERLAP)
    there = statistics.difference(*ARMS, metric)
    back = statistics.difference(*reversed(ARMS), metric)
    assert there.value == pytest.approx(-back.value)
    assert there.half_width() == pytest.approx(back.half_width())
    values = [statistics.metric(arm, metric).value for arm in ARMS]
    assert there.value == pytest.approx(values[0] - values[1])


def test_an_arm_does_not_differ_from_itself(rng):
    found = StudyStatistics(study(rng), TrainingOverlap(0.7)).difference("classical", "classical")
    assert (found.value, found.half_width(), found.p_value) == (0, 0, 1)


@pytest.mark.parametrize("metric", METRICS)
def test_a_gain_is_positive_when_the_arm_is_better(rng, metric):
    statistics = StudyStatistics(study(rng, effect=3.0), NO_OVERLAP)
    gain, difference = statistics.gain(*ARMS, metric), statistics.difference(*ARMS, metric)
    sign = -1 if metric in LOWER_IS_BETTER else 1
    assert gain.value == pytest.approx(sign * difference.value)
    if metric in ("auc", "brier"):
        assert gain.value > 0


@pytest.mark.parametrize("metric", METRICS)
def test_headroom_is_what_a_perfect_arm_would_gain(rng, metric):
    items = study(rng)
    perfect = [
        replace(item, arm="perfect", probabilities=np.eye(2)[item.labels])
        for item in items
        if item.arm == "classical"
    ]
    statistics = StudyStatistics([*items, *perfect], NO_OVERLAP)
    headroom = statistics.headroom("classical", metric)
    assert headroom == pytest.approx(statistics.gain("perfect", "classical", metric).value)


def test_overlap_reaches_every_interval(rng):
    items = study(rng)
    apart, alike = (StudyStatistics(items, TrainingOverlap(share)) for share in (0.0, 0.7))
    assert alike.difference(*ARMS).half_width() > 1.5 * apart.difference(*ARMS).half_width()


def test_smallest_class_decides_the_degrees_of_freedom(rng):
    labels = np.repeat([0, 1], [60, 4])
    items = [
        predictions(arm, seed, np.arange(64), labels, labels + rng.normal(size=64))
        for seed in range(3)
        for arm in ARMS
    ]
    found = StudyStatistics(items, NO_OVERLAP)
    assert sorted(row.patients for row in found.difference(*ARMS).classes) == [4, 60]
    assert found.patients_by_class == {"healthy": 60, "ill": 4}


def test_more_images_of_the_same_patients_are_no_more_patients(rng):
    items = study(rng, images=1)
    copies = [
        replace(
            item,
            ids=tuple(f"{name}/{copy}" for name in item.ids for copy in range(4)),
            groups=tuple(np.repeat(item.groups, 4)),
            labels=np.repeat(item.labels, 4),
            probabilities=np.repeat(item.probabilities, 4, axis=0),
        )
        for item in items
    ]
    once, often = (StudyStatistics(each, NO_OVERLAP).difference(*ARMS) for each in (items, copies))
    assert often.half_width() == pytest.approx(once.half_width())


def test_patients_with_images_of_two_classes_are_patients(rng):
    rows = np.repeat(np.arange(12), 2)
    labels = np.tile([0, 1], 12)
    items = [
        predictions(arm, seed, rows, labels, labels + rng.normal(size=24))
        for seed in range(3)
        for arm in ARMS
    ]
    found = StudyStatistics(items, NO_OVERLAP)
    assert [row.patients for row in found.difference(*ARMS).classes] == [12]
    assert found.patients_by_class == {"healthy": 12, "ill": 12}


def test_few_patients_of_a_kind_join_the_others(rng):
    """One patient with both classes has no variance of its own."""
    rows = np.array([*range(20), 20, 20])
    labels = np.array([0] * 10 + [1] * 10 + [0, 1])
    items = [
        predictions(arm, seed, rows, labels, labels + rng.normal(size=22))
        for seed in range(3)
        for arm in ARMS
    ]
    counts = [row.patients for row in StudyStatistics(items, NO_OVERLAP).difference(*ARMS).classes]
    assert sorted(counts) == [10, 11]


def test_many_patients_go_in_blocks_and_change_little(rng, monkeypatch):
    items = study(rng, patients=400)
    whole = StudyStatistics(items, NO_OVERLAP).difference(*ARMS).half_width()
    monkeypatch.setattr("monai_gan_aug.statistics.study_statistics.MOST_UNITS", 50)
    blocks = StudyStatistics(items, NO_OVERLAP).difference(*ARMS)
    assert [row.patients for row in blocks.classes] == [50, 50]
    assert blocks.half_width() == pytest.approx(whole, rel=0.3)


def test_three_classes_work(rng):
    labels = np.arange(60) % 3
    base = predictions("a", 0, np.arange(60), labels % 2, np.zeros(60))
    items = [
        replace(
            base,
            seed=seed,
            labels=labels,
            class_names=("a", "b", "c"),
            probabilities=(rng.dirichlet(np.ones(3), 60) + np.eye(3)[labels]) / 2,
        )
        for seed in range(3)
    ]
    found = StudyStatistics(items, NO_OVERLAP).metric("a", "brier")
    assert found.highest == 2
    assert [row.patients for row in found.classes] == [20, 20, 20]


def test_two_seeds_have_values_and_no_interval(rng):
    found = StudyStatistics(study(rng, seeds=2), NO_OVERLAP).difference(*ARMS)
    assert len(found.per_seed) == 2
    assert found.interval() is None


def test_refuses_one_seed(rng):
    with pytest.raises(DataError, match="two seeds"):
        StudyStatistics(study(rng, seeds=1), NO_OVERLAP)


def test_refuses_a_missing_or_doubled_run(rng):
    items = study(rng)
    with pytest.raises(DataError, match="per arm and seed"):
        StudyStatistics(items[1:], NO_OVERLAP)
    with pytest.raises(DataError, match="given twice: 1"):
        StudyStatistics([*items, items[0]], NO_OVERLAP)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda item: {"ids": tuple(f"x{name}" for name in item.ids)}, "different images"),
        (lambda item: {"groups": item.groups[1:] + item.groups[:1]}, "different images"),
        (lambda item: {"split": "validation"}, "different parts of a split"),
    ],
)
def test_refuses_arms_judged_on_something_else(rng, change, text):
    items = study(rng)
    items[1] = replace(items[1], **change(items[1]))
    with pytest.raises(DataError, match=text):
        StudyStatistics(items, NO_OVERLAP)


def test_refuses_a_class_of_two_patients(rng):
    labels = np.array([0, 0, 1, 1, 1, 1])
    items = [predictions("a", s, [0, 0, 2, 3, 4, 5], labels, rng.normal(size=6)) for s in range(3)]
    with pytest.raises(DataError, match="Class healthy has 1 test patients"):
        StudyStatistics(items, NO_OVERLAP)
