"""Whom a classifier learned from, directly or through a GAN, for the record in its checkpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from monai_gan_aug.engines.trained_network import read_checkpoint
from monai_gan_aug.records.provenance import TrainingRecord

__all__ = ["CombinedTrainingRecord"]


class HasRecord(Protocol):
    """Something that was learned from."""

    def training_record(self) -> TrainingRecord:
        """Whose images they are."""


class CombinedTrainingRecord:
    """The record of some training images, with everything else that was learned from added.

    Args:
        dataset: Training images, with ``training_record()``.
        also: Whatever else was learned from: more of these; synthetic images, with ``lists`` whose
            provenance names patients; checkpoints, or where they are; or ``None`` for nothing.
    """

    def __init__(self, dataset: HasRecord, also: Sequence[Any] = ()) -> None:
        self.dataset = dataset
        self.also = also

    def training_record(self) -> TrainingRecord:
        """The record of all of them, under the split and recipe of ``dataset``.

        Raises:
            ProvenanceError: If a record is incomplete, or hashed with another key.
            DataError: If a path is not a checkpoint.
        """
        record = self.dataset.training_record()
        for source in self.also:
            if isinstance(source, str | Path):
                record = record.with_seen(read_checkpoint(source).known_record())
            elif hasattr(source, "lists"):
                for datalist in source.lists:
                    record = record.with_seen(datalist.provenance.training)
            elif source is not None:
                record = record.with_seen(source.training_record())
        return record
