"""Arms that are not trained: the average of others, or the best of them on validation images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.curves import ClassifierCurves
from monai_gan_aug.records.predictions import Predictions

__all__ = ["ArmOutcome", "average_of_arms", "best_by_validation"]


@dataclass(frozen=True)
class ArmOutcome:
    """What an arm of one seed says about one test set, and what that took.

    Args:
        predictions: What it says.
        steps: Optimiser steps of its training, or of those of its members together.
        curves: Its learning curve; none of an average, and none beside predictions for an external
            set.
    """

    predictions: Predictions
    steps: int
    curves: ClassifierCurves | None = None

    @property
    def validation_auc(self) -> float:
        """AUC on the validation split with the final weights, the last of the learning curve.

        Raises:
            DataError: If it was trained without a validation split.
        """
        area = None if self.curves is None else self.curves.validation_auc[-1]
        if area is None:
            raise DataError(
                f"{self.predictions.arm} has no AUC on a validation split to choose by: leave out "
                "--no_validation, or the arm that chooses."
            )
        return float(area)


def average_of_arms(name: str, members: Sequence[ArmOutcome]) -> ArmOutcome:
    """The mean of the class probabilities of several arms of one seed, image by image.

    Classifiers that err differently often do better together. Every member counts the same. The
    average costs as much as its members together, so a fair control is an average as well.

    Args:
        name: Name of the new arm.
        members: Two or more arms that were asked about the same images.

    Raises:
        ValueError: If there are fewer than two members.
        DataError: If they were asked about different images or belong to different seeds.
    """
    _require_two(name, members)
    first, *others = (member.predictions for member in members)
    for other in others:
        _require_same(first, other)
    mean = np.mean([member.predictions.probabilities for member in members], axis=0)
    return ArmOutcome(
        predictions=replace(first, arm=name, probabilities=mean),
        steps=sum(member.steps for member in members),
    )


def best_by_validation(
    name: str, choices: Sequence[ArmOutcome], elsewhere: Sequence[ArmOutcome] | None = None
) -> ArmOutcome:
    """Of several arms the one with the highest AUC on the validation split: what a user would do.

    Test images have no part in the choice. The first wins a tie.

    Args:
        name: Name of the new arm.
        choices: Two or more arms with their learning curves.
        elsewhere: What the same arms, in the same order, say about another test set: then that of
            the arm that was chosen is the result.

    Raises:
        ValueError: If there are fewer than two choices, or not as many results.
        DataError: If an arm was trained without a validation split.
    """
    _require_two(name, choices)
    results = choices if elsewhere is None else elsewhere
    if len(results) != len(choices):
        raise ValueError(
            f"`elsewhere` must hold one result per choice, got {len(results)} for {len(choices)}."
        )
    areas = [choice.validation_auc for choice in choices]
    best = results[areas.index(max(areas))]
    return replace(best, predictions=replace(best.predictions, arm=name))


def _require_two(name: str, arms: Sequence[ArmOutcome]) -> None:
    if len(arms) < 2:
        raise ValueError(f"{name} must be made of two or more arms, got {len(arms)}.")


def _require_same(first: Predictions, other: Predictions) -> None:
    what = {
        "seeds": first.seed == other.seed,
        "classes": first.class_names == other.class_names,
        "images": first.same_test_set(other),
    }
    differing = [name for name, same in what.items() if not same]
    if differing:
        raise DataError(
            f"{first.arm} and {other.arm} cannot be averaged, their {', '.join(differing)} differ: "
            "give arms of one seed that were judged on the same datalist."
        )
