"""The question of a study: controls by role, whatever the list says and in whatever order."""

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies.arms import ARMS, arm
from monai_gan_aug.studies.comparisons import PlannedComparison

RUN = (
    "real",
    "classical",
    "classical_twice",
    "mixup",
    "label_shuffled",
    "filtered_at_random",
    "real_plus_synthetic",
    "oracle_2",
)


def question(arms=RUN, **planned):
    return PlannedComparison(**planned).question([arm(name) for name in arms])


def test_every_trained_control_has_a_part():
    found = question()
    assert found.baseline == "classical"
    assert found.matched == ("label_shuffled",)
    assert {name: part.value for name, part in found.parts.items()} == {
        "classical": "baseline",
        "label_shuffled": "matched",
        "classical_twice": "planned",
        "mixup": "other",
    }


@pytest.mark.parametrize(
    "controls", [("classical_twice", "classical"), ("classical_twice",), ("classical",)]
)
def test_the_baseline_is_a_role_and_no_place_in_a_list(controls):
    assert next(iter(question(controls=controls).parts)) == "classical"


def test_a_matched_control_counts_when_it_is_trained_and_only_then():
    arms = ("classical", "filtered", "filtered_at_random")
    asked = {"arm": "filtered", "controls": ("classical",)}
    assert question(arms, **asked).matched == ("filtered_at_random",)
    assert question(arms[:2], **asked).matched == ()


@pytest.mark.parametrize("name", [row.name for row in ARMS.values() if row.role == "candidate"])
def test_every_matched_control_is_a_control(name):
    matched = arm(name).matched_control
    assert not matched or arm(matched).role == "control"


@pytest.mark.parametrize("name", ["mixup", "real", "oracle_2"])
def test_arms_without_a_gan_are_not_asked_about(name):
    with pytest.raises(DataError, match="uses no GAN"):
        question(arm=name)


@pytest.mark.parametrize("name", ["real", "oracle_2"])
def test_references_are_no_controls(name):
    with pytest.raises(DataError, match="no controls by their role"):
        question(controls=("classical", name))


def test_an_arm_that_is_not_run_is_named():
    with pytest.raises(DataError, match="not run: \\['classical'\\]"):
        question(("classical_twice", "real_plus_synthetic"), controls=("classical_twice",))


def test_a_relevant_effect_must_be_positive():
    with pytest.raises(DataError, match="relevant_effect"):
        question(relevant_effect=0)
