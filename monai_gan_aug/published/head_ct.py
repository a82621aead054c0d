"""Head CT (32 x 32 x 1, one GAN per class): its networks, the layout of its data.

Its classifier is the ResNet-50 of :mod:`monai_gan_aug.networks.classifiers`.
"""

from pathlib import Path
from typing import Any

from monai.networks.blocks.convolutions import Convolution
from torch import nn

from monai_gan_aug.networks.classifiers import register_classifier, registered_classifier
from monai_gan_aug.networks.initialisation import normal_initialisation
from monai_gan_aug.networks.unconditional import (
    UnconditionalDiscriminator,
    UnconditionalGenerator,
    require_multiple,
)
from monai_gan_aug.published.layouts import Layout, NumberedTable, only_file, register_layout
from monai_gan_aug.records.datalist import NO_GROUPING

__all__ = ["Discriminator", "Generator", "data_layout"]

WIDTH = 128
SLOPE = 0.01
LEAKY = ("leakyrelu", {"negative_slope": SLOPE})


class Generator(UnconditionalGenerator):
    """A linear layer to 16 x 16 x 128, then 5 x 5 convolutions around one doubling.

    The batch norm after the linear layer acts on the flat vector of 32,768 numbers.

    Args:
        image_size: Height and width ``S`` of the images, even; published 32.
        channels: Channels ``C`` of the images; published 1.
        latent_size: Width ``Z`` of the latents; published 100.

    Raises:
        ValueError: If the size is odd.

    Example:
        >>> sum(p.numel() for p in Generator().parameters())
        4870785
    """

    def __init__(self, image_size: int = 32, channels: int = 1, latent_size: int = 100) -> None:
        super().__init__()
        side = require_multiple(image_size, 2) // 2
        self.latent_size = latent_size
        self.blocks = nn.Sequential(
            nn.Linear(latent_size, WIDTH * side * side),
            nn.BatchNorm1d(WIDTH * side * side),
            nn.LeakyReLU(SLOPE),
            nn.Unflatten(1, (WIDTH, side, side)),
            _block(kernel_size=5),
            _block(kernel_size=4, strides=2, padding=1, output_padding=0, is_transposed=True),
            _block(kernel_size=5),
            _block(kernel_size=5),
            Convolution(2, WIDTH, channels, kernel_size=5, conv_only=True),
            nn.Tanh(),
        )
        normal_initialisation(self)


class Discriminator(UnconditionalDiscriminator):
    """One 3 x 3 and three strided 4 x 4 convolutions, each with batch norm, then dropout.

    The layer list that the source prints has another number of parameters; this is the network
    whose number the source states.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 8; published 32.
        channels: Channels ``C`` of the images; published 1.
        dropout: Chance of dropping a feature before the last layer; published 0.4.

    Raises:
        ValueError: If the size is no multiple of 8.

    Example:
        >>> sum(p.numel() for p in Discriminator().parameters())
        791169
    """

    def __init__(self, image_size: int = 32, channels: int = 1, dropout: float = 0.4) -> None:
        super().__init__()
        side = require_multiple(image_size, 8) // 8
        self.blocks = nn.Sequential(
            _block(in_channels=channels, kernel_size=3),
            *(_block(kernel_size=4, strides=2, padding=1) for _ in range(3)),
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTH * side * side, 1))
        normal_initialisation(self)


def _block(in_channels: int = WIDTH, **convolution: Any) -> Convolution:
    return Convolution(
        2, in_channels, WIDTH, adn_ordering="NA", norm="batch", act=LEAKY, **convolution
    )


@register_layout("head_ct")
def data_layout(folder: Path) -> Layout:
    """``labels.csv``, and images named by their number."""
    table = only_file(folder, "labels.csv", "the table of labels")
    return Layout(
        folder,
        NumberedTable(
            table,
            image="id",
            label="hemorrhage",
            labels={"0": "normal", "1": "haemorrhage"},
            digits=3,
        ),
        expected=200,
        group=NO_GROUPING,
        caveats=("The set names no patients; each slice is taken for a patient of its own.",),
    )


# The source states neither the learning rate nor the length.
@register_classifier("head_ct", image_size=32, channels=1, learning_rate=1e-4, batch_size=16)
def _build(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    build = registered_classifier("resnet50").build
    return build(channels, num_classes, image_size, dropout)
