"""The sentence and the next step: short, true to the word, for every arm and metric there is."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.metrics.weighted import METRICS
from monai_gan_aug.records.results import Needed
from monai_gan_aug.statistics.advice import Advice
from monai_gan_aug.statistics.decision import Decision, Gain, Part, VerdictWord
from monai_gan_aug.statistics.intervals import MeanOverSeeds
from monai_gan_aug.statistics.words import MOST_WORDS, next_step, sentence
from monai_gan_aug.studies.arms import ARMS

quick = settings(deadline=None, max_examples=60)

LONGEST = max((arm.title for arm in ARMS.values()), key=lambda title: len(title.split()))


def gain(title="Real + classical", part=Part.BASELINE, seeds=5):
    return Gain(title, title, part, MeanOverSeeds((0.01,) * seeds))


MIXUP = gain("Real + MixUp", Part.OTHER)
BASELINE = gain()
MATCHED = gain("Labels shuffled", Part.MATCHED)
DECISIONS = {
    "helps": Decision(VerdictWord.HELPS),
    "helps, less than relevant": Decision(VerdictWord.HELPS, smaller="surely"),
    "helps, perhaps less": Decision(VerdictWord.HELPS, smaller="perhaps"),
    "harms": Decision(VerdictWord.HARMS),
    "harms, another better": Decision(VerdictWord.HARMS, (MIXUP,)),
    "no gain, another better": Decision(VerdictWord.NO_RELEVANT_GAIN, (MIXUP,)),
    "no gain": Decision(VerdictWord.NO_RELEVANT_GAIN, excluded=MATCHED),
    "underpowered": Decision(VerdictWord.UNDERPOWERED),
    "no room": Decision(VerdictWord.UNDERPOWERED, no_room=BASELINE),
}


def words(decision, **more):
    return sentence(decision, [MIXUP, BASELINE, MATCHED], "Real + synthetic", "auc", **more)


@pytest.mark.parametrize("name", DECISIONS)
def test_sentence_carries_the_word_and_the_arm(name):
    text = words(DECISIONS[name])
    word = DECISIONS[name].word.value
    assert word in text
    others = {other.value for other in VerdictWord} - {word}
    assert not any(re.search(rf"\b{other}\b", text) for other in others - {"helps"})
    assert "“Real + synthetic”" in text
    assert text.endswith(".")
    assert text.count(".") == 1


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("more", [{}, {"look": 12}, {"fixed_patients": 1200}])
def test_sentence_has_at_most_thirty_words(name, metric, more):
    both = {**more, "fixed_patients": 99} if more else more
    for extra in (more, both):
        text = sentence(DECISIONS[name], [BASELINE, MIXUP], LONGEST, metric, **extra)
        assert len(text.split()) <= MOST_WORDS
        assert text[0].isupper() or text[0] in "“2"


@quick
@given(st.text(min_size=1, max_size=300), st.sampled_from(sorted(DECISIONS)))
def test_no_title_is_too_long(title, name):
    assert len(words(DECISIONS[name]).split()) <= MOST_WORDS
    text = sentence(DECISIONS[name], [gain(title)], title, "auc", look=3, fixed_patients=5)
    assert len(text.split()) <= MOST_WORDS


def test_a_better_control_is_named():
    assert "“Real + MixUp” is better" in words(DECISIONS["no gain, another better"])
    assert "“Real + MixUp”" in words(DECISIONS["harms, another better"])


def test_harms_is_said_against_the_baseline():
    assert "worse AUC than “Real + classical”" in words(DECISIONS["harms"])


def test_less_than_the_relevant_effect_is_said():
    assert "less than would matter" in words(DECISIONS["helps, less than relevant"])
    assert "perhaps too little to matter" in words(DECISIONS["helps, perhaps less"])
    assert "matter" not in words(DECISIONS["helps"])


def test_a_later_look_says_so_first():
    text = words(DECISIONS["helps"], look=3)
    assert text.startswith("Changed after results were seen (look 3): “Real + synthetic” helps")


def test_training_patients_that_never_change_are_said():
    text = words(DECISIONS["helps"], fixed_patients=80)
    assert text.startswith("Trained on samples of these 80 patients, “Real + synthetic” helps")


def test_two_seeds_say_that_there_is_no_interval():
    text = sentence(DECISIONS["underpowered"], [gain(seeds=2)], "GAN", "auc")
    assert text.startswith("2 repetitions allow no interval")


def test_better_and_worse_hold_for_metrics_where_lower_is_better():
    text = sentence(DECISIONS["helps"], [BASELINE], "GAN", "brier")
    assert text == "“GAN” helps: better Brier score than “Real + classical”."


SEEDS, PATIENTS = Needed(8, 12, 40), Needed(2, 3, None)


@pytest.mark.parametrize(
    ("advice", "text"),
    [
        (Advice(SEEDS, PATIENTS), "12 (8 to 40) seeds in all"),
        (Advice(Needed(5, 5, 5), PATIENTS), "10 seeds in all"),
        (Advice(None, PATIENTS), "300 (200 or more) test patients"),
        (Advice(None, None, Needed(2, 3, 9)), "3 (2 to 9) times as many patients and 30 seeds"),
        (Advice(None, None), "nothing within reach"),
    ],
)
def test_underpowered_says_what_to_add(advice, text):
    found = next_step(DECISIONS["underpowered"], advice, 5, 100)
    assert text in found
    assert len(found.split()) <= MOST_WORDS


@pytest.mark.parametrize("name", DECISIONS)
@pytest.mark.parametrize("seeds", [2, 5])
def test_every_word_has_a_next_step(name, seeds):
    found = next_step(DECISIONS[name], Advice(SEEDS, PATIENTS), seeds, 10_000)
    assert found.startswith("Next: ")
    assert len(found.split()) <= MOST_WORDS
