"""What a step of every GAN family costs, as its file says: CPU time of one thread.

OMP_NUM_THREADS=1 python scripts/benchmark/family_steps.py
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from monai.bundle import ConfigParser

from monai_gan_aug.engines.steps import Player, discriminator_step, generator_step

CONFIGS = Path(__file__).resolve().parents[2] / "bundles" / "medical_image_gan" / "configs"
CLASSES = 2


class Family:
    """Both updates of one family, on noise, without augmentation."""

    def __init__(self, name: str, size: int, batch: int, **knobs: object) -> None:
        torch.manual_seed(0)
        config = ConfigParser()
        files = ("common.yaml", f"{name}.yaml", "train.yaml")
        config.read_config([str(CONFIGS / file) for file in files])
        config.update(
            {"image_size": size, "num_classes": CLASSES, "device": torch.device("cpu"), **knobs}
        )
        get = config.get_parsed_content
        self.generator, self.discriminator = (
            get(network).to(memory_format=torch.channels_last)
            for network in ("network", "discriminator")
        )
        self.critic_steps = get("d_train_steps")
        self.latent_size = get("latent_size")
        self.labels = torch.arange(batch) % CLASSES
        self.reals = torch.rand(batch, get("channels"), size, size) * 2 - 1
        self.regularizers = get("train::trainer::d_regularizers")
        self.iteration = 0
        self.d_player, self.g_player = (
            Player(
                network,
                get(f"train::{optimizer}"),
                get(f"train::trainer::{loss}"),
                torch.amp.GradScaler("cpu", enabled=False),
            )
            for network, optimizer, loss in (
                (self.discriminator, "discriminator_optimizer", "d_loss_function"),
                (self.generator, "optimizer", "g_loss_function"),
            )
        )

    def latents(self) -> torch.Tensor:
        """New ones for every image of a batch."""
        return torch.randn(len(self.labels), self.latent_size)

    def discriminate(self) -> None:
        """Generate, and update the discriminator."""
        with torch.no_grad():
            fakes = self.generator(self.latents(), self.labels)
        due = [r for r in self.regularizers if self.iteration % r.interval == 0]
        discriminator_step(
            self.d_player,
            self.reals,
            fakes,
            discriminate=self.discriminator,
            labels=self.labels,
            regularizers=due,
        )
        self.iteration += 1

    def generate(self) -> None:
        """Update the generator."""
        generator_step(
            self.g_player,
            self.latents(),
            generate=self.generator,
            discriminate=self.discriminator,
            discriminator=self.discriminator,
            labels=self.labels,
        )


def seconds(update: Callable[[], None]) -> float:
    """CPU time of one call."""
    begun = time.process_time()
    update()
    return time.process_time() - begun


def main() -> None:
    """Print the table; families take turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--turns", type=int, default=16, help="a lazy penalty comes every 16th")
    given = parser.parse_args()
    torch.set_num_threads(1)
    names = sorted(path.stem for path in CONFIGS.glob("family_*.yaml"))
    ways = {name.removeprefix("family_"): Family(name, given.size, given.batch) for name in names}
    ways["dcgan, deconv"] = Family("family_dcgan", given.size, given.batch, upsample="deconv")
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ways}
    for turn in range(given.turns + 1):
        for name, family in ways.items():
            both = seconds(family.discriminate), seconds(family.generate)
            if turn:
                for kept, one in zip(taken[name], both, strict=True):
                    kept.append(one)
    print("| family | D update | G update | a step of the generator |\n|---|---|---|---|")
    for name, (d, g) in taken.items():
        updates = statistics.mean(d), statistics.mean(g)
        whole = ways[name].critic_steps * updates[0] + updates[1]
        print(f"| `{name}` | {updates[0]:.2f} s | {updates[1]:.2f} s | {whole:.2f} s |")


if __name__ == "__main__":
    main()
