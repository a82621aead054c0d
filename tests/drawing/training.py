"""A tiny adversarial trainer, and the images it trains on."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from monai_gan_aug.augmentation.differentiable import DiffAugment
from monai_gan_aug.data.batches import BatchLoader
from monai_gan_aug.engines.averaging import WeightAverage
from monai_gan_aug.engines.trainer import GanAugTrainer
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.networks.dcgan import Discriminator, Generator
from monai_gan_aug.records.provenance import TrainingRecord


class TinyImages:
    """Random images of two classes, ``(1, 16, 16)``, with what a checkpoint records of them."""

    def __init__(self, count: int = 20) -> None:
        draw = np.random.default_rng(0)
        self.images = draw.integers(0, 256, (count, 1, 16, 16), dtype=np.uint8)
        self.targets = np.arange(count) % 2
        self.datalist = SimpleNamespace(labels=("benign", "malignant"))

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices: np.ndarray) -> dict[str, torch.Tensor]:
        """Images and classes of these rows."""
        return {
            "image": torch.from_numpy(self.images[indices]),
            "label": torch.from_numpy(self.targets[indices]),
        }

    def training_record(self) -> TrainingRecord:
        """One patient and one image, by name."""
        return TrainingRecord("5p117", "key", ("g",), ("i",), ("benign", "malignant"))


def tiny_trainer(
    images: TinyImages | None = None,
    max_epochs: int = 1,
    steps: int = 4,
    handlers: tuple[Any, ...] | list[Any] = (),
    average: bool = True,
    width: int = 4,
    **more: Any,
) -> GanAugTrainer:
    """A trainer of a DCGAN on a few images; it is the same one every time.

    Args:
        images: What it trains on; :class:`TinyImages` if not given.
        max_epochs: Epochs.
        steps: Steps of each.
        handlers: Attached after those of the trainer.
        average: Whether the generator's weights are averaged.
        width: Channels of the networks' narrowest level.
        **more: Arguments of the trainer, in the place of those here.
    """
    torch.manual_seed(0)
    generator = Generator(16, 1, 8, width=width, num_classes=2)
    discriminator = Discriminator(16, 1, width=width, num_classes=2, norm=None, spectral_norm=True)
    settings = {
        "device": "cpu",
        "max_epochs": max_epochs,
        "epoch_length": steps,
        "train_data_loader": BatchLoader(images or TinyImages(), batch_size=6, steps=steps),
        "g_network": generator,
        "g_optimizer": torch.optim.Adam(generator.parameters(), 1e-3),
        "g_loss_function": GeneratorLoss(),
        "d_network": discriminator,
        "d_optimizer": torch.optim.Adam(discriminator.parameters(), 1e-3),
        "d_loss_function": DiscriminatorLoss(),
        "latent_shape": 8,
        "augment": DiffAugment(),
        **more,
    }
    averaging = [WeightAverage(settings["g_network"])] if average else []
    return GanAugTrainer(**settings, train_handlers=[*averaging, *handlers])
