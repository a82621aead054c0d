"""Self-attention over the positions of a feature map."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SelfAttention"]


class SelfAttention(nn.Module):
    """Add to every position what it finds at all others, at first with weight zero.

    Keys and values are pooled 2 x 2. The product is written out because the fused kernels have
    no second derivative, which gradient penalties need.

    Args:
        channels: Channels ``C``, at least 8.

    Raises:
        ValueError: If there are fewer than eight channels.

    References:
        Zhang et al., "Self-Attention Generative Adversarial Networks".
        https://arxiv.org/abs/1805.08318

    Example:
        >>> maps = torch.randn(2, 8, 4, 4)
        >>> torch.equal(SelfAttention(8)(maps), maps)
        True
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels < 8:
            raise ValueError(f"`channels` must be at least 8, got {channels}.")
        self.query = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.key = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.value = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.out = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps ``(B, C, H, W)``, even sizes, to maps of the same shape."""
        query = self.query(maps).flatten(2)
        key = functional.max_pool2d(self.key(maps), 2).flatten(2)
        value = functional.max_pool2d(self.value(maps), 2).flatten(2)
        attention = (query.transpose(1, 2) @ key).softmax(2)
        attended: Tensor = self.out(
            (value @ attention.transpose(1, 2)).unflatten(2, maps.shape[2:])
        )
        return maps + self.weight * attended
