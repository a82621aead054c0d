"""A tiny adversarial trainer on data made in the test."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from monai_gan_aug.augmentation.differentiable import DiffAugment
from monai_gan_aug.data.batches import BatchLoader
from monai_gan_aug.engines.averaging import WeightAverage
from monai_gan_aug.engines.trainer import GanAugTrainer
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.networks.dcgan import Discriminator, Generator
from monai_gan_aug.records.provenance import TrainingRecord


class TinyImages:
    """Twenty random images of two classes, with what a checkpoint records of them."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.images = rng.integers(0, 256, (20, 1, 16, 16), dtype=np.uint8)
        self.targets = np.arange(20) % 2
        self.datalist = SimpleNamespace(labels=("benign", "malignant"))

    def __len__(self):
        return len(self.targets)

    def batch(self, indices):
        return {
            "image": torch.from_numpy(self.images[indices]),
            "label": torch.from_numpy(self.targets[indices]),
        }

    def training_record(self):
        return TrainingRecord("5p117", "key", ("g",), ("i",), ("benign", "malignant"))


@pytest.fixture
def tiny_images():
    return TinyImages()


@pytest.fixture
def make_trainer(tiny_images):
    """Build a trainer; the same seed builds the same one."""

    def make(max_epochs=1, steps=4, handlers=(), average=True, width=4, **more):
        torch.manual_seed(0)
        generator = Generator(16, 1, 8, width=width, num_classes=2)
        discriminator = Discriminator(
            16, 1, width=width, num_classes=2, norm=None, spectral_norm=True
        )
        settings = {
            "device": "cpu",
            "max_epochs": max_epochs,
            "epoch_length": steps,
            "train_data_loader": BatchLoader(tiny_images, batch_size=6, steps=steps),
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

    return make
