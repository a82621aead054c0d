"""Everything in ``study.json`` that is drawn as a line, as frozen dataclasses."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Calibration",
    "ClassifierCurve",
    "Curves",
    "GanCurve",
    "GuardEvent",
    "PrecisionRecall",
    "Roc",
    "Series",
]

Series = tuple[float | None, ...]


@dataclass(frozen=True)
class Roc:
    """One curve, false and true positive rates in ``[0, 1]``."""

    fpr: tuple[float, ...]
    tpr: tuple[float, ...]


@dataclass(frozen=True)
class PrecisionRecall:
    """One curve, recalls and precisions in ``[0, 1]``."""

    recall: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """Bins of the predicted probability: its mean, how often it came true, and how many."""

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int, ...]


@dataclass(frozen=True)
class GuardEvent:
    """An alarm of a guard during GAN training, or a return to an earlier step."""

    kind: Literal["one_sided", "collapsed", "gradient_exploded", "not_finite", "rolled_back"]
    step: int
    back_to: int | None = None


@dataclass(frozen=True)
class GanCurve:
    """Training record of one GAN; a value that was not finite is ``None``.

    Args:
        seed: The repeat.
        name: Its class, or "all classes".
        step: Optimiser steps of the records.
        g_loss: Loss of the generator.
        d_loss: Loss of the discriminator.
        d_real: Mean probability of "real" of real images.
        d_fake: Mean probability of "real" of generated ones.
        events: Alarms of the guards; none if nobody knows whether there was one.
    """

    seed: int
    name: str
    step: tuple[float, ...]
    g_loss: Series
    d_loss: Series
    d_real: Series
    d_fake: Series
    events: tuple[GuardEvent, ...] | None = None


@dataclass(frozen=True)
class ClassifierCurve:
    """Training loss of one classifier."""

    seed: int
    arm: str
    step: tuple[float, ...]
    loss: Series


@dataclass(frozen=True)
class Curves:
    """Everything drawn as a line."""

    roc: dict[str, Roc] = field(default_factory=dict)
    precision_recall: dict[str, PrecisionRecall] = field(default_factory=dict)
    calibration: dict[str, Calibration] = field(default_factory=dict)
    gan: tuple[GanCurve, ...] = ()
    classifier: tuple[ClassifierCurve, ...] = ()
