"""The toolkit beside the training recipe of the model zoo's mednist_gan: same networks and updates.

Networks, optimisers, random transforms and loaders are the published ones; images are phantoms in
memory, and the batch is smaller than the published 600, with 17 iterations per epoch as there. The
recipe has five discriminator updates per iteration, on one batch and one set of generated images;
ours generates and reads anew for each. With one update per iteration both do the same work.

OMP_NUM_THREADS=1 python scripts/benchmark/mednist_gan.py --cores 1
"""

import argparse
import logging
import math
import os
import statistics
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from ignite.engine import Events
from monai.data import CacheDataset, DataLoader
from monai.engines import GanTrainer
from monai.networks import normal_init
from monai.networks.nets import Discriminator, Generator
from monai.transforms import Compose, EnsureTyped, RandFlipd, RandRotated, RandZoomd
from torch.nn import functional
from turns import print_row, ratios, take_turns

from monai_gan_aug.augmentation.geometric import RandomAffine, warp
from monai_gan_aug.data.batches import BatchLoader
from monai_gan_aug.engines.hardware import cpu_has_bfloat16
from monai_gan_aug.engines.trainer import GanAugTrainer
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.metrics.features import RandomFeatures
from monai_gan_aug.metrics.kernel import kernel_distance

PER_EPOCH, LATENT = 17, 64
Tick = Callable[[], None]


def phantom_images(count: int, seed: int) -> torch.Tensor:
    """Two bright discs of random place and size in noise, ``uint8`` ``(N, 1, 64, 64)``."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:64, :64]
    images = np.empty((count, 1, 64, 64), np.uint8)
    for image in images:
        picture = draw.uniform(0, 30, (64, 64))
        for _ in range(2):
            y, x, radius = draw.uniform((16, 16, 5), (48, 48, 14))
            picture += draw.uniform(60, 110) * ((rows - y) ** 2 + (columns - x) ** 2 < radius**2)
        image[0] = picture
    return torch.from_numpy(images)


def networks(*, logits: bool) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Generator and discriminator of the recipe; logits instead of probabilities on request."""
    torch.manual_seed(0)
    generator = Generator(LATENT, (64, 8, 8), (32, 16, 8, 1), (2, 2, 2, 1))
    discriminator = Discriminator(
        (1, 64, 64),
        (8, 16, 32, 64, 1),
        (2, 2, 2, 2, 1),
        kernel_size=5,
        num_res_units=1,
        last_act=None if logits else "SIGMOID",
    )
    for network in (generator, discriminator):
        network.apply(normal_init)
    generator.conv.add_module("activation", torch.nn.Sigmoid())
    return generator, discriminator


def adam(network: torch.nn.Module, **options: Any) -> torch.optim.Adam:
    """The recipe's optimiser."""
    return torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999), **options)


def stock(images: torch.Tensor, batch: int, critic_steps: int, workers: int) -> GanTrainer:
    """MONAI's engine, transforms and loader."""
    generator, discriminator = networks(logits=False)
    transform = Compose(
        [
            RandRotated("image", range_x=math.pi / 12, prob=0.5, keep_size=True),
            RandFlipd("image", spatial_axis=0, prob=0.5),
            RandZoomd("image", min_zoom=0.9, max_zoom=1.1, prob=0.5),
            EnsureTyped("image"),
        ]
    )
    items = [{"image": image.numpy() / np.float32(255)} for image in images]
    dataset = CacheDataset(items, transform, progress=False)

    def towards(value: float, scores: torch.Tensor) -> torch.Tensor:
        return functional.binary_cross_entropy(scores, torch.full_like(scores, value))

    return GanTrainer(
        device=torch.device("cpu"),
        max_epochs=10**6,
        train_data_loader=DataLoader(dataset, batch_size=batch, shuffle=True, num_workers=workers),
        g_network=generator,
        g_optimizer=adam(generator),
        g_loss_function=lambda fakes: towards(1.0, discriminator(fakes)),
        d_network=discriminator,
        d_optimizer=adam(discriminator),
        d_loss_function=lambda fakes, reals: (
            towards(0.0, discriminator(fakes.detach())) + towards(1.0, discriminator(reals))
        ),
        d_prepare_batch=lambda data, device=None, *_, **__: data["image"].to(device),
        d_train_steps=critic_steps,
        latent_shape=LATENT,
    )


class Images:
    """A data set that makes whole batches."""

    def __init__(self, images: torch.Tensor) -> None:
        self.images = images
        self.targets = np.zeros(len(images), np.int64)

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: np.ndarray) -> dict[str, torch.Tensor]:
        """Images at ``indices``."""
        return {"image": self.images[indices]}


def ours(images: torch.Tensor, batch: int, critic_steps: int, **options: Any) -> GanAugTrainer:
    """The toolkit's engine, loader and augmentation of whole batches."""
    generator, discriminator = networks(logits=True)
    law = RandomAffine(degrees=7.5, zoom=1.05, flips="horizontal")
    draw = torch.Generator().manual_seed(0)

    def prepare(data: Any, device: Any = None, *_: Any, **__: Any) -> torch.Tensor:
        reals = data["image"].to(device).float() / 255
        return warp(reals, law.draw(len(reals), draw))

    return GanAugTrainer(
        device="cpu",
        max_epochs=10**6,
        train_data_loader=BatchLoader(Images(images), batch, PER_EPOCH * critic_steps),
        epoch_length=PER_EPOCH,
        g_network=generator,
        g_optimizer=adam(generator, fused=True),
        g_loss_function=GeneratorLoss(),
        d_network=discriminator,
        d_optimizer=adam(discriminator, fused=True),
        d_loss_function=DiscriminatorLoss(),
        d_prepare_batch=prepare,
        d_train_steps=critic_steps,
        latent_shape=LATENT,
        channels_last=True,
        **options,
    )


@torch.no_grad()
def quality(generator: torch.nn.Module, held_out: torch.Tensor) -> float:
    """Kernel distance of generated images to ones nobody learned from."""
    features = RandomFeatures(1)
    draw = torch.Generator().manual_seed(1)
    fakes = generator.eval()(torch.randn(len(held_out), LATENT, generator=draw))
    real, fake = held_out.float() / 255 * 2 - 1, fakes.float() * 2 - 1
    return kernel_distance(features(real), features(fake)).item()


def run_ticking(trainer: Any, tick: Tick) -> None:
    """Train, calling ``tick`` after every iteration."""
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: tick())
    trainer.run()


def compare(critic_steps: int, batch: int, steps: int, turns: int) -> None:
    """All ways with one number of critic steps."""
    images, held_out = phantom_images(PER_EPOCH * batch, seed=0), phantom_images(512, seed=1)
    trainers: dict[str, Any] = {
        "ours, float32": ours(images, batch, critic_steps),
        "GanTrainer, loader in process": stock(images, batch, critic_steps, workers=0),
        "GanTrainer, 12 workers": stock(images, batch, critic_steps, workers=12),
    }
    if cpu_has_bfloat16():
        trainers["ours, bf16"] = ours(images, batch, critic_steps, amp="bf16")
    ways = {name: partial(run_ticking, trainer) for name, trainer in trainers.items()}
    seconds = take_turns(ways, steps, turns)
    task = f"mednist_gan, {critic_steps} critic steps"
    for name, taken in seconds.items():
        each = statistics.median(taken) / steps
        spread = ratios(taken, seconds["ours, float32"])
        together = sum(taken) / sum(seconds["ours, float32"])
        distance = quality(trainers[name].g_network, held_out)
        rate = batch * critic_steps / each
        note = f"{rate:.0f} images/s, all turns together {together:.2f}, KID {distance:.4f}"
        print_row(task, name, each, spread, note)
    if "ours, bf16" not in trainers:
        print(f"| {task} | ours, bf16 | | | skipped: no bfloat16 arithmetic on this CPU |")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--critic-steps", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--updates", type=int, default=5, help="of the discriminator per turn")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--cores", type=int, help="confine everything, workers too, to so many")
    arguments = parser.parse_args()
    if arguments.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    print(f"{torch.get_num_threads()} threads, {len(os.sched_getaffinity(0))} cores\n")
    print("| Task | Way | ms per iteration | times as long as ours: median (range) | |")
    print("|---|---|---|---|---|", flush=True)
    for critic_steps in arguments.critic_steps:
        steps = max(1, arguments.updates // critic_steps)
        compare(critic_steps, arguments.batch, steps, arguments.turns)
    real, features = phantom_images(1024, seed=2).float() / 255 * 2 - 1, RandomFeatures(1)
    floor = kernel_distance(features(real[:512]), features(real[512:])).item()
    untrained = quality(networks(logits=True)[0], phantom_images(512, seed=1))
    print(f"\nKID of an untrained generator {untrained:.4f}, of real images {floor:.4f}")


if __name__ == "__main__":
    main()
