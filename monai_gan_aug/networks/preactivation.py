"""The pre-activation residual network of malaria, which judges its synthetic cells."""

from collections.abc import Sequence

from monai.networks.blocks import ADN, Convolution
from torch import Tensor, nn

__all__ = ["PreactivationResNet"]


class PreactivationResNet(nn.Module):
    """Bottleneck blocks whose norm and activation come before each convolution.

    Args:
        channels: Channels of the images; published 3.
        num_classes: Number of logits; published 2.
        stages: Blocks per stage; every stage but the first halves the map.
        widths: Channels of the stem and of every stage.
        dropout: Chance of dropping a feature before the last layer; published 0.

    Raises:
        ValueError: If there is not one width more than stages.

    References:
        He et al., "Identity Mappings in Deep Residual Networks".
        https://arxiv.org/abs/1603.05027

    Example:
        >>> sum(p.numel() for p in PreactivationResNet().parameters())
        2150472
    """

    def __init__(
        self,
        channels: int = 3,
        num_classes: int = 2,
        stages: Sequence[int] = (3, 4, 6),
        widths: Sequence[int] = (64, 128, 256, 512),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(widths) != len(stages) + 1:
            raise ValueError(f"`widths` must be one more than `stages`, got {widths}, {stages}.")
        self.stem = nn.Sequential(
            nn.BatchNorm2d(channels),
            Convolution(
                2,
                channels,
                widths[0],
                kernel_size=5,
                bias=False,
                adn_ordering="NA",
                norm="batch",
                act="relu",
            ),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        blocks: list[nn.Module] = []
        before = widths[0]
        for stage, (count, width) in enumerate(zip(stages, widths[1:], strict=True)):
            for position in range(count):
                stride = 2 if stage and not position else 1
                blocks.append(_Bottleneck(before, width, stride, project=not position))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            _activation(before),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(before, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` in ``[-1, 1]`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.blocks(self.stem(images)))
        return logits


class _Bottleneck(nn.Module):
    """A 1 x 1, a strided 3 x 3 and a 1 x 1 convolution beside a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, *, project: bool) -> None:
        super().__init__()
        inner = out_channels // 4
        self.activation = _activation(in_channels)
        self.residual = nn.Sequential(
            _convolution(in_channels, inner, 1),
            _activation(inner),
            _convolution(inner, inner, 3, stride),
            _activation(inner),
            _convolution(inner, out_channels, 1),
        )
        self.shortcut = _convolution(in_channels, out_channels, 1, stride) if project else None

    def forward(self, maps: Tensor) -> Tensor:
        active = self.activation(maps)
        kept = maps if self.shortcut is None else self.shortcut(active)
        added: Tensor = self.residual(active) + kept
        return added


def _activation(channels: int) -> ADN:
    return ADN("NA", channels, act="relu", norm="batch", norm_dim=2)


def _convolution(in_channels: int, out_channels: int, size: int, stride: int = 1) -> Convolution:
    return Convolution(
        2, in_channels, out_channels, kernel_size=size, strides=stride, bias=False, conv_only=True
    )
