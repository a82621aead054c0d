"""A style-based GAN for small sets, after StyleGAN2."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.networks.blocks import COARSEST, apply_spectral_norm, halvings
from monai_gan_aug.networks.conditional import ClassVerdict, ConditionalGenerator
from monai_gan_aug.networks.definitions import DescribedNetwork
from monai_gan_aug.networks.equalised import (
    EqualConvolution,
    EqualLinear,
    MinibatchDeviation,
    ModulatedConvolution,
    activated,
)

__all__ = ["Discriminator", "Generator", "Mapping"]

WIDEST = 16
MAPPING_RATE = 0.01


def _normalised(values: Tensor) -> Tensor:
    return values * torch.rsqrt(values.square().mean(1, keepdim=True) + 1e-8)


def _widths(image_size: int, width: int) -> list[int]:
    """Channels from 4 x 4 to the finest features."""
    return [width * min(1 << level, WIDEST) for level in reversed(range(halvings(image_size) + 1))]


class Mapping(nn.Module):
    """Latents, and classes if any, to styles.

    Args:
        latent_size: Width ``Z`` of latents and styles.
        num_classes: Classes, embedded and put beside the latent; 0 for none.
        depth: Number of layers.

    Example:
        >>> Mapping(8)(torch.zeros(2, 8)).shape
        torch.Size([2, 8])
    """

    def __init__(self, latent_size: int, num_classes: int = 0, depth: int = 2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_classes, latent_size) if num_classes else None
        first = 2 * latent_size if num_classes else latent_size
        sizes = [first, *[latent_size] * depth]
        self.layers = nn.ModuleList(
            EqualLinear(a, b, rate=MAPPING_RATE) for a, b in pairwise(sizes)
        )

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Latents ``(B, Z)`` and labels ``(B,)`` to styles ``(B, Z)``."""
        values = _normalised(latents)
        if self.embedding is not None:
            values = torch.cat([values, _normalised(self.embedding(labels))], dim=1)
        for layer in self.layers:
            values = activated(layer(values))
        return values


class _StyledLayer(nn.Module):
    """Modulated convolution, noise of a learned strength, bias, leaky ReLU.

    In training the noise is fresh; else it is fixed, so that a latent gives one image.
    """

    def __init__(
        self, in_channels: int, out_channels: int, style_size: int, side: int, *, up: bool
    ) -> None:
        super().__init__()
        self.convolution = ModulatedConvolution(in_channels, out_channels, style_size, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1))
        self.noise: Tensor
        # a buffer, so that checkpoints carry it: after loading, a latent gives the image it gave
        self.register_buffer("noise", torch.randn(1, 1, side, side))

    def forward(self, maps: Tensor, styles: Tensor) -> Tensor:
        maps = self.convolution(maps, styles)
        noise = self.noise
        if self.training:
            noise = torch.randn_like(maps[:, :1])
        return activated(maps + (noise * self.strength + self.bias).to(maps.dtype))


class _ToImage(nn.Module):
    """One modulated 1 x 1 convolution without demodulation, and a bias."""

    def __init__(self, in_channels: int, channels: int, style_size: int) -> None:
        super().__init__()
        self.convolution = ModulatedConvolution(
            in_channels, channels, style_size, kernel_size=1, demodulate=False
        )
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, maps: Tensor, styles: Tensor) -> Tensor:
        image: Tensor = self.convolution(maps, styles) + self.bias
        return image


class Generator(ConditionalGenerator):
    """Latents to styles to images: a learned 4 x 4 map, doubled by modulated convolutions.

    Every size adds its own picture to the doubled one of the size before (the "skip" design).
    Beside StyleGAN2 it is small: two mapping layers, no path length penalty, no mixing of
    styles, and doubling by nearest neighbours inside, bilinear for the pictures.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        latent_size: Width ``Z`` of latents and styles.
        width: Channels of the finest features; each halving doubles them, up to 16 times.
        num_classes: Classes of the condition (in the mapping); 0 makes it unconditional.
        mapping_depth: Layers of the mapping network.

    Raises:
        ValueError: If a size is out of range.

    References:
        Karras et al., "Analyzing and Improving the Image Quality of StyleGAN".
        https://arxiv.org/abs/1912.04958; the small mapping: Karras et al., "Training Generative
        Adversarial Networks with Limited Data". https://arxiv.org/abs/2006.06676

    Example:
        >>> Generator(image_size=16, latent_size=8, width=4)(torch.zeros(2, 8)).shape
        torch.Size([2, 1, 16, 16])
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        latent_size: int = 128,
        width: int = 32,
        num_classes: int = 0,
        mapping_depth: int = 2,
    ) -> None:
        super().__init__(latent_size, num_classes)
        widths = _widths(image_size, width)
        self.mapping = Mapping(latent_size, num_classes, mapping_depth)
        self.constant = nn.Parameter(torch.randn(1, widths[0], COARSEST, COARSEST))
        self.ups, self.layers, self.pictures = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for level, out in enumerate(widths):
            side = COARSEST << level
            if level:
                self.ups.append(_StyledLayer(widths[level - 1], out, latent_size, side, up=True))
            self.layers.append(_StyledLayer(out, out, latent_size, side, up=False))
            self.pictures.append(_ToImage(out, channels, latent_size))

    def draw(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """The images ``(B, C, S, S)``; see :meth:`ConditionalGenerator.forward`."""
        styles = self.mapping(latents, labels)
        maps = self.layers[0](self.constant.expand(len(latents), -1, -1, -1), styles)
        picture = self.pictures[0](maps, styles)
        for up, layer, to_image in zip(self.ups, self.layers[1:], self.pictures[1:], strict=True):
            maps = layer(up(maps, styles), styles)
            doubled = functional.interpolate(picture, scale_factor=2, mode="bilinear")
            picture = doubled + to_image(maps, styles)
        images: Tensor = torch.tanh(picture)
        return images


class _ResidualBlock(nn.Module):
    """Two convolutions, the second halving; beside a halved 1 x 1 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = EqualConvolution(in_channels, in_channels)
        self.second = EqualConvolution(in_channels, out_channels, down=True)
        self.shortcut = EqualConvolution(in_channels, out_channels, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        residual = activated(self.second(activated(self.first(maps))))
        shortcut: Tensor = self.shortcut(functional.avg_pool2d(maps, 2))
        return (residual + shortcut) * math.sqrt(0.5)  # the sum of two has twice the variance


class Discriminator(DescribedNetwork):
    """Images to logits: residual blocks that halve, deviation within the batch, two layers.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        width: Channels of the finest features; each halving doubles them, up to 16 times.
        num_classes: Classes ``K`` of the condition; 0 makes it unconditional.
        spectral_norm: Whether every layer is divided by its spectral norm (not published).
        label_head: ``"projection"``, or ``"auxiliary"`` for logits ``(B, 1 + K)``.
        group: Images per group of :class:`~monai_gan_aug.networks.equalised.MinibatchDeviation`.

    Raises:
        ValueError: If a size or kind is out of range.

    References:
        Karras et al., https://arxiv.org/abs/1912.04958 and https://arxiv.org/abs/2006.06676;
        Miyato and Koyama, https://arxiv.org/abs/1802.05637

    Example:
        >>> Discriminator(image_size=16, width=4)(torch.zeros(4, 1, 16, 16)).shape
        torch.Size([4])
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        width: int = 32,
        num_classes: int = 0,
        spectral_norm: bool = False,
        label_head: str = "projection",
        group: int = 4,
    ) -> None:
        super().__init__()
        widths = _widths(image_size, width)[::-1]
        self.num_classes = num_classes
        self.from_image = EqualConvolution(channels, widths[0], 1)
        self.blocks = nn.Sequential(*(_ResidualBlock(a, b) for a, b in pairwise(widths)))
        self.deviation = MinibatchDeviation(group)
        self.last = EqualConvolution(widths[-1] + 1, widths[-1])
        self.dense = EqualLinear(widths[-1] * COARSEST**2, widths[-1])
        self.head = EqualLinear(widths[-1], 1)
        self.verdict = ClassVerdict(num_classes, widths[-1], label_head)
        self.auxiliary = self.verdict.auxiliary
        self.scale = widths[-1] ** -0.5 if num_classes and not self.auxiliary else 1.0
        if spectral_norm:
            apply_spectral_norm(self)

    def features(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to features ``(B, F)``."""
        maps = self.blocks(activated(self.from_image(images)))
        maps = activated(self.last(self.deviation(maps)))
        return activated(self.dense(maps.flatten(1)))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)`` and labels ``(B,)`` to logits ``(B,)`` or ``(B, 1 + K)``.

        Raises:
            ValueError: If a projection is given no labels.
        """
        features = self.features(images)
        logits: Tensor = self.head(features).flatten()
        # the inner product with an embedding of unit variance has that of the features
        verdict: Tensor = self.verdict(logits, features * self.scale, labels)
        return verdict
