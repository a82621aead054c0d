"""Bone X-ray (64 x 64 x 3, one GAN per class): its networks, classifier and layout of the data."""

from itertools import pairwise
from pathlib import Path

import torch
from monai.networks.blocks.convolutions import Convolution
from torch import Tensor, nn

from monai_gan_aug.networks.binary import BinaryLogits
from monai_gan_aug.networks.classifiers import register_classifier
from monai_gan_aug.networks.initialisation import normal_initialisation
from monai_gan_aug.networks.unconditional import (
    UnconditionalDiscriminator,
    UnconditionalGenerator,
    require_multiple,
)
from monai_gan_aug.published.layouts import ClassFolders, Layout, register_layout, require_folders

__all__ = ["Classifier", "Discriminator", "Generator", "data_layout", "to_grey"]

SLOPE = 0.2
LEAKY = ("leakyrelu", {"negative_slope": SLOPE})
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


class Generator(UnconditionalGenerator):
    """A linear layer to 8 x 8 x 128, three transposed convolutions that widen, a 5 x 5 end.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 8; published 64.
        channels: Channels ``C`` of the images; published 3.
        latent_size: Width ``Z`` of the latents; published 128.

    Raises:
        ValueError: If the size is no multiple of 8.

    Example:
        >>> sum(p.numel() for p in Generator().parameters())
        3979651
    """

    def __init__(self, image_size: int = 64, channels: int = 3, latent_size: int = 128) -> None:
        super().__init__()
        side = require_multiple(image_size, 8) // 8
        self.latent_size = latent_size
        widths = (128, 128, 256, 512)
        self.blocks = nn.Sequential(
            nn.Linear(latent_size, widths[0] * side * side),
            nn.Unflatten(1, (widths[0], side, side)),
            *(_strided(a, b, transposed=True) for a, b in pairwise(widths)),
            Convolution(2, widths[-1], channels, kernel_size=5, conv_only=True),
            nn.Tanh(),
        )
        normal_initialisation(self)


class Discriminator(UnconditionalDiscriminator):
    """Three strided convolutions without norm, dropout, one linear layer.

    Args:
        image_size: Height and width ``S`` of the images, a multiple of 8; published 64.
        channels: Channels ``C`` of the images; published 3.
        dropout: Chance of dropping a feature before the last layer; published 0.2.

    Raises:
        ValueError: If the size is no multiple of 8.

    Example:
        >>> sum(p.numel() for p in Discriminator().parameters())
        404801
    """

    def __init__(self, image_size: int = 64, channels: int = 3, dropout: float = 0.2) -> None:
        super().__init__()
        side = require_multiple(image_size, 8) // 8
        widths = (channels, 64, 128, 128)
        self.blocks = nn.Sequential(
            *(_strided(a, b, transposed=False) for a, b in pairwise(widths))
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(widths[-1] * side * side, 1))
        normal_initialisation(self)


class Classifier(nn.Module):
    """The classifier of 13,585 parameters, which looks at grey images of 64 x 64 pixels.

    13,489 of them learn; the others are the running statistics of the norms. Colour images, as
    this system's generators draw them, are turned grey first.

    Args:
        channels: Channels of the images, 1 or 3.
        dropout: Chance of dropping a feature before each linear layer.

    Raises:
        ValueError: If there are neither 1 nor 3 channels.

    Example:
        >>> sum(p.numel() for p in Classifier().parameters())
        13489
    """

    def __init__(self, channels: int = 1, dropout: float = 0.5) -> None:
        super().__init__()
        if channels not in (1, 3):
            raise ValueError(f"`channels` must be 1 or 3, got {channels}.")
        first, second = (
            Convolution(2, a, b, strides=3, padding=0, adn_ordering="A", act="relu")
            for a, b in ((1, 32), (32, 16))
        )
        self.stages = nn.Sequential(
            first, nn.BatchNorm2d(32), second, nn.MaxPool2d(3), nn.BatchNorm2d(16)
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(16 * 2 * 2, 128),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(128, 1),
            BinaryLogits(),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, 1 or 3, 64, 64)`` in ``[-1, 1]`` to logits ``(B, 2)``.

        Raises:
            ValueError: If the images have another size.
        """
        if images.shape[-2:] != (64, 64):
            raise ValueError(f"Images must be 64 x 64, got {tuple(images.shape[-2:])}.")
        logits: Tensor = self.head(self.stages(to_grey(images)))
        return logits


def to_grey(images: Tensor) -> Tensor:
    """Images ``(B, 1 or 3, H, W)`` to luma, ``(B, 1, H, W)`` (ITU-R BT.601 weights).

    Example:
        >>> to_grey(torch.ones(1, 3, 2, 2)).shape
        torch.Size([1, 1, 2, 2])
    """
    if images.shape[1] == 1:
        return images
    weights = torch.tensor(LUMA, device=images.device, dtype=images.dtype)
    return (images * weights[:, None, None]).sum(1, keepdim=True)


def _strided(in_channels: int, out_channels: int, *, transposed: bool) -> Convolution:
    return Convolution(
        2,
        in_channels,
        out_channels,
        strides=2,
        kernel_size=4,
        padding=1,
        output_padding=0 if transposed else None,
        is_transposed=transposed,
        adn_ordering="A",
        act=LEAKY,
    )


# The learning rate is not stated by the source; it trains 20 epochs.
@register_classifier("bone_xray", image_size=64, channels=3, dropout=0.5, learning_rate=1e-3)
def _build(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    if image_size != 64 or num_classes != 2:
        raise ValueError(
            "`bone_xray` needs images of 64 x 64 pixels and 2 classes, got `image_size` "
            f"{image_size} and {num_classes} classes."
        )
    return Classifier(channels, dropout)


@register_layout("bone_xray", former="bone_fracture")
def data_layout(folder: Path) -> Layout:
    """One folder per class at any depth; turned copies are named after their original."""
    labels = {"fractured": "fractured", "not fractured": "not fractured"}
    require_folders(folder, labels)
    return Layout(
        folder,
        ClassFolders(labels, patient=r"^(.+?)(?:-rotated\d+)*(?:\s*\(\d+\))*$"),
        expected=10_580,
        caveats=(
            "Patients are file names without their endings of rotation: turned copies of one image "
            "stay together, but two images of one patient may not.",
            "The source's own folders (train, val, test) were ignored: copies cross them.",
        ),
    )
