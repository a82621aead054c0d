"""MONAI's own generator and discriminator, as its model zoo puts them together in ``mednist_gan``.

They are here to be compared with: same layers, but images in ``[-1, 1]`` and logits instead of
probabilities, so that this package's losses and metrics apply.
"""

import torch
from monai.networks import normal_init
from monai.networks.nets import Discriminator, Generator
from torch import Tensor

from monai_gan_aug.networks.definitions import DescribedNetwork
from monai_gan_aug.networks.unconditional import require_multiple

__all__ = ["StockDiscriminator", "StockGenerator"]


class StockGenerator(DescribedNetwork):
    """The generator of ``mednist_gan``: a linear layer to ``S / 8``, three doublings.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 8; published 64.
        channels: Channels ``C`` of the images; published 1.
        latent_size: Width ``Z`` of the latents; published 64.

    Raises:
        ValueError: If the size is no multiple of 8.

    Example:
        >>> StockGenerator(image_size=32)(torch.zeros(2, 64)).shape
        torch.Size([2, 1, 32, 32])
    """

    num_classes = 0

    def __init__(self, image_size: int = 64, channels: int = 1, latent_size: int = 64) -> None:
        super().__init__()
        side = require_multiple(image_size, 8) // 8
        self.latent_size = latent_size
        self.network = Generator(
            latent_shape=[latent_size],
            start_shape=(latent_size, side, side),
            channels=[32, 16, 8, channels],
            strides=[2, 2, 2, 1],
        )
        self.network.apply(normal_init)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Latents ``(B, Z)``, whatever the labels, to images ``(B, C, S, S)`` in ``[-1, 1]``."""
        return 2 * torch.sigmoid(self.network(latents)) - 1


class StockDiscriminator(DescribedNetwork):
    """The discriminator of ``mednist_gan``: five residual units of kernel size 5.

    Args:
        image_size: Height and width ``S`` of the images; published 64.
        channels: Channels ``C`` of the images; published 1.

    Example:
        >>> StockDiscriminator(image_size=32)(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2])
    """

    num_classes = 0

    def __init__(self, image_size: int = 64, channels: int = 1) -> None:
        super().__init__()
        self.network = Discriminator(
            in_shape=(channels, image_size, image_size),
            channels=(8, 16, 32, 64, 1),
            strides=(2, 2, 2, 2, 1),
            num_res_units=1,
            kernel_size=5,
            last_act=None,
        )
        self.network.apply(normal_init)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, S, S)`` in ``[-1, 1]``, whatever the labels, to logits ``(B,)``."""
        logits: Tensor = self.network((images + 1) / 2).flatten()
        return logits
