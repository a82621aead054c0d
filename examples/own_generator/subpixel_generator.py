"""A generator that doubles by shuffling channels: an own network for the GAN bundle."""

from itertools import pairwise

from monai.networks.blocks import Convolution, UpSample
from torch import Tensor, nn

from monai_gan_aug.networks.definitions import DescribedNetwork

COARSEST = 4


class SubpixelGenerator(DescribedNetwork):
    """Latents and labels to images, by pixel shuffle and 3 x 3 convolutions.

    What the bundle asks of a generator is the attribute `num_classes` and a call with latents
    (B, Z) and, if it has classes, labels (B,), which gives images (B, C, S, S) in [-1, 1]. With
    `DescribedNetwork` in the place of `nn.Module` its checkpoints know how it was made.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        latent_size: int,
        width: int,
        num_classes: int,
        max_width: int = 128,
    ) -> None:
        super().__init__()
        doublings = (image_size // COARSEST).bit_length() - 1
        widths = [min(max_width, width << n) for n in reversed(range(doublings + 1))]
        self.num_classes = num_classes
        self.embedding = nn.Embedding(num_classes, latent_size) if num_classes else None
        self.project = nn.Linear(latent_size, widths[0] * COARSEST**2)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [
                UpSample(2, before, before, scale_factor=2, mode="pixelshuffle"),
                Convolution(2, before, after, act="relu", norm="batch"),
            ]
        self.blocks = nn.Sequential(
            nn.ReLU(), *layers, Convolution(2, widths[-1], channels, conv_only=True), nn.Tanh()
        )

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Latents (B, Z) and labels (B,) to images (B, C, S, S) in [-1, 1]."""
        if self.embedding is not None:
            latents = latents * self.embedding(labels)
        coarsest = self.project(latents).unflatten(1, (-1, COARSEST, COARSEST))
        images: Tensor = self.blocks(coarsest)
        return images
