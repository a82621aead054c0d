"""What the trainer adds to a bare loop, what variants add to a plain GAN, and what a GPU does.

OMP_NUM_THREADS=1 python scripts/benchmark/training.py
"""

import argparse
import itertools
import logging
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from ignite.engine import Events
from monai.data import DataLoader
from monai.engines import GanTrainer
from monai.handlers import StatsHandler, TensorBoardStatsHandler
from torch.nn import functional
from turns import print_row, ratios, take_turns

from monai_gan_aug.augmentation.differentiable import DiffAugment
from monai_gan_aug.data.batches import BatchLoader
from monai_gan_aug.engines.averaging import WeightAverage
from monai_gan_aug.engines.grids import SampleGrid
from monai_gan_aug.engines.guards import (
    CollapseGuard,
    FiniteLossGuard,
    GradientGuard,
    OneSidedGuard,
)
from monai_gan_aug.engines.handlers import CurveRecorder, ProgressReport, TensorBoardWriter
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.engines.trainer import GanAugTrainer
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.losses.auxiliary import AuxiliaryDiscriminatorLoss, AuxiliaryGeneratorLoss
from monai_gan_aug.losses.regularizers import R1, GradientPenalty
from monai_gan_aug.networks.dcgan import Discriminator, Generator

BATCH, SIZE, LATENT = 64, 64, 128
Tick = Callable[[], None]


class Images:
    """Random images that are in memory already."""

    def __init__(self, count: int = 1024) -> None:
        draw = np.random.default_rng(0)
        self.images = torch.from_numpy(draw.integers(0, 256, (count, 1, SIZE, SIZE), np.uint8))
        self.targets = np.arange(count) % 2
        self.datalist = SimpleNamespace(labels=("a", "b"))

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: np.ndarray) -> dict[str, torch.Tensor]:
        """Images and labels at ``indices``."""
        return {"image": self.images[indices], "label": torch.from_numpy(self.targets[indices])}


def game(**options: Any) -> tuple[torch.nn.Module, ...]:
    """Both networks at the bundle's default width, and their optimisers."""
    torch.manual_seed(0)
    classes = options.get("num_classes", 0)
    width = options.pop("width", 16)
    generator = Generator(SIZE, 1, LATENT, width=2 * width, num_classes=classes)
    discriminator = Discriminator(SIZE, 1, width=width, **options)
    networks = [net.to(memory_format=torch.channels_last) for net in (generator, discriminator)]
    optimizers = [
        torch.optim.Adam(net.parameters(), 6e-4, betas=(0.5, 0.999), fused=True) for net in networks
    ]
    return (*networks, *optimizers)


def bare_loop(tick: Tick) -> None:
    """The same game without engine, handlers or checkpoints, on batches prepared before."""
    generator, discriminator, g_optimizer, d_optimizer = game()
    augment = DiffAugment()
    floats = Images().images.float() * (2 / 255) - 1
    for reals in itertools.cycle(floats.split(BATCH)):
        d_optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            fakes = generator(torch.randn(BATCH, LATENT))
        real, fake = augment(torch.cat([reals, fakes])).chunk(2)
        loss = functional.softplus(-discriminator(real)).mean()
        (loss + functional.softplus(discriminator(fake)).mean()).backward()
        d_optimizer.step()
        g_optimizer.zero_grad(set_to_none=True)
        discriminator.requires_grad_(False)
        judged = discriminator(augment(generator(torch.randn(BATCH, LATENT))))
        functional.softplus(-judged).mean().backward()
        discriminator.requires_grad_(True)
        g_optimizer.step()
        tick()


def trainer_of(handlers: list[Any], device: str = "cpu", **options: Any) -> GanAugTrainer:
    """The trainer with the settings of ``train.yaml``."""
    engine_options = {
        key: options.pop(key) for key in ("amp", "compiled", "d_regularizers") if key in options
    }
    generator, discriminator, g_optimizer, d_optimizer = game(**options)
    for network in (generator, discriminator):
        network.to(device)
    auxiliary = options.get("label_head") == "auxiliary"
    return GanAugTrainer(
        device=device,
        max_epochs=10**6,
        epoch_length=100,
        train_data_loader=BatchLoader(Images(), BATCH, 100),
        g_network=generator,
        g_optimizer=g_optimizer,
        g_loss_function=AuxiliaryGeneratorLoss() if auxiliary else GeneratorLoss(),
        d_network=discriminator,
        d_optimizer=d_optimizer,
        d_loss_function=AuxiliaryDiscriminatorLoss() if auxiliary else DiscriminatorLoss(),
        latent_shape=LATENT,
        augment=DiffAugment(),
        channels_last=True,
        train_handlers=[*([WeightAverage(generator)] if handlers else []), *handlers],
        **engine_options,
    )


def default_handlers(folder: Path) -> list[Any]:
    """Those of ``train.yaml``."""
    return [
        CurveRecorder(folder / "curves.json"),
        FiniteLossGuard(),
        GradientGuard(),
        OneSidedGuard(),
        CollapseGuard(),
        ProgressReport(),
        TensorBoardWriter(folder / "events"),
        SampleGrid(folder / "samples"),
        RunFolder(folder),
    ]


def run_ticking(trainer: Any, tick: Tick) -> None:
    """Train, calling ``tick`` after every iteration."""
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: tick())
    trainer.run()


def monai_trainer(folder: Path) -> GanTrainer:
    """MONAI's engine on the same game, with its statistics and TensorBoard handlers."""
    generator, discriminator, g_optimizer, d_optimizer = game()
    augment = DiffAugment()

    def d_loss(fakes: torch.Tensor, reals: torch.Tensor) -> torch.Tensor:
        real, fake = augment(torch.cat([reals, fakes.detach()])).chunk(2)
        loss = functional.softplus(-discriminator(real)).mean()
        return loss + functional.softplus(discriminator(fake)).mean()

    def g_loss(fakes: torch.Tensor) -> torch.Tensor:
        return functional.softplus(-discriminator(augment(fakes))).mean()

    def losses(output: dict[str, float]) -> dict[str, float]:
        return {"g_loss": output["g_loss"], "d_loss": output["d_loss"]}

    floats = Images().images.float() * (2 / 255) - 1
    return GanTrainer(
        device=torch.device("cpu"),
        max_epochs=10**6,
        train_data_loader=DataLoader([{"image": x} for x in floats], batch_size=BATCH),
        g_network=generator,
        g_optimizer=g_optimizer,
        g_loss_function=g_loss,
        d_network=discriminator,
        d_optimizer=d_optimizer,
        d_loss_function=d_loss,
        d_prepare_batch=lambda batch, *_, **__: batch["image"],
        latent_shape=LATENT,
        train_handlers=[
            StatsHandler(name="stats", output_transform=losses),
            TensorBoardStatsHandler(log_dir=str(folder), output_transform=losses),
        ],
        decollate=False,
    )


def compare_overhead(folder: Path, steps: int, turns: int) -> None:
    """The trainer beside a bare loop and MONAI's trainer."""
    seconds = take_turns(
        {
            "bare loop": bare_loop,
            "GanAugTrainer, default handlers": lambda tick: run_ticking(
                trainer_of(default_handlers(folder / "ours")), tick
            ),
            "GanTrainer, stats and TensorBoard": lambda tick: run_ticking(
                monai_trainer(folder / "monai"), tick
            ),
        },
        steps,
        turns,
    )
    reference = seconds["bare loop"]
    for name, taken in seconds.items():
        spread = ratios(taken, reference)
        whole = sum(taken) / sum(reference)
        note = f"of all turns together {whole:.3f}"
        if name.startswith("GanAug"):
            note += f"; target 1.05: {'met' if spread[1] <= 1.05 else 'MISSED'}"
        print_row("DCGAN 64 px, batch 64", name, statistics.median(taken) / steps, spread, note)


VARIANTS: dict[str, dict[str, Any]] = {
    "plain DCGAN": {},
    "without batch norm": {"norm": None},
    "gradient penalty (no norm)": {
        "norm": None,
        "d_regularizers": [GradientPenalty(10.0)],
    },
    "R1 every step (no norm)": {"norm": None, "d_regularizers": [R1(1.0)]},
    "R1 every 16th step (no norm)": {"norm": None, "d_regularizers": [R1(1.0, interval=16)]},
    "spectral norm": {"spectral_norm": True},
    "ACGAN": {"num_classes": 2, "label_head": "auxiliary"},
    "projection": {"num_classes": 2},
}


def compare_variants(steps: int, turns: int) -> None:
    """Whole iterations of variants beside plain DCGAN."""
    ways = {
        name: lambda tick, options=options: run_ticking(trainer_of([], **options), tick)
        for name, options in VARIANTS.items()
    }
    seconds = take_turns(ways, steps, turns)
    for name, taken in seconds.items():
        base = "without batch norm" if "no norm" in name else "plain DCGAN"
        spread = ratios(taken, seconds[base])
        print_row("variants", name, statistics.median(taken) / steps, spread, f"times {base}")


def gpu_ways() -> Iterator[tuple[str, dict[str, Any]]]:
    """Arithmetic to compare on a GPU."""
    yield "float32", {}
    yield "bf16", {"amp": "bf16"}
    yield "fp16", {"amp": "fp16"}
    yield "bf16, compiled", {"amp": "bf16", "compiled": True}


def compare_on_gpu(steps: int, turns: int) -> None:
    """Published width on a GPU; each turn waits for it."""
    if not torch.cuda.is_available():
        print("| GPU | all | | | skipped: no CUDA device on this machine |")
        return

    def way(options: dict[str, Any]) -> Callable[[Tick], None]:
        def run(tick: Tick) -> None:
            trainer = trainer_of([], device="cuda", width=64, **options)

            def synchronised() -> None:
                if trainer.state.iteration % steps == 0:
                    torch.cuda.synchronize()
                tick()

            run_ticking(trainer, synchronised)

        return run

    seconds = take_turns({name: way(options) for name, options in gpu_ways()}, steps, turns)
    for name, taken in seconds.items():
        images = BATCH * steps / statistics.median(taken)
        task = torch.cuda.get_device_name()
        spread = ratios(taken, seconds["float32"])
        print_row(task, name, statistics.median(taken) / steps, spread, f"{images:.0f} images/s")


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10, help="per turn")
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--only", choices=["overhead", "variants", "gpu"])
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print("| Task | Way | ms per step | ratio: median (range) | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        if arguments.only in (None, "overhead"):
            compare_overhead(Path(name), arguments.steps, arguments.turns)
    if arguments.only in (None, "variants"):
        compare_variants(max(2, arguments.steps // 3), arguments.turns)
    if arguments.only in (None, "gpu"):
        compare_on_gpu(50, arguments.turns)


if __name__ == "__main__":
    main()
