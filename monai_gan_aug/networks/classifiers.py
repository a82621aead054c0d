"""Classifiers that judge whether augmentation helped: one registry of networks and their knobs."""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from monai.networks.nets.densenet import DenseNet121
from monai.networks.nets.efficientnet import EfficientNetBN
from monai.networks.nets.resnet import resnet18, resnet50
from torch import Tensor, nn

from monai_gan_aug.networks.definitions import DescribedNetwork, describe, makes_networks

__all__ = [
    "CLASSIFIERS",
    "Build",
    "RegisteredClassifier",
    "SmallCNN",
    "classifier",
    "register_classifier",
    "registered_classifier",
]

Build = Callable[[int, int, int, float], nn.Module]
"""From channels, number of classes, image size and dropout to a classifier."""


@dataclass(frozen=True)
class RegisteredClassifier:
    """A classifier by name.

    Args:
        build: Makes it.
        knobs: What a training of it sets differently from the defaults of the classifier bundle's
            ``common.yaml``, by the name of the knob.
    """

    build: Build
    knobs: Mapping[str, Any] = field(default_factory=dict)


CLASSIFIERS: dict[str, RegisteredClassifier] = {}
RENAMED = {  # from names of earlier configurations
    "system_s1": "siim_isic",
    "system_s2": "head_ct",
    "system_s3": "bone_xray",
    "system_s4_cnn": "malaria_cnn",
    "system_s4_resnet": "malaria_resnet",
}


def register_classifier(name: str, **knobs: Any) -> Callable[[Build], Build]:
    """Make a function that builds a classifier known by ``name``.

    Args:
        name: What ``--network`` of the classifier bundle calls it.
        **knobs: Knobs of the bundle that a training of it turns: ``learning_rate``,
            ``batch_size``, ``image_size``, ``dropout``, ...

    Raises:
        ValueError: If the name is taken.
    """

    def register(build: Build) -> Build:
        if name in CLASSIFIERS:
            raise ValueError(f"`name` {name!r} is the name of a classifier already.")
        CLASSIFIERS[name] = RegisteredClassifier(build, knobs)
        return build

    return register


def registered_classifier(name: str) -> RegisteredClassifier:
    """What is registered under ``name``.

    Raises:
        ValueError: If nothing is, with the names that are near.

    Example:
        >>> registered_classifier("small_cnn").knobs
        {'learning_rate': 0.004}
    """
    if name not in CLASSIFIERS:
        near = [RENAMED[name]] if name in RENAMED else difflib.get_close_matches(name, CLASSIFIERS)
        meant = f"did you mean {' or '.join(near)}? There are" if near else "choose from"
        raise ValueError(f"Unknown `network`, got {name!r}: {meant} {', '.join(CLASSIFIERS)}.")
    return CLASSIFIERS[name]


@register_classifier("small_cnn", learning_rate=4e-3)
class SmallCNN(DescribedNetwork):
    """A plain convolutional network for tens to hundreds of training images.

    Stages of convolution, pooling, batch normalisation and ReLU shrink the image to about
    four by four; the map is not averaged, because where something lies is part of a radiograph.
    Pooling comes before the cheap layers, which then see a quarter of the pixels.

    Args:
        channels: Image channels.
        num_classes: Number of logits.
        image_size: Height and width of the images, at least 8.
        dropout: Chance of dropping a feature before the last layer.
        widths: Channels per stage; the last one serves all further stages.

    Attributes:
        feature_count: Width of :meth:`features`.

    Raises:
        ValueError: If ``image_size`` is less than 8.

    Example:
        >>> SmallCNN(1, 2, image_size=32)(torch.zeros(3, 1, 32, 32)).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        image_size: int,
        dropout: float = 0.2,
        widths: Sequence[int] = (16, 24, 32, 48, 64),
    ) -> None:
        super().__init__()
        if image_size < 8:
            raise ValueError(f"`image_size` must be at least 8, got {image_size}.")
        stages: list[nn.Module] = []
        size, before = image_size, channels
        for stage in range(max(1, round(math.log2(image_size / 4)))):
            after = widths[min(stage, len(widths) - 1)]
            stages += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.MaxPool2d(2),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
            size, before = size // 2, after
        self.stages = nn.Sequential(*stages)
        self.feature_count = before * size * size
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.feature_count, num_classes))
        self.to(memory_format=torch.channels_last)

    def features(self, images: Tensor) -> Tensor:
        """What the last layer sees: ``(B, C, S, S)`` in ``[-1, 1]`` to ``(B, feature_count)``."""
        maps: Tensor = self.stages(images.contiguous(memory_format=torch.channels_last))
        return maps.flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(B, num_classes)`` of ``images``, ``(B, C, S, S)`` in ``[-1, 1]``."""
        logits: Tensor = self.head(self.features(images))
        return logits


def _efficientnet(name: str) -> Build:
    def build(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
        network = EfficientNetBN(
            name,
            pretrained=False,
            spatial_dims=2,
            in_channels=channels,
            num_classes=num_classes,
        )
        network._dropout.p = dropout  # the constructor takes it from a table
        return network

    return build


def _resnet(factory: Callable[..., nn.Module]) -> Build:
    def build(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
        network = factory(
            pretrained=False,
            spatial_dims=2,
            n_input_channels=channels,
            num_classes=num_classes,
            bias_downsample=False,
        )
        network.add_module("fc", nn.Sequential(nn.Dropout(dropout), network.get_submodule("fc")))
        return network

    return build


@register_classifier("densenet121", learning_rate=5e-4)
def _densenet121(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    return DenseNet121(
        spatial_dims=2, in_channels=channels, out_channels=num_classes, dropout_prob=dropout
    )


for _name, _factory in (("resnet18", resnet18), ("resnet50", resnet50)):
    register_classifier(_name, learning_rate=5e-4)(_resnet(_factory))
for _name in (f"efficientnet-b{number}" for number in range(8)):
    register_classifier(_name, learning_rate=5e-4)(_efficientnet(_name))


@register_classifier("discriminator", learning_rate=1e-3)
def _discriminator(channels: int, num_classes: int, image_size: int, dropout: float) -> nn.Module:
    # It is made of a GAN's discriminator, which a name and four numbers do not describe.
    raise ValueError(
        "`network: discriminator` needs a GAN to take the discriminator of: list "
        "configs/network_discriminator.yaml behind configs/common.yaml."
    )


@makes_networks
def classifier(
    name: str, channels: int, num_classes: int, image_size: int, dropout: float = 0.2
) -> nn.Module:
    """A new classifier with random weights.

    Args:
        name: A key of :data:`CLASSIFIERS`.
        channels: Image channels.
        num_classes: Number of logits, at least 2.
        image_size: Height and width of the images.
        dropout: Chance of dropping a feature (in DenseNet: after every layer), in ``[0, 1)``.

    Returns:
        A module from images ``(B, C, S, S)`` in ``[-1, 1]`` to logits ``(B, num_classes)``.

    Raises:
        ValueError: If the name is unknown or a number out of range.
    """
    build = registered_classifier(name).build
    if num_classes < 2 or channels < 1 or not 0 <= dropout < 1:
        raise ValueError(
            "`num_classes` must be at least 2, `channels` at least 1 and `dropout` in [0, 1), got "
            f"{num_classes}, {channels} and {dropout}."
        )
    network = build(channels, num_classes, image_size, dropout)
    arguments = {
        "name": name,
        "channels": channels,
        "num_classes": num_classes,
        "image_size": image_size,
        "dropout": dropout,
    }
    # the name is known only once the module that registers it has been imported
    home = None if build.__module__ == __name__ else build.__module__
    describe(network, classifier, arguments, requires=home)
    return network
