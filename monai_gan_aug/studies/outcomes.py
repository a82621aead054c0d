"""What every arm of a study says: read if it was trained, derived from others if it was not."""

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.curves import ClassifierCurves
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.metrics import ClassifierResult
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.statistics.derived_arms import (
    ArmOutcome,
    average_of_arms,
    best_by_validation,
)
from monai_gan_aug.studies.arms import Arm
from monai_gan_aug.studies.arms import arm as arm_called
from monai_gan_aug.studies.layout import ArmLayout, SeedLayout

__all__ = ["arm_outcome", "require_split"]


def arm_outcome(seed: SeedLayout, arm: Arm, external: str | None = None) -> ArmOutcome:
    """What ``arm`` says about the test split of a seed, or about an external test set.

    The predictions of an arm that is derived are written where those of a trained one lie, for
    whoever wants to look at single images.

    Args:
        seed: Where the seed lies.
        arm: The arm; those that it is averaged or chosen from must have been trained.
        external: Name of an external test set.

    Raises:
        DataError: If predictions are missing or do not belong together, or there is no validation
            split to choose by.
    """
    place = seed.arm(arm.name, external)
    if arm.trained:
        return _read(place)
    members = [arm_outcome(seed, arm_called(name), external) for name in arm.members]
    if arm.averaged_from:
        derived = average_of_arms(arm.name, members)
    else:
        # chosen by the study's own validation split, whatever test set is asked about
        choices = [arm_outcome(seed, arm_called(name)) for name in arm.members]
        derived = best_by_validation(arm.name, choices, members)
    derived.predictions.save(place.predictions)
    # Files hold eight digits: what is read back is what whoever repeats a number will find.
    return ArmOutcome(Predictions.load(place.predictions), derived.steps, derived.curves)


def _read(place: ArmLayout) -> ArmOutcome:
    return ArmOutcome(
        predictions=Predictions.load(place.predictions),
        steps=ClassifierResult.load(place.metrics).steps,
        curves=ClassifierCurves.load(place.curves) if place.curves.is_file() else None,
    )


def require_split(predictions: Predictions, datalist: Datalist) -> None:
    """Refuse predictions that do not belong to the test part of ``datalist``.

    Raises:
        DataError: If they are for another part, or were made with another list: somebody put them
            there, or changed the list.
    """
    if predictions.split != "test" or predictions.split_sha256 != datalist.sha256:
        raise DataError(
            f"The predictions of {predictions.arm}, seed {predictions.seed}, are for the "
            f"{predictions.split} part of split {predictions.split_sha256[:12]}, not for the test "
            f"part of {datalist.sha256[:12]}: delete the folder of the arm and run the study again."
        )
