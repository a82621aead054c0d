"""Convolutions joined with a doubling or a halving of the image.

Nearest-neighbour doubling before a 3 x 3 convolution, or 2 x 2 averaging after it, are sums over
shifted kernels: one 4 x 4 convolution of stride 2 gives the same numbers, borders included, with
less than half the multiplications and no large intermediate.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["DownConvolution", "UpConvolution", "averaging_kernel", "doubling_kernel"]


def _folded(small: Tensor, weight: Tensor) -> Tensor:
    """Sum ``(3, 3, A, B)`` kernels over the shifts of a 2 x 2 box: ``(A, B, 4, 4)``.

    The two last axes are large, which makes the sums fast; the result is stored as ``weight`` is.
    """
    # A pixel that was doubled meets every weight at two neighbouring places; so does one of two
    # that will be averaged. Adding the kernel to itself, shifted by one, says the same: padded with
    # a zero on either side it has 5 entries per axis, and 4 sums of neighbours.
    rows = functional.pad(small, (0, 0, 0, 0, 0, 0, 1, 1))
    rows = rows[1:] + rows[:-1]
    columns = functional.pad(rows, (0, 0, 0, 0, 1, 1))
    large = (columns[:, 1:] + columns[:, :-1]).permute(2, 3, 0, 1)
    if weight.is_contiguous(memory_format=torch.channels_last):
        return large.contiguous(memory_format=torch.channels_last)
    return large.contiguous()


def doubling_kernel(weight: Tensor) -> Tensor:
    """Kernel ``(I, O, 4, 4)`` for ``conv_transpose2d(..., stride=2, padding=1)``.

    Args:
        weight: Kernel ``(O, I, 3, 3)`` that would follow nearest-neighbour doubling.
    """
    # a transposed convolution walks through its kernel backwards
    return _folded(weight.permute(2, 3, 1, 0).flip(0, 1), weight)


def averaging_kernel(weight: Tensor) -> Tensor:
    """Kernel ``(O, I, 4, 4)`` for ``conv2d(..., stride=2, padding=1)``.

    Args:
        weight: Kernel ``(O, I, 3, 3)`` that 2 x 2 averaging would follow.
    """
    return 0.25 * _folded(weight.permute(2, 3, 0, 1), weight)


class UpConvolution(nn.Conv2d):
    """Double height and width by nearest neighbours, then convolve 3 x 3.

    Args:
        in_channels: Channels that enter, shape ``(B, I, H, W)``.
        out_channels: Channels that leave, shape ``(B, O, 2 H, 2 W)``.
        bias: Whether a number per channel is added.

    Example:
        >>> UpConvolution(8, 4)(torch.zeros(2, 8, 4, 4)).shape
        torch.Size([2, 4, 8, 8])
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``(B, I, H, W)`` to maps ``(B, O, 2 H, 2 W)``."""
        # folded anew in every pass, so that gradients reach the 3 x 3 kernel that is learned
        kernel = doubling_kernel(self.weight)
        return functional.conv_transpose2d(maps, kernel, self.bias, stride=2, padding=1)


class DownConvolution(nn.Conv2d):
    """Convolve 3 x 3, then average over squares of 2 x 2 pixels.

    Args:
        in_channels: Channels that enter, shape ``(B, I, 2 H, 2 W)``.
        out_channels: Channels that leave, shape ``(B, O, H, W)``.
        bias: Whether a number per channel is added.

    Example:
        >>> DownConvolution(4, 8)(torch.zeros(2, 4, 8, 8)).shape
        torch.Size([2, 8, 4, 4])
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``(B, I, 2 H, 2 W)`` to maps ``(B, O, H, W)``."""
        kernel = averaging_kernel(self.weight)
        return functional.conv2d(maps, kernel, self.bias, stride=2, padding=1)
