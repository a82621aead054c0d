"""Adversarial training from Python: discs on noise, a minute on one core.

    python adversarial_training.py --out discs --epochs 8

`discs/samples` shows the same latents after every epoch; `tensorboard --logdir discs` the losses.
The discs are drawn here so that nothing need be there before; give any loader of images in [-1, 1],
shape (B, C, S, S), or of pairs of such images and class numbers, shape (B,).
"""

import argparse
import logging
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader

from monai_gan_aug.augmentation.differentiable import DiffAugment
from monai_gan_aug.engines.averaging import WeightAverage
from monai_gan_aug.engines.grids import SampleGrid
from monai_gan_aug.engines.guards import CollapseGuard
from monai_gan_aug.engines.handlers import ProgressReport, TensorBoardWriter
from monai_gan_aug.engines.trainer import GanAugTrainer
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.networks.dcgan import Discriminator, Generator

SIZE = 32


def discs(count: int, seed: int = 0) -> Tensor:
    """Bright discs of random place and size on noise, shape (count, 1, 32, 32) in [-1, 1]."""
    draw = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    y, x = (torch.rand(2, count, 1, 1, generator=draw) * 12 + 10).unbind()
    radius = torch.rand(count, 1, 1, generator=draw) * 6 + 3
    inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
    noise = 0.1 * torch.randn(count, SIZE, SIZE, generator=draw)
    return (1.4 * inside - 0.8 + noise).clamp(-1, 1)[:, None]


def main() -> None:
    """Train, and save the average of the generator."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("discs"), help="folder for the results")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of 50 iterations")
    parser.add_argument("--images", type=int, default=400, help="real images to learn from")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    torch.manual_seed(0)
    generator = Generator(image_size=SIZE, channels=1, latent_size=64, width=16)
    discriminator = Discriminator(image_size=SIZE, channels=1, width=16)
    average = WeightAverage(generator, decay=0.99)
    trainer = GanAugTrainer(
        device="cpu",
        max_epochs=arguments.epochs,
        epoch_length=50,
        train_data_loader=DataLoader(discs(arguments.images), batch_size=32, shuffle=True),
        g_network=generator,
        g_optimizer=Adam(generator.parameters(), lr=6e-4, betas=(0.5, 0.999)),
        g_loss_function=GeneratorLoss("bce"),
        d_network=discriminator,
        d_optimizer=Adam(discriminator.parameters(), lr=6e-4, betas=(0.5, 0.999)),
        d_loss_function=DiscriminatorLoss("bce", label_smoothing=0.1),
        latent_shape=64,
        augment=DiffAugment("translation"),
        channels_last=True,
        train_handlers=[
            average,
            CollapseGuard(action="warn"),
            ProgressReport(),
            TensorBoardWriter(arguments.out / "events"),
            SampleGrid(arguments.out / "samples"),
        ],
    )
    trainer.run()
    torch.save(average.network.state_dict(), arguments.out / "generator.pt")


if __name__ == "__main__":
    main()
