"""The word and the sentence."""

import pytest

from monai_gan_aug.records.results import Difference
from monai_gan_aug.statistics.verdict import decide, verdict


def gain(lower, upper, detectable=0.01):
    return Difference((lower + upper) / 2, lower, upper, (lower, upper), detectable)


class Statistics:
    """Stands in for the intervals of a study: a table of gains by pair."""

    seeds, images, patients, confidence = (0, 1, 2), 400, 120, 0.9

    def __init__(self, **gains):
        self.gains = gains

    def difference(self, arm, control, metric):
        if arm == "gan":
            return self.gains[control]
        opposite = self.gains[arm]
        return gain(-opposite.upper, -opposite.lower, opposite.minimum_detectable_effect)


@pytest.mark.parametrize(
    ("gains", "word"),
    [
        ([gain(0.01, 0.03), gain(0.001, 0.02)], "helps"),
        ([gain(0.01, 0.03), gain(-0.001, 0.02)], "no evidence"),
        ([gain(0.01, 0.03), gain(-0.001, 0.02, 0.05)], "underpowered"),
        ([gain(-0.03, -0.01), gain(-0.04, 0.02, 0.05)], "harms"),
        ([gain(-0.01, 0.01), gain(-0.03, -0.01)], "no evidence"),
        ([gain(0.0, 0.03)], "no evidence"),
        ([gain(-0.03, 0.0)], "no evidence"),
    ],
)
def test_rule(gains, word):
    assert decide(gains, relevant_effect=0.02) == word


def test_a_gain_over_the_baseline_alone_is_not_help():
    assert decide([gain(0.02, 0.04), gain(-0.01, 0.01)], 0.02) != "helps"


@pytest.mark.parametrize("arguments", [([], 0.02), ([gain(0, 1)], 0.0)])
def test_refuses_an_empty_question(arguments):
    with pytest.raises(ValueError, match=r"relevant_effect|differences"):
        decide(*arguments)


CASES = {
    "helps": (gain(0.01, 0.03), gain(0.001, 0.02)),
    "harms": (gain(-0.03, -0.01), gain(-0.04, 0.02)),
    "no evidence": (gain(-0.01, 0.01), gain(-0.01, 0.01)),
    "underpowered": (gain(-0.06, 0.05, 0.07), gain(-0.06, 0.05, 0.08)),
}


@pytest.mark.parametrize("word", CASES)
def test_sentence_carries_the_numbers(word):
    first, second = CASES[word]
    found = verdict(Statistics(classical=first, classical_twice=second), "gan")
    assert found.word == word
    value, lower, upper = (
        f"{number:+.3f}".replace("-", "\N{MINUS SIGN}")
        for number in (first.mean, first.lower, first.upper)
    )
    assert value in found.sentence
    assert f"{lower} to {upper}" in found.sentence
    assert "400 test images of 120 patients, 3 repetitions" in found.sentence
    assert found.minimum_detectable_effect == max(
        first.minimum_detectable_effect, second.minimum_detectable_effect
    )


def test_controls_it_beats_are_told_from_those_it_does_not():
    better, level = gain(0.01, 0.03), gain(-0.004, 0.008)
    found = verdict(Statistics(a=better, b=better, c=better, d=level), "gan", list("abcd"))
    assert found.word == "no evidence"
    beaten, rest = found.sentence.split(", but changed it by ")
    assert "“gan” improved the AUC by +0.020" in beaten
    assert [name in beaten for name in ("“a”,", "“b” and", "“c”", "“d”")] == [True] * 3 + [False]
    assert rest.startswith("+0.002 (95 % interval \N{MINUS SIGN}0.004 to +0.008) against “d”")


def test_a_study_that_could_see_nothing_says_so():
    found = verdict(Statistics(classical=gain(-1, 1, 2.4)), "gan", ("classical",))
    assert "no true difference, however large" in found.sentence
    assert "2.4" not in found.sentence


def test_titles_replace_names():
    found = verdict(
        Statistics(classical=gain(0.1, 0.2)), "gan", ["classical"], titles={"gan": "GAN"}
    )
    assert "“GAN”" in found.sentence
    assert "“classical”" in found.sentence


def test_for_the_brier_score_lower_is_better():
    worse = Statistics(classical=gain(0.01, 0.03))
    assert verdict(worse, "gan", ["classical"], metric="brier").word == "harms"
    better = Statistics(classical=gain(-0.03, -0.01))
    assert verdict(better, "gan", ["classical"], metric="brier").word == "helps"


def test_says_what_it_rests_on():
    conclusion = verdict(Statistics(classical=gain(0.1, 0.2, 0.05)), "gan", ["classical"])
    assert (conclusion.arm, conclusion.controls) == ("gan", ("classical",))
    assert conclusion.confidence == 0.9
    assert conclusion.minimum_detectable_effect == 0.05
