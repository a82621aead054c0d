"""CutMix: train on images with a patch of another one, labelled by area; a control for any GAN."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from monai_gan_aug.augmentation.mixup import MixUp

__all__ = ["CutMix", "chosen_mixing"]


class CutMix(MixUp):
    r"""Replace a box of every image by that of another image of the batch, labels by area.

    The share :math:`\lambda` that stays is drawn once per batch from
    :math:`\mathrm{Beta}(\alpha, \alpha)`, and one box of area :math:`1 - \lambda` and the shape of
    the image is centred anywhere. What leaves the image is cut off, and the labels follow the area
    that was really replaced.

    Args:
        alpha: Parameter of the distribution; 1 draws every share alike, 0 switches it off.
        num_classes: Number of classes.
        seed: Seed of the sequence.

    Raises:
        ValueError: If ``alpha`` is negative.

    References:
        Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
        Features". https://arxiv.org/abs/1905.04899

    Example:
        >>> mix = CutMix(1.0, num_classes=2)
        >>> images, targets = mix(torch.zeros(4, 1, 8, 8), torch.tensor([0, 1, 0, 1]))
        >>> targets.sum(dim=1)
        tensor([1., 1., 1., 1.])
    """

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mix ``images`` ``(B, C, H, W)`` and ``labels`` ``(B,)`` into targets ``(B, K)``."""
        if self.alpha == 0:
            return images, labels
        height, width = images.shape[-2:]
        side = math.sqrt(1 - self.generator.beta(self.alpha, self.alpha))
        rows, columns = self._span(height, side), self._span(width, side)
        other = torch.from_numpy(self.generator.permutation(len(images))).to(images.device)
        mixed = images.clone()
        mixed[..., rows, columns] = images[other][..., rows, columns]
        replaced = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
        targets = functional.one_hot(labels, self.num_classes).to(images.dtype)
        return mixed, targets.lerp(targets[other], replaced)

    def _span(self, length: int, side: float) -> slice:
        """Where a box of ``side`` times ``length``, centred anywhere, lies inside the image."""
        half = round(side * length) / 2
        centre = self.generator.integers(length)
        return slice(max(0, math.ceil(centre - half)), min(length, math.ceil(centre + half)))


def chosen_mixing(mixup: float, cutmix: float, *, num_classes: int, seed: int = 0) -> MixUp:
    """The way to mix pairs of images that two knobs name.

    Args:
        mixup: Parameter of MixUp; 0 for none.
        cutmix: Parameter of CutMix; 0 for none.
        num_classes: Number of classes.
        seed: Seed of the sequence.

    Returns:
        CutMix if its parameter is positive, else MixUp, which 0 switches off.

    Raises:
        ValueError: If both are positive, or one is negative.
    """
    if mixup and cutmix:
        raise ValueError(
            f"`mixup` and `cutmix` exclude each other, got {mixup} and {cutmix}: set one to 0."
        )
    kind, alpha = (CutMix, cutmix) if cutmix else (MixUp, mixup)
    return kind(alpha, num_classes=num_classes, seed=seed)
