"""The folder of one classifier training: its lock, its learning curve and its final weights."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Events
from monai.engines.evaluator import Evaluator
from monai.engines.trainer import Trainer
from monai.utils.enums import CommonKeys
from torch import Tensor, nn

from monai_gan_aug import __version__
from monai_gan_aug.engines.checkpoint import TrainingSet, save_checkpoint
from monai_gan_aug.engines.results import RESULTS, PredictionCollector
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import remove_leftovers
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.metrics.weighted import weighted_metric
from monai_gan_aug.networks.definitions import definition_of
from monai_gan_aug.records.curves import ClassifierCurves

__all__ = ["ClassifierFolder", "LearningCurve", "RunDescription"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunDescription:
    """What sets one training apart from its neighbours in a study.

    Args:
        arm: What the classifier was trained on.
        seed: Seed of split, weights, batches and augmentation.
        steps: Optimiser steps.
        settings: Other knobs worth recording beside the result.
    """

    arm: str
    seed: int
    steps: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain content for a checkpoint."""
        return asdict(self)


class ClassifierFolder:
    """Lock the output folder of a training, and save the weights when it has ended.

    A training takes minutes and is not resumed: an interrupted one starts again.

    Args:
        folder: Output folder; weights go to ``checkpoints`` inside.
        network: The network that is trained.
        dataset: Its real training images; their record goes into the checkpoint.
        description: What was trained.
        overwrite: Replace the results of an earlier run; otherwise they are refused.
        positive: The class that counts as disease when there are two; whoever judges the
            classifier later takes it from the checkpoint.
    """

    def __init__(
        self,
        folder: str | Path,
        network: nn.Module,
        dataset: TrainingSet,
        description: RunDescription,
        overwrite: bool = False,
        positive: int = 1,
    ) -> None:
        self.folder = Path(folder)
        self.network = network
        self.dataset = dataset
        self.description = description
        self.overwrite = overwrite
        self.positive = positive
        self.lock = FolderLock(self.folder)

    def attach(self, trainer: Trainer) -> None:
        """Lock at the start, save at the end, unlock also after an error."""
        trainer.add_event_handler(Events.STARTED, self._begin)
        trainer.add_event_handler(Events.COMPLETED, self._end)
        trainer.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _begin(self, trainer: Trainer) -> None:
        self.lock.acquire()
        old = [self.folder / name for name in RESULTS if (self.folder / name).exists()]
        if old and not self.overwrite:
            raise DataError(
                f"`output_dir` {self.folder.name} holds {old[0].name} of an earlier run: choose "
                "another folder, or replace it with --overwrite True."
            )
        for path in old:
            path.unlink()
        remove_leftovers(self.folder)

    def _end(self, trainer: Trainer) -> None:
        definition = definition_of(self.network)
        content = {
            "package": __version__,
            "network": self.network.state_dict(),
            "definitions": {} if definition is None else {"classifier": definition},
            "knobs": {"positive": self.positive},
            "training": self.dataset.training_record().to_dict(),
            "description": self.description.to_dict(),
        }
        save_checkpoint(self.folder / "checkpoints", "classifier.pt", content, keep=1)
        self.lock.release()

    def _fail(self, trainer: Trainer, error: BaseException) -> None:
        self.lock.release()
        raise error  # Ignite swallows what a handler of this event does not raise again


class LearningCurve:
    """Mean loss, and AUC on the validation split, over stretches of steps, in ``curves.json``.

    The curve shows whether training has reached a plateau; nothing is chosen by it.

    Args:
        path: The JSON file, written at the end.
        every: Steps per record.
        validator: Evaluator of the validation split, if there is one.

    Raises:
        ValueError: If ``every`` is less than 1.
    """

    def __init__(
        self, path: str | Path, every: int = 50, validator: Evaluator | None = None
    ) -> None:
        if every < 1:
            raise ValueError(f"`every` must be at least 1, got {every}.")
        self.path = Path(path)
        self.every = every
        self.validator = validator
        self.collector = PredictionCollector()
        if validator is not None:
            self.collector.attach(validator)
        self.curves: dict[str, list[Any]] = {"step": [], "loss": [], "validation_auc": []}
        self._losses: list[Tensor] = []

    def attach(self, trainer: Trainer) -> None:
        """Record after every stretch and after the last step."""
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        trainer.add_event_handler(Events.COMPLETED, self._write)

    def _add(self, trainer: Trainer) -> None:
        self._losses.append(trainer.state.output[CommonKeys.LOSS].detach())
        if len(self._losses) == self.every:
            self._record(trainer)

    def _record(self, trainer: Trainer) -> None:
        loss = torch.stack(self._losses).mean().item()
        self._losses = []
        area = self._validation_auc()
        total = trainer.state.max_epochs * trainer.state.epoch_length
        shown = "" if area is None else f", validation AUC {area:.3f}"
        logger.info("Step %d of %d: loss %.3f%s", trainer.state.iteration, total, loss, shown)
        for name, value in zip(self.curves, (trainer.state.iteration, loss, area), strict=True):
            self.curves[name].append(value)

    def _validation_auc(self) -> float | None:
        if self.validator is None:
            return None
        self.validator.run()
        labels, probabilities = self.collector.result()
        once = np.ones((1, len(labels)))
        area = float(weighted_metric("auc", labels, probabilities, once)[0])
        return area if np.isfinite(area) else None

    def _write(self, trainer: Trainer) -> None:
        if self._losses:
            self._record(trainer)
        ClassifierCurves(**{name: tuple(part) for name, part in self.curves.items()}).save(
            self.path
        )
