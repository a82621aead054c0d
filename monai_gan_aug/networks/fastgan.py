"""The light GAN of Liu et al. for 100 to 1,000 images: skip-layer excitation, reconstruction."""

from itertools import pairwise

import torch
from monai.networks.blocks import Convolution
from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.networks.blocks import COARSEST, apply_spectral_norm, halvings
from monai_gan_aug.networks.conditional import (
    ClassVerdict,
    ConditionalGenerator,
    LabelledLatent,
)
from monai_gan_aug.networks.definitions import DescribedNetwork
from monai_gan_aug.networks.initialisation import normal_initialisation
from monai_gan_aug.networks.resampling import UpConvolution

__all__ = ["Discriminator", "Generator", "SkipLayerExcitation"]

WIDEST = 16
SKIP = 16
SKIPPING_FROM = 32
SLOPE = ("leakyrelu", {"negative_slope": 0.2, "inplace": True})


def _width_at(side: int, image_size: int, width: int) -> int:
    return width * min(image_size // side, WIDEST)


def _gated(in_channels: int) -> nn.Sequential:
    """Batch norm and a gated linear unit, which leaves half the channels."""
    return nn.Sequential(nn.BatchNorm2d(in_channels), nn.GLU(1))


class SkipLayerExcitation(nn.Module):
    """Weigh the channels of fine maps by what coarse maps hold.

    Args:
        coarse_channels: Channels of the coarse maps, at least 4 x 4 pixels.
        fine_channels: Channels of the fine maps.

    References:
        Liu et al., "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image
        Synthesis". https://arxiv.org/abs/2101.04775

    Example:
        >>> excite = SkipLayerExcitation(8, 4)
        >>> excite(torch.zeros(2, 8, 4, 4), torch.ones(2, 4, 64, 64)).shape
        torch.Size([2, 4, 64, 64])
    """

    def __init__(self, coarse_channels: int, fine_channels: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(COARSEST),
            nn.Conv2d(coarse_channels, fine_channels, COARSEST, bias=False),
            nn.SiLU(),
            nn.Conv2d(fine_channels, fine_channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Coarse maps ``(B, I, h, w)`` and fine maps ``(B, O, H, W)`` to fine maps."""
        weighted: Tensor = fine * self.weigh(coarse)
        return weighted


class _Noise(nn.Module):
    """Add normal noise of a learned strength, one number per position; none in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        if not self.training:
            return maps
        return maps + self.strength * torch.randn_like(maps[:, :1])


class _UpBlock(nn.Sequential):
    """Doubling with convolution and gate; every other time a second convolution, and noise."""

    def __init__(self, in_channels: int, out_channels: int, *, second: bool) -> None:
        layers: list[nn.Module] = [UpConvolution(in_channels, 2 * out_channels, bias=False)]
        layers += [_Noise()] if second else []
        layers += [_gated(2 * out_channels)]
        if second:
            again = Convolution(2, out_channels, 2 * out_channels, bias=False, conv_only=True)
            layers += [again, _Noise(), _gated(2 * out_channels)]
        super().__init__(*layers)


class Generator(ConditionalGenerator):
    """Latents to images: doublings with gates; coarse maps excite those 16 times finer.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 8.
        channels: Channels ``C`` of the images.
        latent_size: Width ``Z`` of the latents.
        width: Channels of the finest features; each halving doubles them, up to 16 times.
        num_classes: Classes of the condition (not published; an embedding multiplied into the
            latent); 0 makes it unconditional.

    Raises:
        ValueError: If a size is out of range.

    References:
        Liu et al., https://arxiv.org/abs/2101.04775

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
    ) -> None:
        super().__init__(latent_size, num_classes)
        sides = [COARSEST << level for level in range(halvings(image_size) + 1)]
        widths = {side: _width_at(side, image_size, width) for side in sides}
        self.condition = LabelledLatent(num_classes, latent_size) if num_classes else None
        self.project = nn.Linear(latent_size, 2 * widths[COARSEST] * COARSEST**2, bias=False)
        self.gate = _gated(2 * widths[COARSEST])
        self.blocks = nn.ModuleList(
            _UpBlock(widths[side // 2], widths[side], second=level % 2 == 0)
            for level, side in enumerate(sides[1:])
        )
        self.excitations = nn.ModuleDict(
            {
                str(side): SkipLayerExcitation(widths[_source(side)], widths[side])
                for side in sides
                if side >= SKIPPING_FROM
            }
        )
        self.last = Convolution(2, width, channels, bias=False, conv_only=True)
        normal_initialisation(self)

    def draw(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """The images ``(B, C, S, S)``; see :meth:`ConditionalGenerator.forward`."""
        if self.condition is not None:
            latents = self.condition(latents, labels)
        maps = self.gate(self.project(latents).unflatten(1, (-1, COARSEST, COARSEST)))
        seen = {COARSEST: maps}
        for block in self.blocks:
            maps = block(maps)
            side = maps.shape[-1]
            if str(side) in self.excitations:
                maps = self.excitations[str(side)](seen[_source(side)], maps)
            seen[side] = maps
        return torch.tanh(self.last(maps))


def _source(side: int) -> int:
    """Size of the maps that excite maps of size ``side``."""
    return max(COARSEST, side // SKIP)


class _DownBlock(nn.Module):
    """Mean of a strided convolution followed by another, and of averaging with a 1 x 1 one."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _normed(in_channels, out_channels, 4, 2, padding=1),
            _normed(out_channels, out_channels),
        )
        self.direct = nn.Sequential(nn.AvgPool2d(2), _normed(in_channels, out_channels, 1))

    def forward(self, maps: Tensor) -> Tensor:
        mean: Tensor = (self.main(maps) + self.direct(maps)) / 2
        return mean


def _normed(
    in_channels: int, out_channels: int, size: int = 3, stride: int = 1, padding: int | None = None
) -> Convolution:
    return Convolution(
        2,
        in_channels,
        out_channels,
        kernel_size=size,
        strides=stride,
        padding=padding,
        bias=False,
        adn_ordering="NA",
        norm="batch",
        act=SLOPE,
    )


class _Decoder(nn.Sequential):
    """Maps of 8 x 8 to a small picture, by doublings with gates."""

    def __init__(self, in_channels: int, width: int, channels: int, doublings: int) -> None:
        widths = [max(width, in_channels >> level) for level in range(1, doublings + 1)]
        super().__init__(
            *(_UpBlock(a, b, second=False) for a, b in pairwise([in_channels, *widths])),
            Convolution(2, widths[-1], channels, bias=False, conv_only=True),
            nn.Tanh(),
        )


class Discriminator(DescribedNetwork):
    """Images to logits, from features out of which the images can be drawn again.

    The logit is the mean over a map of 5 x 5 local verdicts. Beside the published network it has
    one branch instead of two.

    Args:
        image_size: Height and width ``S`` of the images, a power of two, at least 16.
        channels: Channels ``C`` of the images.
        width: Channels of the finest features; each halving doubles them, up to 16 times.
        num_classes: Classes ``K`` of the condition; 0 makes it unconditional.
        spectral_norm: Whether every layer is divided by its spectral norm, as published.
        label_head: ``"projection"``, or ``"auxiliary"`` for logits ``(B, 1 + K)``.

    Raises:
        ValueError: If a size or kind is out of range.

    References:
        Liu et al., https://arxiv.org/abs/2101.04775

    Example:
        >>> Discriminator(image_size=16, width=4)(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2])
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 1,
        width: int = 16,
        num_classes: int = 0,
        spectral_norm: bool = True,
        label_head: str = "projection",
    ) -> None:
        super().__init__()
        if halvings(image_size) < 2:
            raise ValueError(f"`image_size` must be at least 16, got {image_size}.")
        sides = [image_size >> level for level in range(1, halvings(image_size))]
        widths = [_width_at(side, image_size, width) for side in sides]
        self.num_classes = num_classes
        self.stem = Convolution(
            2,
            channels,
            widths[0],
            kernel_size=4,
            strides=2,
            padding=1,
            bias=False,
            adn_ordering="A",
            act=SLOPE,
        )
        self.blocks = nn.ModuleList(_DownBlock(a, b) for a, b in pairwise(widths))
        self.head = nn.Sequential(
            _normed(widths[-1], widths[-1], 1),
            nn.Conv2d(widths[-1], 1, COARSEST, bias=False),
        )
        self.verdict = ClassVerdict(num_classes, widths[-1], label_head)
        self.auxiliary = self.verdict.auxiliary
        self.whole = _Decoder(widths[-1], width, channels, min(2, len(widths)))
        self.part = _Decoder(widths[-2], width, channels, 1) if len(widths) > 1 else None
        normal_initialisation(self)
        if spectral_norm:
            for module in (self.stem, self.blocks, self.head, self.verdict):
                apply_spectral_norm(module)

    def features(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to the coarsest features ``(B, F, 8, 8)``."""
        return self._maps(images)[-1]

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)`` and labels ``(B,)`` to logits ``(B,)`` or ``(B, 1 + K)``.

        Raises:
            ValueError: If a projection is given no labels.
        """
        features = self.features(images)
        logits: Tensor = self.verdict(self.head(features).mean((1, 2, 3)), features, labels)
        return logits

    def reconstructions(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What the features of real images keep of them.

        Args:
            images: Shape ``(B, C, S, S)``.

        Returns:
            Pairs of a picture that was decoded and what it should be, shape ``(B, C, s, s)``:
            the image as a whole, and a quarter of it, the same for the batch, drawn at random.
        """
        maps = self._maps(images)
        whole = self.whole(maps[-1])
        pairs = [(whole, functional.adaptive_avg_pool2d(images, whole.shape[-2:]))]
        if self.part is not None:
            row, column = torch.randint(2, (2,)).tolist()
            part = self.part(_quarter(maps[-2], row, column))
            wanted = _quarter(images, row, column)
            pairs.append((part, functional.adaptive_avg_pool2d(wanted, part.shape[-2:])))
        return pairs

    def _maps(self, images: Tensor) -> list[Tensor]:
        maps = [self.stem(images)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps


def _quarter(maps: Tensor, row: int, column: int) -> Tensor:
    height, width = maps.shape[-2] // 2, maps.shape[-1] // 2
    return maps[..., row * height : (row + 1) * height, column * width : (column + 1) * width]
