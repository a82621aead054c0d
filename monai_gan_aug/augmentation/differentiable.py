"""Differentiable augmentation: what the discriminator sees, real and generated alike."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["DiffAugment"]


def _uniform(images: Tensor) -> Tensor:
    return torch.rand(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)


def shift_brightness(images: Tensor) -> Tensor:
    """Add a number in ``[-0.5, 0.5]`` per image, shape ``(B, C, H, W)``."""
    return images + (_uniform(images) - 0.5)


def scale_saturation(images: Tensor) -> Tensor:
    """Scale the distance from the mean over channels by ``[0, 2]`` (grey images: unchanged)."""
    if images.shape[1] == 1:
        return images
    grey = images.mean(1, keepdim=True)
    return torch.lerp(grey, images, 2 * _uniform(images))


def scale_contrast(images: Tensor) -> Tensor:
    """Scale the distance from the mean of the image by ``[0.5, 1.5]``."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, 0.5 + _uniform(images))


def translate(images: Tensor, ratio: float = 0.125) -> Tensor:
    """Move each image by up to ``ratio`` of its size in either direction; zeros enter."""
    batch, _, height, width = images.shape
    reach_y, reach_x = round(height * ratio), round(width * ratio)
    padded = nn.functional.pad(images, (reach_x, reach_x, reach_y, reach_y))
    top = torch.randint(2 * reach_y + 1, (batch, 1, 1), device=images.device)
    left = torch.randint(2 * reach_x + 1, (batch, 1, 1), device=images.device)
    rows = top + torch.arange(height, device=images.device)[None, :, None]
    columns = left + torch.arange(width, device=images.device)[None, None, :]
    which = torch.arange(batch, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2)


def cut_out(images: Tensor, ratio: float = 0.5) -> Tensor:
    """Zero one square of ``ratio`` times the size per image, partly outside at the borders."""
    batch, _, height, width = images.shape

    def outside(size: int) -> Tensor:
        side = int(size * ratio + 0.5)
        start = torch.randint(size + 1 - side % 2, (batch, 1), device=images.device) - side // 2
        distance = torch.arange(size, device=images.device)[None] - start
        return (distance < 0) | (distance >= side)

    kept = outside(height)[:, None, :, None] | outside(width)[:, None, None, :]
    return images * kept


OPERATIONS: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {
    "color": (shift_brightness, scale_saturation, scale_contrast),
    "translation": (translate,),
    "cutout": (cut_out,),
}


class DiffAugment:
    """Augment a batch at random so that gradients still reach the images.

    With few images the discriminator learns them by heart; augmenting everything it sees, real
    and generated, delays that without teaching the generator to draw augmented images.

    Args:
        policy: Comma-separated names out of ``color``, ``translation`` and ``cutout``, in the
            order they are applied; an empty text changes nothing.

    Raises:
        ValueError: If a name is unknown.

    References:
        Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training".
        https://arxiv.org/abs/2006.10738

    Example:
        >>> DiffAugment("color,translation")(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(self, policy: str | None = "color,translation,cutout") -> None:
        names = [name.strip() for name in (policy or "").split(",") if name.strip()]
        unknown = [name for name in names if name not in OPERATIONS]
        if unknown:
            raise ValueError(f"`policy` may name {sorted(OPERATIONS)}, got {unknown}.")
        self.policy = ",".join(names)
        self.operations = [operation for name in names for operation in OPERATIONS[name]]

    def __call__(self, images: Tensor) -> Tensor:
        """Augment images ``(B, C, H, W)`` in ``[-1, 1]``; values may leave that range."""
        for operation in self.operations:
            images = operation(images)
        return images

    def __repr__(self) -> str:
        return f"DiffAugment(policy={self.policy!r})"
