"""Endless streams of image indices as pure functions of seed and position.

A loader asks for the indices at positions 0, 1, 2, … and can therefore stop anywhere and resume
there, without any generator state to save.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

import numpy as np

from monai_gan_aug.errors import DataError

__all__ = [
    "BalancedStream",
    "IndexStream",
    "PermutationStream",
    "SharedStream",
    "ToppedUpStream",
    "class_streams",
]


class IndexStream(Protocol):
    """What every stream does."""

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Indices at the given positions, both ``int64`` of shape ``(B,)``."""


class PermutationStream:
    """One shuffled pass over ``indices`` after another.

    Args:
        indices: What to walk through, at least one.
        seed: One or several non-negative integers that make the stream.

    Example:
        >>> stream = PermutationStream(np.array([5, 6, 7]), seed=(0,))
        >>> sorted(stream.at(np.arange(3)).tolist())
        [5, 6, 7]
    """

    def __init__(self, indices: np.ndarray, seed: Sequence[int]) -> None:
        if len(indices) == 0:
            raise ValueError("`indices` must hold at least one index.")
        self.indices = np.asarray(indices, dtype=np.int64)
        self.seed = tuple(seed)
        # per stream, not per class: two passes meet in a batch, and others must not crowd them out
        self._order = lru_cache(maxsize=4)(self._draw_order)

    def _draw_order(self, turn: int) -> np.ndarray:
        return np.random.default_rng([*self.seed, turn]).permutation(self.indices)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Indices at ``positions``."""
        turns, places = np.divmod(positions, len(self.indices))
        out = np.empty(len(positions), dtype=np.int64)
        for turn in np.unique(turns):
            here = turns == turn
            out[here] = self._order(int(turn))[places[here]]
        return out

    def __getstate__(self) -> tuple[np.ndarray, tuple[int, ...]]:  # the cache does not pickle
        return self.indices, self.seed

    def __setstate__(self, state: tuple[np.ndarray, tuple[int, ...]]) -> None:
        self.__init__(*state)  # type: ignore[misc]


class BalancedStream:
    """Classes in turn, each walking its own stream: every class has the same share of any batch.

    Args:
        streams: One stream per class.
    """

    def __init__(self, streams: Sequence[IndexStream]) -> None:
        self.streams = tuple(streams)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Indices at ``positions``."""
        turns, classes = np.divmod(positions, len(self.streams))
        out = np.empty(len(positions), dtype=np.int64)
        for number, stream in enumerate(self.streams):
            here = classes == number
            out[here] = stream.at(turns[here])
        return out


class SharedStream:
    """Two streams in turn, the second with a fixed share of the positions, spread evenly.

    Args:
        first: Takes the other positions.
        second: Takes ``share`` of the positions.
        share: In ``[0, 1]``.

    Example:
        >>> zeros, nines = (PermutationStream(np.array([n]), [0]) for n in (0, 9))
        >>> SharedStream(zeros, nines, Fraction(1, 4)).at(np.arange(8)).tolist()
        [0, 0, 0, 9, 0, 0, 0, 9]
    """

    def __init__(self, first: IndexStream, second: IndexStream, share: Fraction) -> None:
        self.first = first
        self.second = second
        self.share = share

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Indices at ``positions``."""
        top, bottom = self.share.numerator, self.share.denominator
        before = positions * top // bottom
        second = (positions + 1) * top // bottom > before
        out = np.empty(len(positions), dtype=np.int64)
        out[second] = self.second.at(before[second])
        out[~second] = self.first.at((positions - before)[~second])
        return out


class ToppedUpStream:
    """One class: all its real images once, then synthetic ones, up to ``total`` in every pass.

    Indices of synthetic images are shifted by ``offset``, so that they follow the real ones.

    Args:
        real: Indices of the real images.
        synthetic: Indices of the synthetic images; may be empty if there is nothing to top up.
        total: Images per pass, at least the number of real ones.
        offset: What is added to a synthetic index.
        seed: One or several non-negative integers that make the stream.

    Raises:
        DataError: If images are needed to top up and there are none.
    """

    def __init__(
        self,
        real: np.ndarray,
        synthetic: np.ndarray,
        total: int,
        offset: int,
        seed: Sequence[int],
    ) -> None:
        self.needed = total - len(real)
        if self.needed and len(synthetic) == 0:
            raise DataError(
                f"A class has {len(real)} real images of {total} and no synthetic ones: generate "
                "images for every minority class."
            )
        self.slots = PermutationStream(np.arange(total), [*seed, 0])
        self.real = np.asarray(real, dtype=np.int64)
        self.synthetic = PermutationStream(synthetic + offset, [*seed, 1]) if self.needed else None
        self.total = total

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Indices at ``positions``."""
        slots = self.slots.at(positions)
        is_real = slots < len(self.real)
        out = np.empty(len(positions), dtype=np.int64)
        out[is_real] = self.real[slots[is_real]]
        if self.synthetic is not None:
            turns = positions[~is_real] // self.total
            out[~is_real] = self.synthetic.at(
                turns * self.needed + slots[~is_real] - len(self.real)
            )
        return out


def class_streams(targets: np.ndarray, seed: Sequence[int]) -> list[IndexStream]:
    """One shuffled stream per class that occurs in ``targets``, shape ``(N,)``."""
    return [
        PermutationStream(np.flatnonzero(targets == label), [*seed, int(label)])
        for label in np.unique(targets)
    ]
