"""Whom a classifier learned from, directly or through a GAN, for the record in its checkpoint."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.records.provenance import TrainingRecord

__all__ = ["EverythingSeen"]


class EverythingSeen:
    """The record of some training images, with everything else that was learned from added.

    Args:
        dataset: Training images, with ``training_record()``.
        also: More of these; synthetic images, with ``lists`` whose provenance names patients;
            paths of GAN checkpoints; or ``None`` for nothing.
    """

    def __init__(self, dataset: Any, also: Sequence[Any] = ()) -> None:
        self.dataset = dataset
        self.also = also

    def training_record(self) -> TrainingRecord:
        """The record of all of them, under the split and recipe of ``dataset``.

        Raises:
            ProvenanceError: If a record is incomplete, or hashed with another key.
            DataError: If a path is not a checkpoint.
        """
        record: TrainingRecord = self.dataset.training_record()
        for source in self.also:
            for other in _records(source):
                record = record.with_seen(other)
        return record


def _records(source: Any) -> Iterator[TrainingRecord]:
    if source is None:
        return
    if isinstance(source, str | Path):
        yield TrainingRecord.from_dict(load_checkpoint(Path(source))["training"])
    elif hasattr(source, "lists"):
        yield from (one.provenance.training for one in source.lists)
    else:
        yield source.training_record()
