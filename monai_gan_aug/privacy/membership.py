"""Can it be told who was in the training set? Areas under the curve with patient intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.metrics.weighted import roc_auc

__all__ = ["Scored", "membership_auc", "patient_halves"]


@dataclass(frozen=True, eq=False)
class Scored:
    """Membership scores of the images of one class; higher means "was in the training set".

    Args:
        members: Shape ``(N,)``.
        others: Shape ``(M,)``.
        member_groups: Patient of every member.
        other_groups: Patient of every other image.
    """

    members: NDArray[np.float64]
    others: NDArray[np.float64]
    member_groups: Sequence[str]
    other_groups: Sequence[str]


def membership_auc(
    classes: Sequence[Scored], *, replicates: int = 1000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, tuple[float, float]]:
    """Chance that a member outranks another image of its class, mean over classes.

    One half means that nothing can be told. The classes are kept apart, because a different
    mixture of classes in training and held-out images would look like membership.

    Args:
        classes: Scores of every class, at least one.
        replicates: Bootstrap replicates; patients are drawn within class and side.
        seed: Seed of the bootstrap.
        confidence: Nominal coverage of the percentile interval.

    Returns:
        The area, and the ends of its interval.

    Raises:
        ValueError: If there is no class.

    References:
        Carlini et al., "Membership Inference Attacks From First Principles".
        https://arxiv.org/abs/2112.03570; Hayes et al., "LOGAN", https://arxiv.org/abs/1705.07663

    Example:
        >>> scored = Scored(np.ones(9), np.zeros(9), list("abcdefghi"), list("jklmnopqr"))
        >>> membership_auc([scored])
        (1.0, (1.0, 1.0))
    """
    if not classes:
        raise ValueError("`classes` must hold the scores of at least one class.")
    draw = np.random.default_rng(seed)
    points, samples = [], []
    for one in classes:
        scores = np.concatenate([one.members, one.others])
        positive = np.arange(len(scores)) < len(one.members)
        weights = np.concatenate(
            [
                _patient_weights(groups, replicates, draw)
                for groups in (one.member_groups, one.other_groups)
            ],
            axis=1,
        )
        points.append(roc_auc(positive, scores, np.ones((1, len(scores))))[0])
        samples.append(roc_auc(positive, scores, weights))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(np.mean(samples, axis=0), [tail, 1 - tail])
    return float(np.mean(points)), (float(low), float(high))


def patient_halves(groups: Sequence[str], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of two halves of the images that share no patient."""
    names = sorted(set(groups))
    first = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2].tolist())
    inside = np.array([group in first for group in groups])
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def _patient_weights(
    groups: Sequence[str], replicates: int, draw: np.random.Generator
) -> NDArray[np.float64]:
    names, columns = np.unique(np.asarray(groups), return_inverse=True)
    chances = np.full(len(names), 1 / len(names))
    counts = draw.multinomial(len(names), chances, size=replicates).astype(np.float64)
    chosen: NDArray[np.float64] = counts[:, columns]
    return chosen
