"""The classical augmentation every GAN has to beat."""

from dataclasses import replace

import torch
from torch import Tensor

from monai_gan_aug.augmentation.geometric import RandomAffine, warp
from monai_gan_aug.augmentation.intensity import RandomIntensity

__all__ = ["STRENGTHS", "ClassicalAugmentation", "classical_laws"]

STRENGTHS = {
    "none": (RandomAffine(), RandomIntensity()),
    "light": (
        RandomAffine(degrees=7, zoom=1.1, shift=0.05),
        RandomIntensity(contrast=1.15, brightness=0.1),
    ),
    "strong": (
        RandomAffine(degrees=15, zoom=1.25, shift=0.1),
        RandomIntensity(contrast=1.4, brightness=0.25, noise=0.1),
    ),
}


def classical_laws(strength: str, flips: str) -> tuple[RandomAffine, RandomIntensity]:
    """How places and values are drawn.

    Args:
        strength: A name in :data:`STRENGTHS`.
        flips: See :class:`~monai_gan_aug.augmentation.geometric.RandomAffine`.

    Raises:
        ValueError: If a name is unknown.
    """
    if strength not in STRENGTHS:
        raise ValueError(f"`strength` must be one of {list(STRENGTHS)}, got {strength!r}.")
    affine, intensity = STRENGTHS[strength]
    return replace(affine, flips=flips), intensity


class ClassicalAugmentation:
    """Turn, zoom, shift, flip, contrast, brightness and noise on a whole batch on its device.

    Everything is drawn from generators of its own, so the sequence depends on ``seed`` and the
    batch sizes alone.

    Args:
        strength: A name in :data:`STRENGTHS`. ``"none"`` returns the batch unchanged, flips too.
        flips: ``"none"``, ``"horizontal"`` or ``"both"``. A flip must not change what the image
            means: a chest has its heart on the left, a cell has no sides.
        seed: Seed of the sequence.

    Raises:
        ValueError: If a name is unknown.

    Example:
        >>> augment = ClassicalAugmentation("strong", seed=1)
        >>> augment(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(self, strength: str = "strong", *, flips: str = "none", seed: int = 0) -> None:
        self.affine, self.intensity = classical_laws(strength, flips)
        self.strength = strength
        self.seed = seed
        self.generator = torch.Generator().manual_seed(seed)
        self._noise_generators: dict[torch.device, torch.Generator] = {}

    def _noise_generator(self, device: torch.device) -> torch.Generator:
        if device not in self._noise_generators:
            self._noise_generators[device] = torch.Generator(device).manual_seed(self.seed + 1)
        return self._noise_generators[device]

    def __call__(self, images: Tensor) -> Tensor:
        """Augment ``images``, shape ``(B, C, H, W)``, range ``[-1, 1]``; the input is kept."""
        if self.strength == "none":
            return images
        warped = warp(images, self.affine.draw(len(images), self.generator))
        return self.intensity(warped, self.generator, self._noise_generator(images.device))
