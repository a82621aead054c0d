"""Strided convolution blocks of the adversarial networks, on MONAI's ``Convolution``."""

import math
from typing import Any

from monai.networks.blocks import ADN, Convolution
from torch import Tensor, nn
from torch.nn.utils import parametrizations

__all__ = [
    "COARSEST",
    "LatentProjection",
    "apply_spectral_norm",
    "down_block",
    "halvings",
    "up_block",
]

COARSEST = 4
CONVOLUTIONS = (
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
    nn.Embedding,
)


def halvings(image_size: int) -> int:
    """How often a size halves until 4 is left.

    Raises:
        ValueError: If the size is not a power of two, at least 8.

    Example:
        >>> halvings(64)
        4
    """
    count = int(math.log2(image_size)) - 2 if image_size >= 2 * COARSEST else 0
    if count < 1 or COARSEST << count != image_size:
        raise ValueError(f"`image_size` must be a power of two, at least 8, got {image_size}.")
    return count


def down_block(
    in_channels: int,
    out_channels: int,
    *,
    norm: str | tuple[Any, ...] | None = "batch",
    slope: float = 0.2,
    dropout: float = 0.0,
    spatial_dims: int = 2,
) -> Convolution:
    """Halve height and width: bias-free 4 x 4 convolution, norm, dropout, leaky ReLU.

    Args:
        in_channels: Channels that enter, images of shape ``(B, in_channels, H, W)``.
        out_channels: Channels that leave, shape ``(B, out_channels, H / 2, W / 2)``.
        norm: MONAI norm specification, or nothing.
        slope: Negative slope of the leaky ReLU.
        dropout: Probability that a whole channel is zeroed.
        spatial_dims: 2 for images, 3 for volumes.

    Example:
        >>> down_block(1, 8)(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2, 8, 8, 8])
    """
    return Convolution(
        spatial_dims=spatial_dims,
        in_channels=in_channels,
        out_channels=out_channels,
        strides=2,
        kernel_size=4,
        padding=1,
        bias=False,
        adn_ordering="NDA",
        norm=norm,
        act=("leakyrelu", {"negative_slope": slope, "inplace": True}),
        dropout=dropout or None,
        dropout_dim=spatial_dims,
    )


def up_block(
    in_channels: int,
    out_channels: int,
    *,
    norm: str | tuple[Any, ...] | None = "batch",
    act: str | tuple[Any, ...] | None = "relu",
    spatial_dims: int = 2,
) -> Convolution:
    """Double height and width: bias-free 4 x 4 transposed convolution, norm, activation.

    Args:
        in_channels: Channels that enter, features of shape ``(B, in_channels, H, W)``.
        out_channels: Channels that leave, shape ``(B, out_channels, 2 H, 2 W)``.
        norm: MONAI norm specification, or nothing.
        act: MONAI activation specification, or nothing.
        spatial_dims: 2 for images, 3 for volumes.

    Example:
        >>> up_block(8, 4)(torch.zeros(2, 8, 4, 4)).shape
        torch.Size([2, 4, 8, 8])
    """
    return Convolution(
        spatial_dims=spatial_dims,
        in_channels=in_channels,
        out_channels=out_channels,
        strides=2,
        kernel_size=4,
        padding=1,
        output_padding=0,
        is_transposed=True,
        bias=False,
        adn_ordering="NA",
        norm=norm,
        act=act,
    )


class LatentProjection(nn.Module):
    """Spread latents over a 4 x 4 map: the matrix that a transposed convolution would apply.

    Args:
        latent_size: Width ``Z`` of the latents.
        out_channels: Channels ``F`` of the map.
        spatial_dims: 2 for a map, 3 for a cube.

    Example:
        >>> LatentProjection(16, 8)(torch.zeros(2, 16)).shape
        torch.Size([2, 8, 4, 4])
    """

    def __init__(self, latent_size: int, out_channels: int, spatial_dims: int = 2) -> None:
        super().__init__()
        self.linear = nn.Linear(latent_size, out_channels * COARSEST**spatial_dims, bias=False)
        self.unflatten = nn.Unflatten(1, (out_channels, *[COARSEST] * spatial_dims))
        self.adn = ADN("NA", out_channels, act="relu", norm="batch", norm_dim=spatial_dims)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents ``(B, Z)`` to features ``(B, F, 4, 4)``."""
        features: Tensor = self.adn(self.unflatten(self.linear(latents)))
        return features


def apply_spectral_norm(network: nn.Module) -> nn.Module:
    """Divide the weight of every convolution, linear and embedding layer by its spectral norm.

    Layers with an equalised learning rate lose their run-time factor: it would undo the norm.

    Returns:
        The same network, changed in place.

    References:
        Miyato et al., "Spectral Normalization for Generative Adversarial Networks".
        https://arxiv.org/abs/1802.05957
    """
    for module in list(network.modules()):
        if isinstance(module, CONVOLUTIONS):
            parametrizations.spectral_norm(module)
            if hasattr(module, "weight_gain"):
                setattr(module, "weight_gain", 1.0)  # noqa: B010
    return network
