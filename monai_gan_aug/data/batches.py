"""Batches by index from the cache: no worker processes, no per-image Python, resumable."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch

from monai_gan_aug.data.datasets import CachedImages
from monai_gan_aug.data.streams import (
    BalancedStream,
    IndexStream,
    PermutationStream,
    class_streams,
)
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.provenance import check_record

__all__ = ["BatchLoader", "BatchSource", "EvaluationLoader", "check_position", "unlabelled_batches"]

Batch = dict[Any, torch.Tensor]


@runtime_checkable
class BatchSource(Protocol):
    """A data set that makes whole batches, such as the ones in ``data.datasets``."""

    targets: np.ndarray

    def __len__(self) -> int: ...

    def batch(self, indices: np.ndarray) -> Batch:
        """Images and labels at ``indices``."""


class BatchLoader:
    """Endless training batches, ``steps`` of them per pass of a ``for`` loop, all of full size.

    The indices are a pure function of the seed and of the position in the stream: passes over the
    data follow each other without a gap, a batch may span two, and :meth:`load_state_dict`
    resumes exactly. Each new ``for`` loop continues where the last one stopped.

    Args:
        dataset: Where batches come from.
        batch_size: Images per batch; may exceed the size of the data set.
        steps: Batches per pass of a ``for`` loop (an epoch of the engine).
        balance: ``"none"``: every image equally often. ``"weighted"``: every class has the same
            share of every batch, and inside a class every image comes equally often.
        seed: Makes the stream.
        rank: Which of several processes this is.
        world_size: How many processes share every batch: each yields its own part of it, so that
            together they see what one process would.

    Raises:
        ValueError: If a number is not positive, ``balance`` is unknown, or the batch cannot be
            shared equally.
        DataError: If the data set is empty.
    """

    def __init__(
        self,
        dataset: BatchSource,
        batch_size: int,
        steps: int,
        *,
        balance: Literal["none", "weighted"] = "none",
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if batch_size < 1 or steps < 1:
            raise ValueError(
                f"`batch_size` and `steps` must be at least 1, got {batch_size} and {steps}."
            )
        if not 0 <= rank < world_size or batch_size % world_size:
            raise ValueError(
                f"`batch_size` must be a multiple of the {world_size} processes, got {batch_size} "
                f"in process {rank}: choose another --batch_size."
            )
        if len(dataset) == 0:
            raise DataError("The data set holds no images: look at the split and at `labels`.")
        self.dataset = dataset
        self.batch_size = batch_size
        self.steps = steps
        self.position = 0
        self._part = batch_size // world_size * np.array([rank, rank + 1])
        self._stream = index_stream(dataset.targets, balance, seed)

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(self.steps):
            indices = self._stream.at(self.position * self.batch_size + np.arange(*self._part))
            self.position += 1
            yield self.dataset.batch(indices)

    def state_dict(self) -> dict[str, int]:
        """Batches drawn so far, as ``{"position": int}``."""
        return {"position": self.position}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Continue behind the batches that were drawn when ``state`` was taken."""
        self.position = check_position(state)


class EvaluationLoader:
    """Every image once, in the order of the data set; the last batch may be smaller.

    Args:
        dataset: Where batches come from.
        batch_size: Images per batch.
    """

    def __init__(self, dataset: BatchSource, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1, got {batch_size}.")
        self.dataset = dataset
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for begin in range(0, len(self.dataset), self.batch_size):
            end = min(begin + self.batch_size, len(self.dataset))
            yield self.dataset.batch(np.arange(begin, end))


def index_stream(targets: np.ndarray, balance: str, seed: int, salt: int = 0) -> IndexStream:
    """The stream that ``balance`` names; ``salt`` separates streams of one seed."""
    if balance == "none":
        return PermutationStream(np.arange(len(targets)), [seed, salt])
    if balance == "weighted":
        return BalancedStream(class_streams(targets, [seed, salt]))
    raise ValueError(f"`balance` must be 'none' or 'weighted' here, got {balance!r}.")


def check_position(state: Mapping[str, int]) -> int:
    """The position in a loader's state.

    Raises:
        ValueError: If it is not a non-negative integer.
    """
    position = state.get("position")
    if not isinstance(position, int) or position < 0:
        raise ValueError(f"A loader's state must be {{'position': int >= 0}}, got {dict(state)}.")
    return position


def unlabelled_batches(
    unlabelled: CachedImages | None, labelled: CachedImages, batch_size: int, seed: int = 0
) -> BatchLoader:
    """Endless batches of images without classes.

    Args:
        unlabelled: The images; labels in their datalist should not be looked at.
        labelled: Training images of the classifier, whose datalist names the held-out patients.
        batch_size: Images per batch.
        seed: Makes the order.

    Raises:
        DataError: If there are none.
        ProvenanceError: If a validation or test patient is among them.
    """
    if unlabelled is None:
        raise DataError(
            "This arm learns from unlabelled images: give --unlabelled, a datalist that `prepare "
            "--unlabelled` wrote."
        )
    check_record(labelled.datalist, unlabelled.training_record())
    return BatchLoader(unlabelled, batch_size, steps=1, seed=seed)
