"""The residual GAN of Miyato et al., with self-attention on request (Zhang et al.)."""

from itertools import pairwise

import torch
from monai.networks.blocks import Convolution
from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.networks.attention import SelfAttention
from monai_gan_aug.networks.blocks import COARSEST, apply_spectral_norm, halvings
from monai_gan_aug.networks.conditional import (
    ClassVerdict,
    ConditionalBatchNorm,
    ConditionalGenerator,
)
from monai_gan_aug.networks.definitions import DescribedNetwork
from monai_gan_aug.networks.initialisation import glorot_initialisation
from monai_gan_aug.networks.resampling import DownConvolution, UpConvolution

__all__ = ["Discriminator", "Generator"]

WIDEST = 16
RESIDUAL_GAIN = 2**0.5


def _convolution(in_channels: int, out_channels: int, size: int = 3) -> Convolution:
    return Convolution(2, in_channels, out_channels, kernel_size=size, conv_only=True)


def _widths(image_size: int, width: int) -> list[int]:
    """Channels from the finest features to the coarsest."""
    return [width * min(1 << level, WIDEST) for level in range(halvings(image_size) + 1)]


class _UpBlock(nn.Module):
    """Norm, ReLU, doubling with convolution, norm, ReLU, convolution; beside a doubled shortcut."""

    def __init__(self, in_channels: int, out_channels: int, num_classes: int) -> None:
        super().__init__()
        self.first_norm = ConditionalBatchNorm(in_channels, num_classes)
        self.up = UpConvolution(in_channels, out_channels)
        self.second_norm = ConditionalBatchNorm(out_channels, num_classes)
        self.second = _convolution(out_channels, out_channels)
        self.shortcut = _convolution(in_channels, out_channels, 1)

    def forward(self, maps: Tensor, labels: Tensor | None) -> Tensor:
        residual = self.up(functional.relu(self.first_norm(maps, labels)))
        residual = self.second(functional.relu(self.second_norm(residual, labels)))
        # 1 x 1 convolutions and nearest-neighbour doubling commute; this order costs a quarter
        shortcut = functional.interpolate(self.shortcut(maps), scale_factor=2)
        added: Tensor = shortcut + residual
        return added


class _DownBlock(nn.Module):
    """ReLU, convolution, ReLU, convolution with halving; beside a halved shortcut."""

    def __init__(
        self, in_channels: int, out_channels: int, *, first: bool = False, down: bool = True
    ) -> None:
        super().__init__()
        self.is_first = first
        self.down = down
        inner = out_channels if first or down else in_channels
        self.first = _convolution(in_channels, inner)
        second = DownConvolution if down else _convolution
        self.second = second(inner, out_channels)
        self.shortcut = (
            _convolution(in_channels, out_channels, 1)
            if down or in_channels != out_channels
            else None
        )

    def forward(self, maps: Tensor) -> Tensor:
        # images are not rectified: half of them would be lost before any layer has seen it
        residual = maps if self.is_first else functional.relu(maps)
        residual = self.second(functional.relu(self.first(residual)))
        shortcut = functional.avg_pool2d(maps, 2) if self.down else maps
        added: Tensor = residual + (shortcut if self.shortcut is None else self.shortcut(shortcut))
        return added


def _initialise(network: nn.Module) -> None:
    """Glorot's law, with the gain of a ReLU inside residual blocks, as in the paper's programs."""
    glorot_initialisation(network)
    for module in network.modules():
        if isinstance(module, _UpBlock | _DownBlock):
            inner = [module.second, module.up if isinstance(module, _UpBlock) else module.first]
            glorot_initialisation(nn.ModuleList(inner), RESIDUAL_GAIN)
        elif isinstance(module, ConditionalBatchNorm) and module.embedding is not None:
            nn.init.zeros_(module.embedding.weight)


class Generator(ConditionalGenerator):
    """Latents to images: a 4 x 4 projection, then a doubling per residual block.

    With ``width`` 64 this is the published network: 1024, 512, 256, 128, 64 channels at 64 px.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        latent_size: Width ``Z`` of the latents.
        width: Channels of the finest features; each halving doubles them, up to 16 times.
        num_classes: Classes of the condition (batch norm); 0 makes it unconditional.
        attention: Size of the maps that attend to themselves; 0 for none.
        spectral_norm: Whether every layer is divided by its spectral norm.

    Raises:
        ValueError: If a size is out of range.

    References:
        Miyato et al., "Spectral Normalization for Generative Adversarial Networks".
        https://arxiv.org/abs/1802.05957; Zhang et al., "Self-Attention Generative Adversarial
        Networks". https://arxiv.org/abs/1805.08318

    Example:
        >>> Generator(image_size=16, latent_size=8, width=4)(torch.zeros(2, 8)).shape
        torch.Size([2, 1, 16, 16])
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        latent_size: int = 128,
        width: int = 64,
        num_classes: int = 0,
        attention: int = 0,
        spectral_norm: bool = False,
    ) -> None:
        super().__init__(latent_size, num_classes)
        widths = _widths(image_size, width)[::-1]
        self.project = nn.Linear(latent_size, widths[0] * COARSEST**2)
        self.blocks = nn.ModuleList(_UpBlock(a, b, num_classes) for a, b in pairwise(widths))
        self.attention_level = _attention_level(attention, image_size)
        if self.attention_level is not None:
            self.attention = SelfAttention(widths[len(widths) - 1 - self.attention_level])
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = _convolution(widths[-1], channels)
        _initialise(self)
        if spectral_norm:
            _spectral_but_for_norms(self)

    def draw(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """The images ``(B, C, S, S)``; see :meth:`ConditionalGenerator.forward`."""
        maps = self.project(latents).unflatten(1, (-1, COARSEST, COARSEST))
        for level, block in zip(reversed(range(len(self.blocks))), self.blocks, strict=True):
            maps = block(maps, labels)
            if level == self.attention_level:
                maps = self.attention(maps)
        return torch.tanh(self.last(functional.relu(self.norm(maps))))


class Discriminator(DescribedNetwork):
    """Images to logits: a halving per residual block, one block at 4 x 4, a sum over space.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        width: Channels of the finest features; each halving doubles them, up to 16 times.
        num_classes: Classes ``K`` of the condition; 0 makes it unconditional.
        spectral_norm: Whether every layer is divided by its spectral norm, as published.
        attention: Size of the maps that attend to themselves; 0 for none.
        label_head: ``"projection"``, or ``"auxiliary"`` for logits ``(B, 1 + K)``.

    Raises:
        ValueError: If a size or kind is out of range.

    References:
        Miyato et al., https://arxiv.org/abs/1802.05957; Miyato and Koyama,
        https://arxiv.org/abs/1802.05637; Zhang et al., https://arxiv.org/abs/1805.08318

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
        spectral_norm: bool = True,
        attention: int = 0,
        label_head: str = "projection",
    ) -> None:
        super().__init__()
        widths = _widths(image_size, width)[1:]
        self.num_classes = num_classes
        self.blocks = nn.ModuleList(
            [
                _DownBlock(channels, widths[0], first=True),
                *(_DownBlock(a, b) for a, b in pairwise(widths)),
                _DownBlock(widths[-1], widths[-1], down=False),
            ]
        )
        self.attention_level = _attention_level(attention, image_size)
        if self.attention_level == 0:
            raise ValueError(f"`attention` must be smaller than the images, got {attention}.")
        if self.attention_level is not None:
            self.attention = SelfAttention(widths[self.attention_level - 1])
        self.head = nn.Linear(widths[-1], 1)
        self.verdict = ClassVerdict(num_classes, widths[-1], label_head)
        self.auxiliary = self.verdict.auxiliary
        _initialise(self)
        if spectral_norm:
            apply_spectral_norm(self)

    def features(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to the coarsest features ``(B, F, 4, 4)``."""
        maps = images
        for level, block in enumerate(self.blocks, start=1):
            maps = block(maps)
            if level == self.attention_level:
                maps = self.attention(maps)
        return functional.relu(maps)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)`` and labels ``(B,)`` to logits ``(B,)`` or ``(B, 1 + K)``.

        Raises:
            ValueError: If a projection is given no labels.
        """
        features = self.features(images).sum((2, 3))
        logits: Tensor = self.verdict(self.head(features).flatten(), features, labels)
        return logits


def _attention_level(attention: int, image_size: int) -> int | None:
    """How many halvings lie between the images and the maps that attend."""
    sizes = [image_size >> level for level in range(halvings(image_size))]
    if not attention:
        return None
    if attention not in sizes:
        raise ValueError(f"`attention` must be 0 or one of {sizes}, got {attention}.")
    return sizes.index(attention)


def _spectral_but_for_norms(generator: Generator) -> None:
    """Leave the embeddings of conditional norms alone: they are gains, not maps of features."""
    for name, module in generator.named_children():
        if name != "blocks":
            apply_spectral_norm(module)
    for block in generator.blocks:
        for name, module in block.named_children():
            if not name.endswith("norm"):
                apply_spectral_norm(module)
