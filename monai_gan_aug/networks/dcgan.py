"""The deep convolutional GAN of Radford et al., with or without a class condition."""

import math
from itertools import pairwise

from torch import Tensor, nn

from monai_gan_aug.networks.blocks import (
    COARSEST,
    LatentProjection,
    apply_spectral_norm,
    down_block,
    up_block,
)
from monai_gan_aug.networks.conditional import LabelledLatent, ProjectionHead, required_labels
from monai_gan_aug.networks.image_side import FromImage, ToImage
from monai_gan_aug.networks.initialisation import normal_initialisation

__all__ = ["Discriminator", "Generator"]


def _halvings(image_size: int) -> int:
    count = int(math.log2(image_size)) - 2 if image_size >= 2 * COARSEST else 0
    if count < 1 or COARSEST << count != image_size:
        raise ValueError(f"`image_size` must be a power of two, at least 8, got {image_size}.")
    return count


class Generator(nn.Module):
    """Latents to images: a 4 x 4 projection, then a doubling per transposed convolution.

    With ``width`` 64 this is the published network: 512, 256, 128, 64 channels at 64 px.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        latent_size: Width ``Z`` of the latents.
        width: Channels of the finest features; each halving of the size doubles them.
        num_classes: Classes of the condition; 0 makes the generator unconditional.

    Raises:
        ValueError: If a size is out of range.

    References:
        Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks". https://arxiv.org/abs/1511.06434

    Example:
        >>> Generator(image_size=16, channels=1, latent_size=8, width=4)(torch.zeros(2, 8)).shape
        torch.Size([2, 1, 16, 16])
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        latent_size: int = 128,
        width: int = 64,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        doublings = _halvings(image_size)
        self.latent_size = latent_size
        self.num_classes = num_classes
        self.condition = LabelledLatent(num_classes, latent_size) if num_classes else None
        widths = [width << level for level in reversed(range(doublings))]
        self.blocks = nn.Sequential(
            LatentProjection(latent_size, widths[0]),
            *(up_block(a, b) for a, b in pairwise(widths)),
            ToImage(widths[-1], channels),
            nn.Tanh(),
        )
        normal_initialisation(self)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Latents ``(B, Z)`` and labels ``(B,)`` to images ``(B, C, S, S)`` in ``[-1, 1]``.

        Raises:
            ValueError: If a conditional generator is given no labels.
        """
        if self.condition is not None:
            labels = required_labels(labels, self.num_classes, "generator")
            latents = self.condition(latents, labels)
        images: Tensor = self.blocks(latents)
        return images


class Discriminator(nn.Module):
    """Images to logits: a halving per convolution, then one 4 x 4 convolution.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        width: Channels of the finest features; each halving of the size doubles them.
        num_classes: Classes of the condition (projection); 0 makes it unconditional.
        norm: MONAI norm of all blocks but the first, or nothing (needed by gradient penalties).
        spectral_norm: Whether every layer is divided by its spectral norm.
        dropout: Probability that a channel is zeroed, in all blocks but the first.

    Raises:
        ValueError: If a size is out of range.

    References:
        Radford et al., https://arxiv.org/abs/1511.06434; Miyato and Koyama,
        https://arxiv.org/abs/1802.05637

    Example:
        >>> Discriminator(image_size=16, width=4)(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2])
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        width: int = 64,
        num_classes: int = 0,
        norm: str | tuple | None = "batch",
        spectral_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [width << level for level in range(_halvings(image_size))]
        self.num_classes = num_classes
        self.blocks = nn.Sequential(
            FromImage(channels, widths[0]),
            nn.LeakyReLU(0.2, inplace=True),
            *(down_block(a, b, norm=norm, dropout=dropout) for a, b in pairwise(widths)),
        )
        self.head = nn.Conv2d(widths[-1], 1, kernel_size=COARSEST, bias=False)
        self.projection = ProjectionHead(num_classes, widths[-1]) if num_classes else None
        normal_initialisation(self)
        if spectral_norm:
            apply_spectral_norm(self)

    def features(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to the coarsest features ``(B, F, 4, 4)``."""
        features: Tensor = self.blocks(images)
        return features

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)`` and labels ``(B,)`` to one logit per image, ``(B,)``.

        Raises:
            ValueError: If a conditional discriminator is given no labels.
        """
        features = self.features(images)
        logits: Tensor = self.head(features).flatten()
        if self.projection is not None:
            labels = required_labels(labels, self.num_classes, "discriminator")
            logits = logits + self.projection(features, labels)
        return logits
