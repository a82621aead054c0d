"""Distances from generated images to training and held-out images, in one space, with controls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.metrics.coverage import nearest_rows, neighbour_radii
from monai_gan_aug.metrics.similarity import authentic_share, nearest_by_correlation
from monai_gan_aug.privacy.membership import Scored, patient_halves

__all__ = ["ClassFindings", "FeatureSpace", "PixelSpace", "screen_class"]


class Space(Protocol):
    """A way to say how far two images are apart."""

    def nearest(self, queries: ImageSet, references: ImageSet) -> tuple[Tensor, Tensor]:
        """Distance of every query to its nearest reference, and its position."""

    def radii(self, images: ImageSet) -> Tensor:
        """Distance of every image to its nearest other one."""


@dataclass(frozen=True, eq=False)
class ClassFindings:
    """What one space says about the generated images of one class.

    Args:
        distance: To the nearest training image, ``(N,)``.
        nearest: Its position among the training images of the class, ``(N,)``.
        flagged: Near copies, ``(N,)``.
        flagged_control: Training images of one half that look like copies of the other, ``(T,)``.
        ratio: Distance to training over distance to as many held-out images, ``(N,)``.
        ratio_control: The same of one half of the training patients against the other, ``(T,)``.
        authentic: Share of authentic images.
        authentic_control: The same of held-out images.
        membership: Scores of training against held-out images.
        membership_control: Scores of one half of the training patients against the other.
    """

    distance: Tensor
    nearest: Tensor
    flagged: Tensor
    flagged_control: Tensor
    ratio: Tensor
    ratio_control: Tensor
    authentic: float
    authentic_control: float
    membership: Scored
    membership_control: Scored


class PixelSpace:
    """Correlation under shifts and flips, without what is typical of the training images.

    Args:
        training: Training images of one class.
    """

    def __init__(self, training: ImageSet) -> None:
        self.typical = training.images.mean(0)

    def nearest(self, queries: ImageSet, references: ImageSet) -> tuple[Tensor, Tensor]:
        """Distance of every query to its nearest reference, and its position."""
        return nearest_by_correlation(queries.images, references.images, typical=self.typical)

    def radii(self, images: ImageSet) -> Tensor:
        """Distance of every image to its nearest other one."""
        same = images.images
        return nearest_by_correlation(same, same, typical=self.typical, others_only=True)[0]


class FeatureSpace:
    """Euclidean distance of features, standardised by the training images.

    Args:
        training: Training images of one class.
        embed: Images ``(N, C, H, W)`` to features ``(N, F)``.
    """

    def __init__(self, training: ImageSet, embed: Callable[[Tensor], Tensor]) -> None:
        self.embed = embed
        rows = embed(training.images)
        self.mean, deviation = rows.mean(0), rows.std(0)
        least = max(float(deviation.square().mean().sqrt()) / 10, 1e-6)
        self.deviation = deviation.clamp_min(least)

    def nearest(self, queries: ImageSet, references: ImageSet) -> tuple[Tensor, Tensor]:
        """Distance of every query to its nearest reference, and its position."""
        return nearest_rows(self._features(queries), self._features(references))

    def radii(self, images: ImageSet) -> Tensor:
        """Distance of every image to its nearest other one."""
        return neighbour_radii(self._features(images), 1)

    def _features(self, images: ImageSet) -> Tensor:
        return (self.embed(images.images) - self.mean) / self.deviation


def screen_class(
    space: Space,
    training: ImageSet,
    held_out: ImageSet,
    synthetic: ImageSet,
    *,
    copy_ratio: float,
    seed: int,
) -> ClassFindings:
    """Distances, near copies and controls of one class in one space.

    A near copy is closer to a training image than ``copy_ratio`` times its distance to the
    nearest held-out image, and closer than any two training patients are to each other. The
    second rule spares blurred images, which are near everything. The same rule applied to one
    half of the training patients against the other counts the false alarms.

    Args:
        space: How distances are measured.
        training: Training images of the class.
        held_out: Images of other patients.
        synthetic: Generated images.
        copy_ratio: Largest ratio of a near copy.
        seed: Seed of halves and thinning.
    """
    halves = [training.take(rows) for rows in patient_halves(training.groups, seed)]
    apart, ratio_control = _control(space, halves, held_out, seed)
    least = apart.min()
    distance, which = space.nearest(synthetic, training)
    few = min(len(training), len(held_out))
    other = space.nearest(synthetic, held_out)[0].clamp_min(1e-6)
    ratio = _to_some(space, synthetic, training, few, seed) / _to_some(
        space, synthetic, held_out, few, seed
    ).clamp_min(1e-6)
    radii = space.radii(training)
    away, nearest_to_away = space.nearest(held_out, training)
    scores = [
        -space.nearest(one, synthetic)[0].double().numpy() for one in (training, held_out, *halves)
    ]
    return ClassFindings(
        distance=distance,
        nearest=which,
        flagged=(distance < copy_ratio * other) & (distance < least),
        flagged_control=(ratio_control < copy_ratio) & (apart <= least),
        ratio=ratio,
        ratio_control=ratio_control,
        authentic=authentic_share(distance, which, radii).item(),
        authentic_control=authentic_share(away, nearest_to_away, radii).item(),
        membership=Scored(scores[0], scores[1], training.groups, held_out.groups),
        membership_control=Scored(scores[2], scores[3], halves[0].groups, halves[1].groups),
    )


def _control(
    space: Space, halves: list[ImageSet], held_out: ImageSet, seed: int
) -> tuple[Tensor, Tensor]:
    """Distances of each half of the training patients to the other, and their ratios."""
    apart, ratios = [], []
    for one, other in (halves, halves[::-1]):
        few = min(len(other), len(held_out))
        apart.append(space.nearest(one, other)[0])
        to_others = _to_some(space, one, held_out, few, seed).clamp_min(1e-6)
        ratios.append(_to_some(space, one, other, few, seed) / to_others)
    return torch.cat(apart), torch.cat(ratios)


def _to_some(
    space: Space, queries: ImageSet, references: ImageSet, count: int, seed: int
) -> Tensor:
    """Distances to ``count`` references drawn at random: more references are nearer by chance."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(references))[:count])
    return space.nearest(queries, references.take(rows))[0]
