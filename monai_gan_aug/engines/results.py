"""What a classifier said about an evaluation split, as files."""

import logging
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from ignite.engine import Events
from monai.engines.evaluator import Evaluator
from monai.utils.enums import CommonKeys
from numpy.typing import NDArray
from torch import Tensor

from monai_gan_aug import __version__
from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.classification import classification_metrics
from monai_gan_aug.records.metrics import ClassifierProvenance, ClassifierResult
from monai_gan_aug.records.predictions import Predictions

__all__ = ["RESULTS", "PredictionCollector", "ResultsWriter"]

RESULTS = ("predictions.json", "metrics.json", "curves.json")

logger = logging.getLogger(__name__)


class JudgedSet(Protocol):
    """The split a classifier is judged on, in the order of its batches."""

    ids: Sequence[str]
    groups: Sequence[str]
    label_names: Sequence[str]
    split: str
    datalist: Any


class Description(Protocol):
    """What was trained; see :class:`monai_gan_aug.engines.classifier_run.RunDescription`."""

    arm: str
    seed: int
    steps: int
    settings: Any


class PredictionCollector:
    """Gather class probabilities and labels of every batch of an evaluator."""

    def __init__(self) -> None:
        self._labels: list[Tensor] = []
        self._probabilities: list[Tensor] = []

    def attach(self, engine: Evaluator) -> None:
        """Start afresh with every run."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._reset)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)

    def _reset(self, engine: Evaluator) -> None:
        self._labels, self._probabilities = [], []

    def _add(self, engine: Evaluator) -> None:
        output = engine.state.output
        self._probabilities.append(output[CommonKeys.PRED].double().softmax(dim=1))
        if output[CommonKeys.LABEL] is not None:
            self._labels.append(output[CommonKeys.LABEL])

    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Labels ``(N,)`` (empty if there are none) and probabilities ``(N, K)``."""
        labels = torch.cat(self._labels).cpu().numpy() if self._labels else np.empty(0, np.int64)
        return labels, torch.cat(self._probabilities).cpu().numpy()


class ResultsWriter:
    """Write ``predictions.json`` and ``metrics.json`` when a split has been judged.

    Args:
        folder: Where to write.
        dataset: The split that is judged.
        description: What was trained.
        synthetic: Synthetic data sets the training mixed in; their hashes are recorded.
        positive: The class that counts as disease when there are two.
    """

    def __init__(
        self,
        folder: str | Path,
        dataset: JudgedSet,
        description: Description,
        synthetic: Any = None,
        positive: int = 1,
    ) -> None:
        self.folder = Path(folder)
        self.dataset = dataset
        self.description = description
        self.synthetic: Iterable[Any] = getattr(synthetic, "lists", ())
        self.positive = positive
        self.collector = PredictionCollector()

    def attach(self, evaluator: Evaluator) -> None:
        """Collect every batch, write at the end."""
        self.collector.attach(evaluator)
        evaluator.add_event_handler(Events.COMPLETED, self._write)

    def _write(self, evaluator: Evaluator) -> None:
        labels, probabilities = self.collector.result()
        once = self._first_of_each(labels)
        labels, probabilities = labels[once], probabilities[once]
        predictions = Predictions(
            arm=self.description.arm,
            seed=self.description.seed,
            class_names=tuple(self.dataset.label_names),
            split=self.dataset.split,
            split_sha256=self.dataset.datalist.sha256,
            ids=tuple(self.dataset.ids[row] for row in once),
            groups=tuple(self.dataset.groups[row] for row in once),
            labels=labels,
            probabilities=probabilities,
        )
        metrics = classification_metrics(labels, probabilities, positive=self.positive)
        evaluator.state.metrics.update(metrics)
        predictions.save(self.folder / "predictions.json")
        self._summary(metrics).save(self.folder / "metrics.json")
        logger.info(
            "Arm %s, seed %d: AUC %.3f on %d images of %d patients.",
            self.description.arm,
            self.description.seed,
            metrics["auc"],
            len(predictions),
            len(set(predictions.groups)),
        )

    def _first_of_each(self, labels: NDArray[np.int64]) -> list[int]:
        """Rows of the images, identical files counted once."""
        first: dict[str, int] = {}
        for row, identity in enumerate(self.dataset.ids):
            if labels[first.setdefault(identity, row)] != labels[row]:
                raise DataError(
                    f"One image stands in the {self.dataset.split} split with two classes: correct "
                    "a label or remove one of the copies."
                )
        if copies := len(labels) - len(first):
            logger.warning("%d copies of images that were judged already count once.", copies)
        return list(first.values())

    def _summary(self, metrics: dict[str, Any]) -> ClassifierResult:
        origins = tuple(item.provenance.checkpoint_sha256 for item in self.synthetic)
        return ClassifierResult(
            arm=self.description.arm,
            seed=self.description.seed,
            metrics=metrics,
            steps=self.description.steps,
            provenance=ClassifierProvenance(
                package=__version__,
                versions={
                    "python": platform.python_version(),
                    **{name: version(name) for name in ("torch", "monai", "numpy")},
                },
                split=self.dataset.split,
                split_sha256=self.dataset.datalist.sha256,
                key_fingerprint=self.dataset.datalist.split.key_fingerprint,
                synthetic_sha256=tuple(item.sha256 for item in self.synthetic),
                checkpoint_sha256=origins,
                settings=dict(self.description.settings),
            ),
        )
