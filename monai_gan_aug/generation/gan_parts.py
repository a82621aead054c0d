"""Parts of a trained GAN that a classifier begins with: its discriminator and its weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events
from monai.bundle import ConfigParser
from monai.engines import Trainer
from torch import nn

from monai_gan_aug.data.datasets import CachedImages
from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.engines.state import take_up_weights
from monai_gan_aug.errors import DataError
from monai_gan_aug.networks.from_discriminator import DiscriminatorClassifier
from monai_gan_aug.records.provenance import TrainingRecord, check_record

__all__ = ["DiscriminatorWeights", "configured_discriminator"]


def configured_discriminator(
    config_files: Sequence[str | Path], knobs: Mapping[str, Any] | None = None
) -> nn.Module:
    """The discriminator that a configuration of ``medical_image_gan`` describes, random weights.

    Args:
        config_files: Its ``common.yaml`` and one preset, in this order.
        knobs: Knobs that were turned, as for the training; ``num_classes`` follows ``datalist``.

    Returns:
        The network, not yet on a device.

    Raises:
        DataError: If no file is given, or there is no ``discriminator_def`` in them.
    """
    if not config_files:
        raise DataError(
            "No configuration of a GAN was given: name its common.yaml and preset with "
            "--gan_config."
        )
    parser = ConfigParser()
    parser.read_config([str(path) for path in config_files])
    if "discriminator_def" not in parser:
        raise DataError(
            f"{Path(config_files[-1]).name} has no `discriminator_def`: give common.yaml and a "
            "preset of medical_image_gan."
        )
    parser.update(dict(knobs or {}))
    network: nn.Module = parser.get_parsed_content("discriminator_def")
    return network


class DiscriminatorWeights:
    """Put the weights of a GAN's discriminator into a classifier before its training begins.

    Attach it to the trainer of a :class:`DiscriminatorClassifier`. The checkpoint is refused if
    the GAN saw a patient the classifier will be validated or tested on.

    Args:
        network: The classifier.
        ckpt_path: Checkpoint of the GAN, its folder, or ``latest.json``.
        dataset: Training images of the classifier.
    """

    def __init__(self, network: nn.Module, ckpt_path: str | Path, dataset: CachedImages) -> None:
        self.network = network
        self.ckpt_path = Path(ckpt_path)
        self.dataset = dataset

    def attach(self, trainer: Trainer) -> None:
        """Load when training starts."""
        trainer.add_event_handler(Events.STARTED, self._load)

    def _load(self, trainer: Trainer) -> None:
        if not isinstance(self.network, DiscriminatorClassifier):
            raise DataError(
                "`gan_checkpoint` needs a classifier made of a discriminator: use "
                "network_discriminator.yaml, or leave it out."
            )
        content = load_checkpoint(self.ckpt_path)
        try:
            weights = content["trainer"]["networks"]["discriminator"]
            record = TrainingRecord.from_dict(content["training"])
        except KeyError:
            raise DataError(
                f"{self.ckpt_path.name} is not the checkpoint of a GAN that names its training "
                "patients: use one of medical_image_gan."
            ) from None
        check_record(self.dataset.datalist, record)
        if dict(record.recipe) != self.dataset.training_record().to_dict()["recipe"]:
            raise DataError(
                "The GAN was trained on images of another preprocessing: give the classifier the "
                "same `image_size`, `channels`, `windows`, `fit` and `bits`."
            )
        take_up_weights(self.network.discriminator, weights, self.ckpt_path.name)
