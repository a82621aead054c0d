"""The deep convolutional GAN of Radford et al., with or without a class condition."""

from itertools import pairwise
from typing import Any

from monai.networks.blocks import ADN
from torch import Tensor, nn

from monai_gan_aug.networks.blocks import (
    COARSEST,
    LatentProjection,
    apply_spectral_norm,
    down_block,
    halvings,
    up_block,
)
from monai_gan_aug.networks.conditional import (
    ClassVerdict,
    ConditionalGenerator,
    LabelledLatent,
)
from monai_gan_aug.networks.definitions import DescribedNetwork
from monai_gan_aug.networks.image_side import FromImage, ToImage, UpToImage
from monai_gan_aug.networks.initialisation import normal_initialisation
from monai_gan_aug.networks.resampling import UpConvolution

__all__ = ["Discriminator", "Generator"]

UPSAMPLING = ("deconv", "nearest")


class Generator(ConditionalGenerator):
    """Latents to images: a 4 x 4 projection, then a doubling per convolution.

    With ``width`` 64 and ``"deconv"`` this is the published network: 512, 256, 128, 64 channels at
    64 px. Transposed convolutions write the four pixels of a square with weights of their own,
    which can show as a lattice; ``"nearest"`` repeats pixels before a 3 x 3 convolution.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        latent_size: Width ``Z`` of the latents.
        width: Channels of the finest features; each halving of the size doubles them.
        num_classes: Classes of the condition; 0 makes the generator unconditional.
        label_embedding: How the class meets the latent: ``"multiply"`` or ``"concatenate"``.
        spatial_dims: 2 for images, 3 for volumes of shape ``(B, C, S, S, S)``.
        upsample: ``"deconv"``, transposed convolutions as published; ``"nearest"``, images only.

    Raises:
        ValueError: If a size or kind is out of range.

    References:
        Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks". https://arxiv.org/abs/1511.06434; ``"nearest"``: Odena et al.,
        "Deconvolution and Checkerboard Artifacts". https://distill.pub/2016/deconv-checkerboard

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
        label_embedding: str = "multiply",
        spatial_dims: int = 2,
        upsample: str = "deconv",
    ) -> None:
        super().__init__(latent_size, num_classes)
        if upsample not in UPSAMPLING:
            raise ValueError(f"`upsample` must be one of {UPSAMPLING}, got {upsample!r}.")
        if upsample == "nearest" and spatial_dims != 2:
            raise ValueError("`upsample` nearest is for images: volumes need deconv.")
        widths = [width << level for level in reversed(range(halvings(image_size)))]
        self.condition = None
        if num_classes:
            self.condition = LabelledLatent(num_classes, latent_size, label_embedding)
            latent_size = self.condition.out_features
        self.blocks = nn.Sequential(
            LatentProjection(latent_size, widths[0], spatial_dims),
            *(_doubling(a, b, upsample, spatial_dims) for a, b in pairwise(widths)),
            _to_image(widths[-1], channels, upsample, spatial_dims),
            nn.Tanh(),
        )
        normal_initialisation(self)

    def draw(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """The images ``(B, C, S, S)``; see :meth:`ConditionalGenerator.forward`."""
        if self.condition is not None:
            latents = self.condition(latents, labels)
        images: Tensor = self.blocks(latents)
        return images


class Discriminator(DescribedNetwork):
    """Images to logits: a halving per convolution, then one 4 x 4 convolution.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        width: Channels of the finest features; each halving of the size doubles them.
        num_classes: Classes ``K`` of the condition; 0 makes it unconditional.
        norm: MONAI norm of all blocks but the first, or nothing (needed by gradient penalties).
        spectral_norm: Whether every layer is divided by its spectral norm.
        dropout: Probability that a channel is zeroed, in all blocks but the first.
        label_head: ``"projection"``, or ``"auxiliary"`` for logits ``(B, 1 + K)``.
        spatial_dims: 2 for images, 3 for volumes of shape ``(B, C, S, S, S)``.

    Raises:
        ValueError: If a size or kind is out of range.

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
        norm: str | tuple[Any, ...] | None = "batch",
        spectral_norm: bool = False,
        dropout: float = 0.0,
        label_head: str = "projection",
        spatial_dims: int = 2,
    ) -> None:
        super().__init__()
        widths = [width << level for level in range(halvings(image_size))]
        self.num_classes = num_classes
        self.blocks = nn.Sequential(
            _from_image(channels, widths[0], spatial_dims),
            nn.LeakyReLU(0.2, inplace=True),
            *(
                down_block(a, b, norm=norm, dropout=dropout, spatial_dims=spatial_dims)
                for a, b in pairwise(widths)
            ),
        )
        convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self.head = convolution(widths[-1], 1, kernel_size=COARSEST, bias=False)
        self.verdict = ClassVerdict(num_classes, widths[-1], label_head)
        self.auxiliary = self.verdict.auxiliary
        normal_initialisation(self)
        if spectral_norm:
            apply_spectral_norm(self)

    def features(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to the coarsest features ``(B, F, 4, 4)``."""
        features: Tensor = self.blocks(images)
        return features

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)`` and labels ``(B,)`` to logits ``(B,)`` or ``(B, 1 + K)``.

        Raises:
            ValueError: If a projection is given no labels.
        """
        features = self.features(images)
        logits: Tensor = self.verdict(self.head(features).flatten(), features, labels)
        return logits


def _from_image(channels: int, width: int, spatial_dims: int) -> nn.Module:
    if spatial_dims == 2:
        return FromImage(channels, width)
    return down_block(channels, width, norm=None, spatial_dims=spatial_dims).get_submodule("conv")


def _doubling(entering: int, leaving: int, upsample: str, spatial_dims: int) -> nn.Module:
    if upsample == "deconv":
        return up_block(entering, leaving, spatial_dims=spatial_dims)
    norm = ADN("NA", leaving, act="relu", norm="batch", norm_dim=2)
    return nn.Sequential(UpConvolution(entering, leaving, bias=False), norm)


def _to_image(width: int, channels: int, upsample: str, spatial_dims: int) -> nn.Module:
    if upsample == "nearest":
        return UpToImage(width, channels)
    if spatial_dims == 2:
        return ToImage(width, channels)
    return up_block(width, channels, norm=None, act=None, spatial_dims=spatial_dims)
