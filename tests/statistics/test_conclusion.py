"""From predictions to the verdict: controls by role, whatever the metric."""

import numpy as np
import pytest
from scipy.special import expit

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.weighted import METRICS
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.results import TrainingOverlap
from monai_gan_aug.statistics.conclusion import Question, conclude
from monai_gan_aug.statistics.decision import Part
from monai_gan_aug.statistics.overlap import NO_OVERLAP
from monai_gan_aug.statistics.study_statistics import StudyStatistics


def study(qualities, seeds=5, patients=400, classes=2):
    """Arms of different quality on the same patients."""
    rng = np.random.default_rng(0)
    labels = np.arange(patients) % classes
    names = tuple(map(str, range(patients)))
    noise = rng.normal(size=(patients, classes))
    items = []
    for seed in range(seeds):
        for arm, quality in qualities.items():
            own = 0.2 * rng.normal(size=(patients, classes))
            scores = (quality + 0.02 * rng.normal()) * np.eye(classes)[labels] + noise + own
            odds = expit(scores)
            items.append(
                Predictions(
                    arm=arm,
                    seed=seed,
                    class_names=tuple(map(str, range(classes))),
                    split="test",
                    split_sha256=str(seed),
                    ids=names,
                    groups=names,
                    labels=labels,
                    probabilities=odds / odds.sum(axis=1, keepdims=True),
                )
            )
    return StudyStatistics(items, NO_OVERLAP)


GOOD, FAIR, POOR = 1.6, 1.0, 0.5


@pytest.mark.parametrize("metric", ["auc", "accuracy", "brier", "average_precision", "f1"])
@pytest.mark.parametrize("classes", [2, 3])
def test_helps_and_harms_in_metrics_of_either_direction(metric, classes):
    statistics = study({"gan": GOOD, "classical": FAIR, "bad": POOR}, classes=classes)
    question = Question("gan", "classical", metric=metric)
    assert conclude(statistics, question).word == "helps"
    assert conclude(statistics, Question("bad", "classical", metric=metric)).word == "harms"


def test_a_better_control_outside_the_list_is_named():
    """An arm that beats its planned controls while MixUp beats the arm does not help."""
    statistics = study({"gan": FAIR, "classical": POOR, "mixup": GOOD})
    found = conclude(statistics, Question("gan", "classical", others=("mixup",)))
    assert found.word == "no relevant gain"
    assert found.sentence == "“gan” brings no relevant gain: “mixup” is better."
    assert conclude(statistics, Question("gan", "classical")).word == "helps"


def test_a_matched_control_always_counts():
    statistics = study({"gan": FAIR, "classical": POOR, "shuffled": FAIR})
    found = conclude(statistics, Question("gan", "classical", matched=("shuffled",)))
    assert found.word != "helps"


def test_order_of_controls_never_matters():
    statistics = study({"gan": FAIR, "classical": FAIR, "mixup": POOR, "longer": POOR})
    there = conclude(statistics, Question("gan", "classical", planned=("mixup", "longer")))
    back = conclude(statistics, Question("gan", "classical", planned=("longer", "mixup")))
    assert there.sentence == back.sentence
    assert there.gains == back.gains


def test_a_control_in_several_lists_counts_once():
    question = Question("gan", "a", matched=("b",), planned=("a", "b", "c"), others=("c", "d"))
    assert question.parts == {
        "a": Part.BASELINE,
        "b": Part.MATCHED,
        "c": Part.PLANNED,
        "d": Part.OTHER,
    }


def test_two_seeds_are_underpowered_and_have_nothing_to_show():
    found = conclude(study({"gan": GOOD, "classical": POOR}, seeds=2), Question("gan", "classical"))
    assert found.word == "underpowered"
    assert found.minimum_detectable_effect is None
    assert "no interval" in found.sentence
    assert "3 seeds" in found.next_step


def test_at_the_ceiling_it_is_underpowered():
    statistics = study({"gan": 30.0, "classical": 30.0})
    found = conclude(statistics, Question("gan", "classical"))
    assert found.word == "underpowered"
    assert "no room" in found.sentence


def test_a_later_look_spends_less_and_says_so():
    statistics = study({"gan": GOOD, "classical": FAIR})
    first, third = (conclude(statistics, Question("gan", "classical"), look=n) for n in (1, 3))
    assert first.tail > third.tail
    assert first.confidence < third.confidence
    assert third.sentence.startswith("Changed after results were seen (look 3)")
    assert third.minimum_detectable_effect > first.minimum_detectable_effect


def test_training_sets_that_never_change_are_said():
    statistics = study({"gan": GOOD, "classical": FAIR})
    statistics.overlap = TrainingOverlap(0.1, ("1",), 40)
    found = conclude(statistics, Question("gan", "classical"))
    assert found.sentence.startswith("Trained on samples of these 40 patients")


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_sentence(metric):
    statistics = study({"gan": FAIR, "classical": FAIR}, patients=60)
    found = conclude(
        statistics, Question("gan", "classical", metric=metric), titles={"gan": "The GAN"}
    )
    assert "“The GAN”" in found.sentence
    assert found.next_step


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"arm": "classical", "baseline": "classical"}, "own controls"),
        ({"arm": "gan", "baseline": "classical", "others": ("gan",)}, "own controls"),
        ({"arm": "gan", "baseline": "classical", "metric": "luck"}, "metric"),
    ],
)
def test_refuses_a_question_without_sense(arguments, text):
    with pytest.raises(DataError, match=text):
        Question(**arguments)
