"""Resampling seeds and patients together, for studies that share patients between seeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monai_gan_aug.errors import DataError

__all__ = ["CrossedBootstrap"]

Array = NDArray[np.float64]

MOST_LOST = 0.1


@dataclass(frozen=True)
class CrossedBootstrap:
    """The pigeonhole bootstrap over a table of seeds and patients.

    Every replicate draws seeds with replacement and, independently, patients with replacement. A
    patient's weight is the same in the test set of every seed it is in, and a row's weight is the
    product of both. Arms judged on the same rows share all weights, so their differences are
    paired.

    Args:
        groups: Patient of every test row, one sequence per seed.
        replicates: Number of replicates, at least 200.
        seed: Seed of the draws.

    Raises:
        ValueError: If there are too few replicates or no seed.

    References:
        Owen, "The pigeonhole bootstrap". https://arxiv.org/abs/0712.1111
    """

    groups: Sequence[Sequence[str]]
    replicates: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.replicates < 200:
            raise ValueError(f"`replicates` must be at least 200, got {self.replicates}.")
        if not self.groups:
            raise ValueError("`groups` must name the patients of at least one seed.")

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Every patient of any test set, sorted."""
        return tuple(sorted(set().union(*self.groups)))

    @cached_property
    def _columns(self) -> list[NDArray[np.int64]]:
        position = {patient: index for index, patient in enumerate(self.patients)}
        return [np.array([position[patient] for patient in rows]) for rows in self.groups]

    @cached_property
    def seed_weights(self) -> Array:
        """How often each seed was drawn, shape ``(replicates, seeds)``."""
        return self._draws(len(self.groups), stream=0)

    @cached_property
    def _patient_weights(self) -> Array:
        return self._draws(len(self.patients), stream=1)

    def _draws(self, count: int, stream: int) -> Array:
        generator = np.random.default_rng([self.seed, stream])
        chances = np.full(count, 1 / count)
        return generator.multinomial(count, chances, size=self.replicates).astype(np.float64)

    def row_weights(self, index: int, weights_at_once: int = 200_000) -> Iterator[Array]:
        """Patient weights of the rows of one seed's test set, in blocks of replicates.

        Args:
            index: Position of the seed.
            weights_at_once: Largest number of weights in a block (small ones stay in the cache of
                the processor).

        Yields:
            Shape ``(block, rows)``; the blocks together hold all replicates, in order.
        """
        columns = self._columns[index]
        step = max(1, weights_at_once // len(columns))
        for start in range(0, self.replicates, step):
            yield self._patient_weights[start : start + step, columns]

    def require_classes(self, labels: Sequence[ArrayLike]) -> None:
        """Refuse test sets whose resamples often lack a whole class.

        Args:
            labels: Class of every test row, one sequence per seed.

        Raises:
            DataError: If more than a tenth of the replicates would leave a metric undefined.
        """
        lost = np.zeros(self.replicates, bool)
        for index, rows in enumerate(labels):
            of_class = np.asarray(rows)[:, None] == np.unique(rows)
            blocks = [(block @ of_class == 0).any(axis=1) for block in self.row_weights(index)]
            lost |= np.concatenate(blocks)
        if lost.mean() > MOST_LOST:
            raise DataError(
                f"{lost.mean():.0%} of resampled test sets lack a whole class, so no interval can "
                "be given: put more patients of every class into the test split."
            )
