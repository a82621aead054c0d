"""The layers that touch the images, as matrix products.

They equal MONAI's 4 x 4 stride-2 convolutions, weight for weight, or
:class:`~monai_gan_aug.networks.resampling.UpConvolution`. Where one or three channels
meet many, a product over patches is several times faster on a CPU than a convolution, most of
all backwards.
"""

from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.networks.resampling import UpConvolution, doubling_kernel

__all__ = ["FromImage", "ToImage", "UpToImage"]

KERNEL, STRIDE, PADDING = 4, 2, 1


class FromImage(nn.Conv2d):
    """Bias-free 4 x 4 convolution of stride 2 whose input has few channels.

    Args:
        in_channels: Channels ``C`` of the images.
        out_channels: Channels ``F`` of the features.

    Example:
        >>> FromImage(1, 8)(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2, 8, 8, 8])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, KERNEL, STRIDE, PADDING, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` to features ``(B, F, H / 2, W / 2)``."""
        height, width = images.shape[-2] // STRIDE, images.shape[-1] // STRIDE
        patches = functional.unfold(images, KERNEL, padding=PADDING, stride=STRIDE)
        features: Tensor = (self.weight.flatten(1) @ patches).unflatten(2, (height, width))
        return features


class ToImage(nn.ConvTranspose2d):
    """Bias-free 4 x 4 transposed convolution of stride 2 whose output has few channels.

    Args:
        in_channels: Channels ``F`` of the features.
        out_channels: Channels ``C`` of the images.

    Example:
        >>> ToImage(8, 1)(torch.zeros(2, 8, 8, 8)).shape
        torch.Size([2, 1, 16, 16])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, KERNEL, STRIDE, PADDING, bias=False)

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        """Features ``(B, F, H, W)`` to images ``(B, C, 2 H, 2 W)``."""
        return _transposed(features, self.weight)


class UpToImage(UpConvolution):
    """Double by nearest neighbours, then convolve 3 x 3 to few channels, with bias.

    Args:
        in_channels: Channels ``F`` of the features.
        out_channels: Channels ``C`` of the images.

    Example:
        >>> UpToImage(8, 1)(torch.zeros(2, 8, 8, 8)).shape
        torch.Size([2, 1, 16, 16])
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(B, F, H, W)`` to images ``(B, C, 2 H, 2 W)``."""
        images = _transposed(features, doubling_kernel(self.weight))
        return images if self.bias is None else images + self.bias[:, None, None]


def _transposed(features: Tensor, weight: Tensor) -> Tensor:
    size = (STRIDE * features.shape[-2], STRIDE * features.shape[-1])
    patches = weight.flatten(1).T @ features.flatten(2)
    return functional.fold(patches, size, KERNEL, padding=PADDING, stride=STRIDE)
