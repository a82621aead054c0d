"""How training went: ``curves.json`` of GANs and classifiers, and ``alarms.json`` of the guards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.files import FileRecord

__all__ = ["AlarmKind", "Alarms", "ClassifierCurves", "GanCurves", "GuardEvent", "Series"]

Series = tuple[float | None, ...]
"""One value per record of a run; nothing where it was not finite or not measured."""

AlarmKind = Literal["one_sided", "collapsed", "gradient_exploded", "not_finite", "rolled_back"]


@dataclass(frozen=True)
class GuardEvent:
    """An alarm of a guard during GAN training, or a return to an earlier step.

    Args:
        kind: What happened.
        step: Optimiser step.
        back_to: The step that training went back to, if it did.
    """

    kind: AlarmKind
    step: int
    back_to: int | None = None


@dataclass(frozen=True)
class Alarms(FileRecord):
    """``alarms.json``: what the guards of one GAN said; an empty list means that none spoke."""

    KIND = "a list of alarms"
    REMEDY = "train again"

    alarms: tuple[GuardEvent, ...] = ()

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Without a number the file was the list alone."""
        return {"alarms": content}


@dataclass(frozen=True)
class GanCurves(FileRecord):
    """``curves.json`` of a GAN: means over stretches of steps.

    Args:
        step: Optimiser steps of the records.
        g_loss: Loss of the generator.
        d_loss: Loss of the discriminator.
        d_real: Mean probability of "real" of real images.
        d_fake: Mean probability of "real" of generated ones.
        penalties: Terms that entered a loss, and the probability of adaptive augmentation.

    Raises:
        DataError: If they differ in length.
    """

    KIND = "the curves of a GAN"
    REMEDY = "train again"

    step: tuple[int, ...]
    g_loss: Series
    d_loss: Series
    d_real: Series
    d_fake: Series
    penalties: Mapping[str, Series] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = (self.g_loss, self.d_loss, self.d_real, self.d_fake)
        if {len(series) for series in (*named, *self.penalties.values())} != {len(self.step)}:
            raise DataError("the curves of a GAN differ in length: train again.")

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Without a number, penalties stood beside the losses."""
        if not isinstance(content, dict):
            return None
        named = ("step", "g_loss", "d_loss", "d_real", "d_fake")
        kept = {name: content[name] for name in named if name in content}
        return {**kept, "penalties": {k: v for k, v in content.items() if k not in named}}


@dataclass(frozen=True)
class ClassifierCurves(FileRecord):
    """``curves.json`` of a classifier: means over stretches of steps.

    Args:
        step: Optimiser steps of the records.
        loss: Training loss.
        validation_auc: AUC on the validation split; nothing without one.

    Raises:
        DataError: If they differ in length.
    """

    KIND = "the curves of a classifier"
    REMEDY = "train again"
    READS_UNNUMBERED = True

    step: tuple[int, ...]
    loss: Series
    validation_auc: Series

    def __post_init__(self) -> None:
        if not len(self.step) == len(self.loss) == len(self.validation_auc):
            raise DataError("the curves of a classifier differ in length: train again.")
