"""One logit as two."""

import torch
from torch import Tensor, nn

__all__ = ["BinaryLogits"]


class BinaryLogits(nn.Module):
    """Turn the one logit of a two-class network into one per class, without parameters.

    The softmax of ``(0, x)`` is ``(1 - s, s)`` with ``s`` the sigmoid of ``x``, so the
    cross-entropy of the two equals the binary one of ``x``.

    Example:
        >>> BinaryLogits()(torch.tensor([[2.0]]))
        tensor([[0., 2.]])
    """

    def forward(self, logits: Tensor) -> Tensor:
        """Logits ``(B, 1)`` of class 1 to logits ``(B, 2)``."""
        return torch.cat([torch.zeros_like(logits), logits], dim=1)
