"""MixUp: train on blends of pairs of images, a control every GAN should be compared with."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["MixUp"]


class MixUp:
    r"""Blend every image and its label with another one of the batch.

    The share :math:`\lambda` is drawn once per batch from :math:`\mathrm{Beta}(\alpha, \alpha)`.

    Args:
        alpha: Parameter of the distribution; small values blend little, 0 not at all.
        num_classes: Number of classes.
        seed: Seed of the sequence.

    Raises:
        ValueError: If ``alpha`` is negative.

    References:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization".
        https://arxiv.org/abs/1710.09412

    Example:
        >>> mix = MixUp(0.4, num_classes=2)
        >>> images, targets = mix(torch.zeros(4, 1, 8, 8), torch.tensor([0, 1, 0, 1]))
        >>> targets.sum(dim=1)
        tensor([1., 1., 1., 1.])
    """

    def __init__(self, alpha: float, *, num_classes: int, seed: int = 0) -> None:
        if alpha < 0:
            raise ValueError(f"`alpha` must not be negative, got {alpha}.")
        self.alpha = alpha
        self.num_classes = num_classes
        self.generator = np.random.default_rng(seed)

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Blend ``images`` ``(B, C, H, W)`` and ``labels`` ``(B,)`` into targets ``(B, K)``."""
        if self.alpha == 0:
            return images, labels
        share = self.generator.beta(self.alpha, self.alpha)
        other = torch.from_numpy(self.generator.permutation(len(images))).to(images.device)
        targets = functional.one_hot(labels, self.num_classes).to(images.dtype)
        return images.lerp(images[other], 1 - share), targets.lerp(targets[other], 1 - share)
