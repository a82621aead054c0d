"""What generators and discriminators without a condition have in common."""

from torch import Tensor, nn

from monai_gan_aug.networks.definitions import DescribedNetwork

__all__ = ["UnconditionalDiscriminator", "UnconditionalGenerator", "require_multiple"]


def require_multiple(image_size: int, divisor: int) -> int:
    """Return ``image_size`` if it is a positive multiple of ``divisor``.

    Raises:
        ValueError: If it is not.

    Example:
        >>> require_multiple(64, 16)
        64
    """
    if image_size < divisor or image_size % divisor:
        raise ValueError(f"`image_size` must be a multiple of {divisor}, got {image_size}.")
    return image_size


class UnconditionalGenerator(DescribedNetwork):
    """Base of generators that are one sequence of layers, ``blocks``.

    Attributes:
        latent_size: Width ``Z`` of the latents.
    """

    num_classes = 0
    latent_size: int
    blocks: nn.Sequential

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Latents ``(B, Z)``, whatever the labels, to images ``(B, C, S, S)`` in ``[-1, 1]``."""
        images: Tensor = self.blocks(latents)
        return images


class UnconditionalDiscriminator(DescribedNetwork):
    """Base of discriminators that are a sequence of layers, ``blocks``, and a ``head``."""

    num_classes = 0
    blocks: nn.Sequential
    head: nn.Module

    def features(self, images: Tensor) -> Tensor:
        """Images ``(B, C, S, S)`` to the coarsest features ``(B, F, H, W)``."""
        features: Tensor = self.blocks(images)
        return features

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)``, whatever the labels, to logits ``(B,)``."""
        logits: Tensor = self.head(self.features(images).flatten(1)).flatten()
        return logits
