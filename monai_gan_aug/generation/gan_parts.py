"""What others take from a GAN: its discriminator, its weights, and how its images were prepared."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events
from monai.bundle.config_parser import ConfigParser
from monai.engines.trainer import Trainer
from torch import nn

from monai_gan_aug.data.datasets import CachedImages
from monai_gan_aug.engines.trained_network import (
    TrainedCheckpoint,
    described_network,
    load_network,
    opened_checkpoint,
    settled_recipe,
)
from monai_gan_aug.errors import DataError
from monai_gan_aug.networks.definitions import Definition
from monai_gan_aug.networks.from_discriminator import DiscriminatorClassifier
from monai_gan_aug.records.provenance import SyntheticDatalist
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = [
    "DiscriminatorWeights",
    "configured_definition",
    "discriminator_to_begin_with",
    "recipe_of_synthetic",
]

Paths = str | Path | Sequence[str | Path]


def configured_definition(
    config_files: Sequence[str | Path], knobs: Mapping[str, Any] | None = None
) -> Definition:
    """The discriminator that a configuration of ``medical_image_gan`` describes; nothing is built.

    Args:
        config_files: Its ``common.yaml`` and one preset, in this order.
        knobs: Knobs that were turned, as for the training; without ``num_classes``, that follows
            ``only_labels`` and ``datalist``.

    Returns:
        ``_target_`` and arguments, for the knob ``discriminator_def`` of the classifier bundle.

    Raises:
        DataError: If no file is given, or there is no ``discriminator_def`` in them.
    """
    if not config_files:
        raise DataError("No configuration of a GAN was given: name its common.yaml and preset.")
    parser = ConfigParser()
    parser.read_config([str(path) for path in config_files])
    if "discriminator_def" not in parser:
        raise DataError(
            f"{Path(config_files[-1]).name} has no `discriminator_def`: give common.yaml and a "
            "preset of medical_image_gan."
        )
    parser.update(dict(knobs or {}))
    # the arguments first, because `num_classes` is the result of a call; the network is not made
    for name in parser["discriminator_def"]:
        parser.get_parsed_content(f"discriminator_def::{name}")
    resolved = parser.get_parsed_content("discriminator_def", instantiate=False)
    definition: Definition = dict(resolved.get_config())
    return definition


def discriminator_to_begin_with(
    checkpoint: TrainedCheckpoint | None,
    network: nn.Module | None = None,
    trusted: Sequence[str] = (),
) -> nn.Module:
    """The discriminator a classifier is made of, with random weights.

    Args:
        checkpoint: That of the GAN whose weights it will get, if it will.
        network: The discriminator, where there is no checkpoint or it does not describe it.
        trusted: See :func:`monai_gan_aug.networks.definitions.build_network`.

    Raises:
        DataError: If there is neither, or the checkpoint does not describe it.
    """
    if network is not None:
        return network
    if checkpoint is None:
        raise DataError(
            "A classifier made of a discriminator needs to know which: give `gan_checkpoint`, or "
            "its architecture alone as `discriminator_def`."
        )
    return described_network(checkpoint, "discriminator", trusted)


class DiscriminatorWeights:
    """Put the weights of a GAN's discriminator into a classifier before its training begins.

    Attach it to the trainer of a :class:`DiscriminatorClassifier`. The checkpoint is refused if
    the GAN saw a patient the classifier will be validated or tested on.

    Args:
        network: The classifier.
        checkpoint: Checkpoint of the GAN, or where it is.
        dataset: Training images of the classifier.
    """

    def __init__(
        self, network: nn.Module, checkpoint: str | Path | TrainedCheckpoint, dataset: CachedImages
    ) -> None:
        self.network = network
        self.checkpoint = checkpoint
        self.dataset = dataset

    def attach(self, trainer: Trainer) -> None:
        """Load when training starts."""
        trainer.add_event_handler(Events.STARTED, self.load)

    def load(self) -> None:
        """Load now.

        Raises:
            DataError: If the classifier is not made of such a discriminator, or the GAN learned
                from images of another preprocessing.
            ProvenanceError: If the GAN saw whom the classifier is judged on.
        """
        if not isinstance(self.network, DiscriminatorClassifier):
            raise DataError(
                "`gan_checkpoint` needs a classifier made of a discriminator: use "
                "network_discriminator.yaml, or leave it out."
            )
        checkpoint = opened_checkpoint(self.checkpoint)
        if checkpoint.recipe != self.dataset.recipe:
            raise DataError(
                "The GAN was trained on images of another preprocessing: give the classifier the "
                "same `image_size`, `channels`, `windows`, `fit` and `bits`, "
                f"{checkpoint.recipe.to_dict()} instead of {self.dataset.recipe.to_dict()}."
            )
        load_network(
            checkpoint,
            "discriminator",
            network=self.network.discriminator,
            datalist=self.dataset.datalist,
        )


def recipe_of_synthetic(
    synthetic: Paths | Mapping[str, Paths], **knobs: Any
) -> PreprocessingRecipe:
    """The preprocessing of the real images behind synthetic sets, from their datalists.

    Args:
        synthetic: Paths of synthetic datalists, also several sets by name.
        knobs: What the caller believes of ``image_size``, ``channels``, ``windows``, ``fit`` and
            ``bits``; nothing for what the datalists say.

    Raises:
        DataError: If there is no datalist, they differ, or a knob contradicts them.
    """
    paths = list(_paths(synthetic))
    if not paths:
        raise DataError("`synthetic` names no synthetic datalist: generate one first.")
    records = [SyntheticDatalist.load(path).provenance.training for path in paths]
    recipes = {
        settled_recipe(record.recipe, knobs, path.name).sha256: record.recipe
        for path, record in zip(paths, records, strict=True)
    }
    if len(recipes) > 1:
        differing = " and ".join(str(dict(recipe)) for recipe in recipes.values())
        raise DataError(
            f"These synthetic sets come from GANs of differently prepared images ({differing}): "
            "compare them in separate runs."
        )
    return PreprocessingRecipe.from_dict(records[0].recipe)


def _paths(synthetic: Paths | Mapping[str, Paths] | None) -> Iterator[Path]:
    if isinstance(synthetic, str | Path):
        yield Path(synthetic)
    elif isinstance(synthetic, Mapping):
        for paths in synthetic.values():
            yield from _paths(paths)
    else:
        yield from map(Path, synthetic or ())
