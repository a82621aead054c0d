"""Averages of arms and choices among them, against numbers worked out by hand."""

import numpy as np
import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.curves import ClassifierCurves
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.statistics.derived_arms import (
    ArmOutcome,
    average_of_arms,
    best_by_validation,
)

LABELS = np.array([0, 1, 0, 1, 1, 0])
LIGHT = [0.1, 0.6, 0.7, 0.2, 0.9, 0.3]
STRONG = [0.4, 0.9, 0.1, 0.8, 0.3, 0.5]


def outcome(name, positive, *, seed=0, labels=LABELS, steps=4, area=0.5):
    """An arm that gave these probabilities of disease, and its last AUC on validation images."""
    rows = np.stack([1 - np.asarray(positive), positive], axis=1)
    ids = tuple(f"image {number}" for number in range(len(rows)))
    predictions = Predictions(name, seed, ("a", "b"), "test", "5f", ids, ids, labels, rows)
    curves = ClassifierCurves(step=(2, 4), loss=(1.0, 0.5), validation_auc=(0.99, area))
    return ArmOutcome(predictions, steps, curves)


def test_probabilities_are_averaged_image_by_image():
    average = average_of_arms("both", [outcome("light", LIGHT), outcome("strong", STRONG)])
    predictions = average.predictions
    assert (predictions.arm, predictions.seed) == ("both", 0)
    assert predictions.probabilities[:, 1] == pytest.approx([0.25, 0.75, 0.4, 0.5, 0.6, 0.4])
    assert predictions.ids == tuple(f"image {number}" for number in range(6))


def test_an_average_costs_what_its_members_cost_and_has_no_curve():
    members = [outcome("light", LIGHT, steps=4), outcome("strong", STRONG, steps=6)]
    average = average_of_arms("both", members)
    assert (average.steps, average.curves) == (10, None)


def test_the_average_of_an_arm_with_itself_is_that_arm():
    light = outcome("light", LIGHT)
    average = average_of_arms("both", [light, light])
    assert np.array_equal(average.predictions.probabilities, light.predictions.probabilities)


@pytest.mark.parametrize(
    ("change", "what"), [({"seed": 1}, "seeds"), ({"labels": 1 - LABELS}, "images")]
)
def test_arms_that_do_not_belong_together_are_refused(change, what):
    with pytest.raises(DataError, match=what):
        average_of_arms("both", [outcome("light", LIGHT), outcome("strong", STRONG, **change)])


def test_the_final_validation_auc_decides():
    choices = [outcome("light", LIGHT, area=0.7), outcome("strong", STRONG, area=0.8, steps=9)]
    best = best_by_validation("tuned", choices)
    assert best.predictions.arm == "tuned"
    assert best.predictions.probabilities[:, 1] == pytest.approx(STRONG)
    assert (best.steps, best.curves) == (9, choices[1].curves)


def test_the_first_wins_a_tie():
    choices = [outcome("light", LIGHT, area=0.7), outcome("strong", STRONG, area=0.7)]
    best = best_by_validation("tuned", choices)
    assert best.predictions.probabilities[:, 1] == pytest.approx(LIGHT)


def test_elsewhere_the_arm_that_was_chosen_at_home_is_asked():
    choices = [outcome("light", LIGHT, area=0.7), outcome("strong", STRONG, area=0.8)]
    elsewhere = [outcome("light", [0.3] * 6, area=0.9), outcome("strong", [0.6] * 6, area=0.1)]
    best = best_by_validation("tuned", choices, elsewhere)
    assert best.predictions.probabilities[:, 1] == pytest.approx([0.6] * 6)


def test_every_choice_has_its_results():
    choices = [outcome("light", LIGHT), outcome("strong", STRONG)]
    with pytest.raises(ValueError, match="one result per choice"):
        best_by_validation("tuned", choices, choices[:1])


def test_without_validation_there_is_nothing_to_choose_by():
    choices = [outcome("light", LIGHT, area=None), outcome("strong", STRONG)]
    with pytest.raises(DataError, match="light has no AUC"):
        best_by_validation("tuned", choices)


@pytest.mark.parametrize("derive", [average_of_arms, best_by_validation])
def test_an_arm_alone_is_neither_an_average_nor_a_choice(derive):
    with pytest.raises(ValueError, match="two or more"):
        derive("both", [outcome("light", LIGHT)])
