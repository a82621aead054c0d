"""Predictions for images without labels, as a table a spreadsheet opens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ignite.engine import Events
from monai.engines import Evaluator

from monai_gan_aug.engines.results import PredictionCollector
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_bytes
from monai_gan_aug.io.tables import csv_text

__all__ = ["PredictionTable"]


class NamedImages(Protocol):
    """Images in the order of the batches."""

    names: Sequence[str]


class PredictionTable:
    """Write one row per image: its name, the most probable class, and every probability.

    The names are those of the user's files: keep the table with the images. A name that a
    spreadsheet would take for a formula gets a leading apostrophe.

    Args:
        path: The CSV file.
        dataset: The images, with their names.
        class_names: Class names, by label.
    """

    def __init__(self, path: str | Path, dataset: NamedImages, class_names: Sequence[str]) -> None:
        self.path = Path(path)
        self.dataset = dataset
        self.class_names = list(class_names)
        self.collector = PredictionCollector()

    def attach(self, evaluator: Evaluator) -> None:
        """Collect every batch, write at the end."""
        self.collector.attach(evaluator)
        evaluator.add_event_handler(Events.COMPLETED, self._write)

    def _write(self, evaluator: Evaluator) -> None:
        _, probabilities = self.collector.result()
        if probabilities.shape != (len(self.dataset.names), len(self.class_names)):
            raise DataError(
                f"{probabilities.shape} probabilities for {len(self.dataset.names)} images and "
                f"{len(self.class_names)} classes: use the classes the classifier was trained on."
            )
        rows = [["image", "predicted", *self.class_names]]
        for name, row in zip(self.dataset.names, probabilities, strict=True):
            predicted = self.class_names[int(row.argmax())]
            rows.append([name, predicted, *(f"{value:.6f}" for value in row)])
        write_bytes(self.path, csv_text(rows).encode("utf-8", "surrogateescape"))
