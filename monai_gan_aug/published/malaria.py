"""Malaria (cells, 64 x 64 x 3, one GAN per class): networks, classifiers, layout of the data.

The source prints the tables of its generator and discriminator under each other's name.
"""

from itertools import pairwise
from pathlib import Path

from monai.networks.blocks.convolutions import Convolution
from torch import Tensor, nn

from monai_gan_aug.data.sources import FolderSource
from monai_gan_aug.errors import DataError
from monai_gan_aug.networks.classifiers import register_classifier
from monai_gan_aug.networks.initialisation import normal_initialisation
from monai_gan_aug.networks.preactivation import PreactivationResNet
from monai_gan_aug.networks.unconditional import (
    UnconditionalDiscriminator,
    UnconditionalGenerator,
    require_multiple,
)
from monai_gan_aug.published.layouts import Layout, register_layout, require_folders

__all__ = ["Classifier", "Discriminator", "Generator", "data_layout"]

LEAKY = ("leakyrelu", {"negative_slope": 0.2})
DROPOUT = 0.25


class Generator(UnconditionalGenerator):
    """A linear layer to 4 x 4 x 256, then four doublings, each with a 3 x 3 convolution.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 16; published 64.
        channels: Channels ``C`` of the images; published 3.
        latent_size: Width ``Z`` of the latents; published 100.

    Raises:
        ValueError: If the size is no multiple of 16.

    Example:
        >>> sum(p.numel() for p in Generator().parameters())
        2041475
    """

    def __init__(self, image_size: int = 64, channels: int = 3, latent_size: int = 100) -> None:
        super().__init__()
        side = require_multiple(image_size, 16) // 16
        self.latent_size = latent_size
        widths = (256, 256, 256, 128, 128)
        self.blocks = nn.Sequential(
            nn.Linear(latent_size, widths[0] * side * side),
            nn.ReLU(),
            nn.Unflatten(1, (widths[0], side, side)),
            *(
                nn.Sequential(
                    nn.Upsample(scale_factor=2),
                    Convolution(2, a, b, adn_ordering="NA", norm="batch", act="relu"),
                )
                for a, b in pairwise(widths)
            ),
            Convolution(2, widths[-1], channels, conv_only=True),
            nn.Tanh(),
        )
        normal_initialisation(self)


class Discriminator(UnconditionalDiscriminator):
    """Five 3 x 3 convolutions of strides 2, 2, 2, 1, 1; a zero row and column before the norm.

    After the second convolution the map is padded from 16 to 17 on the right and at the bottom,
    so that the third leaves 9 x 9.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 16; published 64.
        channels: Channels ``C`` of the images; published 3.
        dropout: Chance of dropping a feature after every block.

    Raises:
        ValueError: If the size is no multiple of 16.

    Example:
        >>> sum(p.numel() for p in Discriminator().parameters())
        1611969
    """

    def __init__(self, image_size: int = 64, channels: int = 3, dropout: float = DROPOUT) -> None:
        super().__init__()
        side = require_multiple(image_size, 16) // 8 + 1
        self.blocks = nn.Sequential(
            Convolution(2, channels, 32, strides=2, adn_ordering="AD", act=LEAKY, dropout=dropout),
            Convolution(2, 32, 64, strides=2, conv_only=True),
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout),
            *(
                Convolution(
                    2,
                    a,
                    b,
                    strides=stride,
                    adn_ordering="NAD",
                    norm="batch",
                    act=LEAKY,
                    dropout=dropout,
                )
                for a, b, stride in ((64, 128, 2), (128, 256, 1), (256, 512, 1))
            ),
        )
        self.head = nn.Linear(512 * side * side, 1)
        normal_initialisation(self)


class Classifier(nn.Module):
    """The plain classifier of 176,290 parameters, for images of 64 x 64 pixels.

    The source reports 52 to 55 % with it on balanced data, which is chance: an error there, not
    a property of this network.

    Args:
        channels: Channels of the images; published 3.
        num_classes: Number of logits; published 2.
        dropout: Chance of dropping a feature before the last layer; published 0.

    Example:
        >>> sum(p.numel() for p in Classifier().parameters())
        176290
    """

    def __init__(self, channels: int = 3, num_classes: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        widths = (channels, 32, 32, 64)
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    Convolution(2, a, b, padding=0, adn_ordering="A", act="relu"), nn.MaxPool2d(2)
                )
                for a, b in pairwise(widths)
            )
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64 * 6 * 6, 64),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(64, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, 64, 64)`` in ``[-1, 1]`` to logits ``(B, num_classes)``.

        Raises:
            ValueError: If the images have another size.
        """
        if images.shape[-2:] != (64, 64):
            raise ValueError(f"Images must be 64 x 64, got {tuple(images.shape[-2:])}.")
        logits: Tensor = self.head(self.stages(images))
        return logits


# The learning rate is not stated by the source.
@register_classifier("malaria_cnn", image_size=64, channels=3, dropout=0.0, learning_rate=1e-3)
def _build(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    if image_size != 64:
        raise ValueError(
            f"`malaria_cnn` needs images of 64 x 64 pixels, got `image_size` {image_size}."
        )
    return Classifier(channels, num_classes, dropout)


@register_classifier("malaria_resnet", image_size=64, channels=3, dropout=0.0, learning_rate=1e-3)
def _build_resnet(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    return PreactivationResNet(channels, num_classes, dropout=dropout)


@register_layout("malaria", former="nih_malaria")
def data_layout(folder: Path) -> Layout:
    """One folder per class, in ``cell_images`` or not; names begin with the patient."""
    inner = folder / "cell_images"
    root = inner if inner.is_dir() else folder
    if (root / "cell_images").is_dir():
        raise DataError(
            f"{root.name} holds a second folder cell_images, a copy of the whole set that some "
            "archives contain: remove the inner one."
        )
    require_folders(root, ["parasitized", "uninfected"])
    return Layout(root, FolderSource(patient_pattern=r"^(C\d+(?:P\d+)?)"), expected=27_558)
