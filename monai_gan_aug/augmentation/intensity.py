"""Brightness, contrast and noise of a whole batch, each image with its own draw."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from monai_gan_aug.augmentation.operations import Operation, RandomSource

__all__ = ["RandomIntensity", "adjust"]


def adjust(images: Tensor, contrast: Tensor, brightness: Tensor) -> Tensor:
    """Stretch the values about each image's mean, shift them, and clip to ``[-1, 1]``.

    Args:
        images: Shape ``(B, C, H, W)``, range ``[-1, 1]``.
        contrast: Factor per image, shape ``(B,)``.
        brightness: Added per image, shape ``(B,)``.

    Returns:
        New images of the same shape.

    Example:
        >>> adjust(torch.tensor([[[[-0.5, 0.5]]]]), torch.tensor([2.0]), torch.tensor([0.0]))
        tensor([[[[-1.,  1.]]]])
    """
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    offset = mean * (1 - contrast[:, None, None, None]) + brightness[:, None, None, None]
    return torch.addcmul(offset, images, contrast[:, None, None, None]).clamp_(-1, 1)


@dataclass(frozen=True)
class RandomIntensity:
    """The law by which :func:`adjust` and noise are drawn.

    Args:
        contrast: The factor is log-uniform between its inverse and this, at least 1.
        brightness: The shift is uniform between minus and plus this (the range is 2 wide).
        noise: Standard deviation of Gaussian noise is uniform between 0 and this.

    Raises:
        ValueError: If an argument is out of its range.
    """

    contrast: float = 1.0
    brightness: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.contrast < 1 or self.brightness < 0 or self.noise < 0:
            raise ValueError(
                f"`contrast` must be at least 1, `brightness` and `noise` not negative: {self}."
            )

    def __call__(
        self, images: Tensor, generator: torch.Generator, noise_generator: torch.Generator
    ) -> Tensor:
        """Change every image, shape ``(B, C, H, W)``, range ``[-1, 1]``, by its own draw.

        Args:
            images: Not changed in place.
            generator: For the settings, on the CPU (the same ones on every device).
            noise_generator: For the noise, on the device of ``images``.
        """
        settings = torch.rand(3, len(images), generator=generator).to(images.device)
        noise = None
        if self.noise > 0:
            noise = torch.empty_like(images).normal_(generator=noise_generator)
        return self.apply(images, settings, noise)

    def apply(self, images: Tensor, settings: Tensor, noise: Tensor | None) -> Tensor:
        """Change ``images``, shape ``(B, C, H, W)``, by what was drawn.

        Args:
            images: Not changed in place.
            settings: Contrast, brightness and share of the noise, each uniform in ``[0, 1)``, shape
                ``(3, B)``.
            noise: Standard normal numbers of the shape of ``images``; ``None`` for no noise.
        """
        out = adjust(
            images,
            torch.exp((settings[0] * 2 - 1) * math.log(self.contrast)),
            (settings[1] * 2 - 1) * self.brightness,
        )
        if noise is None:
            return out
        deviation = (settings[2] * self.noise)[:, None, None, None]
        return torch.addcmul(out, noise, deviation).clamp_(-1, 1)

    @property
    def operation(self) -> Operation:
        """The law as a change of images."""
        return Operation(self._draw_for, lambda images, drawn: self.apply(images, *drawn))

    def _draw_for(self, images: Tensor, source: RandomSource) -> tuple[Tensor, Tensor | None]:
        device, dtype = images.device, images.dtype
        settings = source.uniform(3, len(images), device=device, dtype=dtype)
        noise = source.normal(*images.shape, device=device, dtype=dtype) if self.noise else None
        return settings, noise
