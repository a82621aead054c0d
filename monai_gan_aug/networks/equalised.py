"""Layers whose learning rate is equalised: unit normal weights, scaled as they are used."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.networks.resampling import averaging_kernel, doubling_kernel

__all__ = [
    "EqualConvolution",
    "EqualLinear",
    "MinibatchDeviation",
    "ModulatedConvolution",
    "activated",
]

GAIN = 2**0.5
SLOPE = 0.2


def activated(maps: Tensor) -> Tensor:
    """Leaky ReLU, scaled so that the second moment is about kept."""
    return functional.leaky_relu(maps, SLOPE) * GAIN


class EqualLinear(nn.Linear):
    r"""Linear layer with weights from N(0, 1), divided by :math:`\sqrt{I}` as they are used.

    Args:
        in_features: Width ``I`` that enters.
        out_features: Width that leaves.
        bias: Initial value of the biases.
        rate: Factor of the learning rate.

    References:
        Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and
        Variation". https://arxiv.org/abs/1710.10196

    Example:
        >>> EqualLinear(8, 4, bias=1.0)(torch.zeros(2, 8))[0].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(
        self, in_features: int, out_features: int, bias: float = 0.0, rate: float = 1.0
    ) -> None:
        super().__init__(in_features, out_features)
        self.rate = rate
        self.weight_gain = rate / in_features**0.5
        nn.init.normal_(self.weight, 0.0, 1 / rate)
        nn.init.constant_(self.bias, bias / rate)

    def forward(self, values: Tensor) -> Tensor:
        """Values ``(B, I)`` to values ``(B, O)``."""
        return functional.linear(values, self.weight * self.weight_gain, self.bias * self.rate)


class EqualConvolution(nn.Conv2d):
    """Convolution with weights from N(0, 1), scaled as they are used; halving on request.

    Args:
        in_channels: Channels ``I`` that enter.
        out_channels: Channels ``O`` that leave.
        kernel_size: 1 or 3.
        down: Whether 2 x 2 pixels are averaged afterwards (``kernel_size`` 3).
        bias: Whether a number per channel is added.

    References:
        Karras et al., https://arxiv.org/abs/1710.10196

    Example:
        >>> EqualConvolution(2, 4, down=True)(torch.zeros(1, 2, 8, 8)).shape
        torch.Size([1, 4, 4, 4])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        down: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)
        self.down = down
        self.weight_gain = (in_channels * kernel_size**2) ** -0.5
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``(B, I, H, W)`` to maps ``(B, O, H, W)``, or half that size."""
        weight = self.weight * self.weight_gain
        if self.down:
            return functional.conv2d(maps, averaging_kernel(weight), self.bias, 2, padding=1)
        return functional.conv2d(maps, weight, self.bias, padding=self.kernel_size[0] // 2)


class ModulatedConvolution(nn.Module):
    r"""Convolution whose input channels are scaled per image, by a style.

    With :math:`w'_{oik} = s_i w_{oik}` the kernel of an image is :math:`w'_{oik}`, divided by
    :math:`\sqrt{\sum_{ik} w'^2_{oik} + \epsilon}` if demodulated. Scaling the maps before and
    after one convolution for the whole batch gives the same as one kernel per image.

    Args:
        in_channels: Channels ``I`` that enter.
        out_channels: Channels ``O`` that leave.
        style_size: Width ``Z`` of the styles.
        kernel_size: 1 or 3.
        up: Whether the maps are doubled first (``kernel_size`` 3).
        demodulate: Whether the kernel of each image is normalised.

    References:
        Karras et al., "Analyzing and Improving the Image Quality of StyleGAN".
        https://arxiv.org/abs/1912.04958

    Example:
        >>> ModulatedConvolution(4, 2, 8, up=True)(torch.zeros(3, 4, 8, 8), torch.zeros(3, 8)).shape
        torch.Size([3, 2, 16, 16])
    """

    EPSILON = 1e-8

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_size: int,
        kernel_size: int = 3,
        up: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.up = up
        self.demodulate = demodulate
        self.style = EqualLinear(style_size, in_channels, bias=1.0)
        shape = (out_channels, in_channels, kernel_size, kernel_size)
        self.weight = nn.Parameter(torch.randn(shape))
        self.weight_gain = (in_channels * kernel_size**2) ** -0.5

    def forward(self, maps: Tensor, styles: Tensor) -> Tensor:
        """Maps ``(B, I, H, W)`` and styles ``(B, Z)`` to maps ``(B, O, H, W)`` or twice that."""
        weight = self.weight * self.weight_gain
        scale = self.style(styles)
        maps = maps * scale.to(maps.dtype)[:, :, None, None]
        if self.up:
            kernel = doubling_kernel(weight)
            maps = functional.conv_transpose2d(maps, kernel, stride=2, padding=1)
        else:
            maps = functional.conv2d(maps, weight, padding=weight.shape[2] // 2)
        if self.demodulate:
            # in single precision: squares of half precision overflow at 256
            power = scale.float().square() @ weight.square().sum((2, 3)).T
            maps = maps * torch.rsqrt(power + self.EPSILON).to(maps.dtype)[:, :, None, None]
        return maps


class MinibatchDeviation(nn.Module):
    """Append a channel with the deviation among images of a group: collapse becomes visible.

    Groups consist of images ``i``, ``i + B / G``, ``i + 2 B / G``, … of the batch; a batch that
    ``size`` does not divide is one group.

    Args:
        size: Images ``G`` per group.

    References:
        Karras et al., https://arxiv.org/abs/1710.10196

    Example:
        >>> MinibatchDeviation()(torch.zeros(4, 2, 4, 4)).shape
        torch.Size([4, 3, 4, 4])
    """

    mixes_images = True

    def __init__(self, size: int = 4) -> None:
        super().__init__()
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``(B, C, H, W)`` to maps ``(B, C + 1, H, W)``."""
        size = self.size if len(maps) % self.size == 0 else len(maps)
        # in single precision: a variance of half precision would underflow just when images are
        # alike, which is what it is there to show
        groups = maps.float().unflatten(0, (size, -1))
        deviation = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
        channel = deviation.to(maps.dtype).repeat(size)[:, None, None, None]
        return torch.cat([maps, channel.expand(-1, 1, *maps.shape[2:])], dim=1)
