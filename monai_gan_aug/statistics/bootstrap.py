"""Resampling seeds and patients together: the interval of a sample-size equivalent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.metrics.weighted import weighted_metric
from monai_gan_aug.records.predictions import Predictions

__all__ = ["CrossedBootstrap"]

Array = NDArray[np.float64]


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

    def means(self, predictions: Sequence[Predictions], metric: str, *, positive: int = 1) -> Array:
        """Means of a metric over the resampled seeds and patients.

        Args:
            predictions: Those of one arm, one per seed, on the rows of :attr:`groups`.
            metric: A key of :data:`~monai_gan_aug.metrics.weighted.METRICS`.
            positive: The class that counts as disease when there are two.

        Returns:
            Shape ``(replicates,)``; NaN where a class was lost.
        """
        columns = [
            np.concatenate(
                [
                    weighted_metric(
                        metric, item.labels, item.probabilities, weights, positive=positive
                    )
                    for weights in self.row_weights(index)
                ]
            )
            for index, item in enumerate(predictions)
        ]
        total: Array = (np.stack(columns, axis=1) * self.seed_weights).sum(axis=1)
        return total / len(predictions)
