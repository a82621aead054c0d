"""Features of images that need no download."""

import torch
from torch import Tensor, nn

__all__ = ["RandomFeatures"]


class RandomFeatures(nn.Module):
    """Pooled responses of a fixed random convolutional network.

    Networks trained on photographs are not at hand offline and know little of medical images;
    random ones compare texture and layout well enough to rank sets of the same kind. Values
    have no absolute scale.

    Args:
        channels: Channels of the images.
        seed: Seed of the weights; it is part of the recipe of every number computed from them.

    Attributes:
        num_features: Width ``F`` of the features.

    References:
        Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models",
        section 4.3. https://arxiv.org/abs/2002.09797

    Example:
        >>> RandomFeatures(channels=1)(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 224])
    """

    WIDTHS = (32, 64, 128)

    def __init__(self, channels: int, seed: int = 0) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList()
        for entering, leaving in zip((channels, *self.WIDTHS[:-1]), self.WIDTHS, strict=True):
            layer = nn.utils.skip_init(  # the default weights would move the global generator
                nn.Conv2d, entering, leaving, 3, stride=2, padding=1, bias=False
            )
            nn.init.orthogonal_(layer.weight, gain=2**0.5, generator=draw)
            self.layers.append(layer)
        self.num_features = sum(self.WIDTHS)
        self.channels = channels
        self.seed = seed
        self.eval().requires_grad_(False)

    @property
    def recipe(self) -> dict[str, int | str]:
        """What must agree for two values to be comparable."""
        return {"features": "random convolutions", "channels": self.channels, "seed": self.seed}

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` in ``[-1, 1]`` to features ``(B, F)``."""
        pooled = []
        for layer in self.layers:
            images = torch.relu(layer(images))
            pooled.append(images.mean((2, 3)))
        return torch.cat(pooled, dim=1)
