"""How far the training sets of a study are the same patients, and what the interval makes of it."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.results import TrainingOverlap

__all__ = ["NO_OVERLAP", "training_overlap"]

TOO_ALIKE = 0.9
NO_OVERLAP = TrainingOverlap(0.0)


def training_overlap(training: Sequence[Mapping[str, Collection[str]]]) -> TrainingOverlap:
    """Measure the overlap of the training sets that a study really drew.

    Two training sets have ``|A & B| / mean(|A|, |B|)`` of their patients in common; this is
    averaged over all pairs of seeds. For a random draw it is, on average, the training fraction
    of the pool; for training sets dealt out in turns it is less, and nothing for disjoint ones.
    Which class the luck comes from is unknown, so the largest overlap of any part counts. A part
    with an overlap of 0.9 or more hardly varies between seeds; what its luck is cannot be
    estimated.

    Args:
        training: Patients of every part of the training set, one mapping per seed. Parts are the
            classes, and the unlabelled images if an arm learns from them.

    Raises:
        DataError: If there are fewer than two seeds, the parts differ, or one is empty.

    Example:
        >>> seeds = [{"ill": {"a", "b"}}, {"ill": {"b", "c"}}, {"ill": {"c", "d"}}]
        >>> round(training_overlap(seeds).share, 3)
        0.333
    """
    if len(training) < 2:
        raise DataError(f"At least two seeds have an overlap, got {len(training)}: add seeds.")
    parts = training[0].keys()
    for seed in training:
        if seed.keys() != parts or not all(seed.values()):
            raise DataError(
                f"Every seed needs training patients of {sorted(parts)}, got "
                f"{ {name: len(patients) for name, patients in seed.items()} }: split again."
            )
    shares = {name: _mean_overlap([seed[name] for seed in training]) for name in parts}
    varied = [share for share in shares.values() if share < TOO_ALIKE]
    return TrainingOverlap(
        share=max(varied, default=0.0),
        fixed=tuple(name for name, share in shares.items() if share >= TOO_ALIKE),
        patients=len(set().union(*(set(group) for seed in training for group in seed.values()))),
    )


def _mean_overlap(sets: Sequence[Collection[str]]) -> float:
    number = {patient: index for index, patient in enumerate(set().union(*sets))}
    drawn = np.zeros((len(sets), len(number)))
    for row, patients in zip(drawn, sets, strict=True):
        row[[number[patient] for patient in patients]] = 1
    sizes = drawn.sum(axis=1)
    shares = 2 * (drawn @ drawn.T) / (sizes[:, None] + sizes)
    return float(shares[np.triu_indices(len(sets), 1)].mean())
