"""The one law of the latents, for training, pictures and generation alike."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["draw_latents"]


def draw_latents(
    num_latents: int,
    latent_size: int,
    device: str | torch.device | None = None,
    non_blocking: bool = False,
    *,
    generator: torch.Generator | None = None,
    **kwargs: Any,
) -> Tensor:
    """Standard normal latents; a drop-in for :func:`monai.engines.default_make_latent`.

    The numbers are drawn on the CPU, so a seed gives the same latents on every device.

    Args:
        num_latents: Number of rows ``B``.
        latent_size: Width ``Z``.
        device: Where the result is moved.
        non_blocking: Passed to :meth:`torch.Tensor.to`.
        generator: Source of the numbers, the global one by default.
        kwargs: Passed to :meth:`torch.Tensor.to`.

    Returns:
        A tensor of shape ``(B, Z)``.

    Example:
        >>> draw_latents(2, 3).shape
        torch.Size([2, 3])
    """
    latents = torch.randn(num_latents, latent_size, generator=generator)
    return latents.to(device=device, non_blocking=non_blocking, **kwargs)
