"""What ``test_distributed.py`` runs under torchrun, and leaves in a folder."""

import os
import signal
import sys
from pathlib import Path

import torch
from ignite.engine import Events
from torch import nn

from monai_gan_aug.augmentation.adaptive import AdaptiveAugment
from monai_gan_aug.augmentation.differentiable import DiffAugment
from monai_gan_aug.augmentation.policies import DiscriminatorInput
from monai_gan_aug.data.batches import BatchLoader
from monai_gan_aug.engines.averaging import WeightAverage
from monai_gan_aug.engines.distributed import join_processes, leave_processes, world_size
from monai_gan_aug.engines.grids import SampleGrid
from monai_gan_aug.engines.guards import CollapseGuard, GradientGuard
from monai_gan_aug.engines.handlers import CurveRecorder, ProgressReport, TensorBoardWriter
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.engines.trainer import GanAugTrainer
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.losses.regularizers import LeCam
from monai_gan_aug.networks.dcgan import Discriminator, Generator
from tests.drawing.training import TinyImages

RANK = int(os.environ.get("RANK", "0"))
GLOBAL_BATCH = 8
STOPPED_EPOCHS = 4
STOPPED_AT = 5
"""Within the second epoch, and within a turn of adaptive augmentation."""


class Flat(nn.Module):
    """A generator without batch norm."""

    num_classes = 0

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 256), nn.Tanh())

    def forward(self, latents):
        return self.layers(latents).view(-1, 1, 16, 16)


class SharedLatents:
    """This process's part of latents that do not depend on how many processes there are."""

    def __init__(self):
        self.draw = torch.Generator().manual_seed(3)

    def __call__(self, num_latents, latent_size, **kwargs):
        latents = torch.randn(num_latents * world_size(), latent_size, generator=self.draw)
        return latents[RANK * num_latents : (RANK + 1) * num_latents]


def trainer_of(generator, discriminator, epochs, handlers, **more):
    share = {"rank": RANK, "world_size": world_size()}
    loader = BatchLoader(TinyImages(), GLOBAL_BATCH, 3, **share)
    return GanAugTrainer(
        "cpu",
        epochs,
        loader,
        generator,
        torch.optim.Adam(generator.parameters(), 1e-3),
        GeneratorLoss(),
        discriminator,
        torch.optim.Adam(discriminator.parameters(), 1e-3),
        DiscriminatorLoss(),
        epoch_length=3,
        latent_shape=8,
        train_handlers=handlers,
        **more,
    )


def everything(folder, resume=False, every=2):
    return [
        CurveRecorder(folder / "curves.json", every=every),
        GradientGuard(every=2),
        CollapseGuard(),
        ProgressReport(),
        TensorBoardWriter(folder / "events"),
        SampleGrid(folder / "samples"),
        RunFolder(folder, resume=resume),
    ]


def plain(folder, epochs=2, **more):
    """No batch norm, given latents: comparable with a single process."""
    torch.manual_seed(RANK)  # the first process's weights must win
    generator, discriminator = Flat(), Discriminator(16, 1, width=4, norm=None)
    trainer = trainer_of(
        generator,
        discriminator,
        epochs,
        everything(folder),
        g_prepare_batch=SharedLatents(),
        **more,
    )
    trainer.run()
    keep(folder, trainer)


def adaptive(folder):
    """As ``plain``, with adaptive augmentation too rare to change an image, and LeCam."""
    augment = AdaptiveAugment(target=0.95, images=10**10, every=4, probability=1e-8)
    plain(folder, 8, augment=augment, d_regularizers=[LeCam(0.3, decay=0.8)])


def full(folder, epochs, resume=False, on_step=None, **more):
    """Batch norm, spectral norm, classes, augmentation, averaged weights, own random numbers."""
    torch.manual_seed(0)
    generator = Generator(16, 1, 8, width=4, num_classes=2)
    discriminator = Discriminator(16, 1, width=4, num_classes=2, spectral_norm=True)
    handlers = [WeightAverage(generator), *everything(folder, resume, every=3)]
    more = {"augment": DiffAugment(), **more}
    trainer = trainer_of(generator, discriminator, epochs, handlers, **more)
    if on_step is not None:
        trainer.add_event_handler(Events.ITERATION_COMPLETED, on_step)
    trainer.run()
    keep(folder, trainer)


def remembering(folder, epochs, **more):
    """As ``full``, with an augmentation and a regulariser that have a state of their own.

    Their turns are of 4 iterations, epochs of 3: checkpoints fall in between.
    """
    seen = DiscriminatorInput("adaptive", adaptive_target=0.0, adaptive_images=64)
    full(folder, epochs, augment=seen, d_regularizers=[LeCam(decay=0.8)], **more)


def keep(folder, trainer):
    folder.mkdir(exist_ok=True)
    parts = ("adaptive_augment", "regularizer_lecam")
    state = {
        "generator": trainer.g_network.state_dict(),
        "discriminator": trainer.d_network.state_dict(),
        "average": trainer.sampling_network.state_dict(),
        "latents": trainer.state.output["latents"],
        "parts": {
            name: trainer.parts[name].state_dict() for name in parts if name in trainer.parts
        },
    }
    torch.save(state, folder / f"rank_{RANK}.pt")


def die(engine):
    if RANK == 1 and engine.state.iteration == 5:
        os.kill(os.getpid(), signal.SIGKILL)


def until_told(folder):
    """A run that says who takes part, and waits in the midst of an epoch until it is stopped.

    The first process waits for a signal, the other one for the first.
    """
    folder.mkdir(exist_ok=True)
    (folder / f"pid_{RANK}").write_text(str(os.getpid()))
    told, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)  # a byte for every signal, also for one that comes before we wait

    def wait(engine):
        if RANK == 0 and engine.state.iteration == STOPPED_AT:
            sys.stdout.write("waiting\n")
            sys.stdout.flush()
            os.read(told, 1)

    remembering(folder, STOPPED_EPOCHS, on_step=wait)


def finish(folder):
    remembering(folder / "stopped", STOPPED_EPOCHS, resume=True)
    remembering(folder / "whole", STOPPED_EPOCHS)


def train(folder):
    plain(folder / "plain")
    adaptive(folder / "adaptive")
    full(folder / "whole", 2)
    full(folder / "parts", 1)
    torch.rand(7 + RANK)
    full(folder / "parts", 2, resume=True)
    remembering(folder / "remembered", 5)
    for epochs in (1, 3, 5):
        torch.rand(epochs + RANK)
        remembering(folder / "resumed", epochs, resume=True)


def main():
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    if sys.argv[2] == "train" and RANK == 0:
        plain(folder / "alone")
        adaptive(folder / "adaptive_alone")
    join_processes("cpu")
    match sys.argv[2]:
        case "train":
            train(folder)
        case "killed":
            full(folder / "killed", 4, on_step=die)
        case "stopped":
            until_told(folder / "stopped")
        case "finish":
            finish(folder)
    leave_processes()


if __name__ == "__main__":
    main()
