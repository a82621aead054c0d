"""Watchers that notice when adversarial training goes wrong, and say so."""

import logging
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Events
from torch import Tensor

from monai_gan_aug.engines.events import GanAugEvents
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.metrics.diversity import mean_pairwise_distance
from monai_gan_aug.networks.latents import draw_latents

if TYPE_CHECKING:
    from monai_gan_aug.engines.trainer import GanAugTrainer

__all__ = ["CollapseGuard", "FiniteLossGuard", "OneSidedGuard"]

logger = logging.getLogger(__name__)


class FiniteLossGuard:
    """End the run within one iteration of a loss that is NaN or infinite.

    On a GPU the verdict on an iteration is fetched while the next one runs, so training never
    waits for it. The trainer attaches one by itself.
    """

    def __init__(self) -> None:
        self._pending: tuple[Tensor, torch.cuda.Event | None] | None = None

    def attach(self, trainer: "GanAugTrainer") -> None:
        """Look at both losses after each iteration."""
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._look)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._settle)

    def _look(self, trainer: "GanAugTrainer") -> None:
        self._settle(trainer)
        output = trainer.state.output
        if not isinstance(output, dict) or not isinstance(output.get(GanKeys.DLOSS), Tensor):
            return
        finite = torch.isfinite(output[GanKeys.DLOSS] + output[GanKeys.GLOSS])
        copied = None
        if finite.is_cuda:
            host = torch.empty((), dtype=torch.bool, pin_memory=True)
            finite = host.copy_(finite, non_blocking=True)
            copied = torch.cuda.Event()
            copied.record()
        self._pending = (finite, copied)
        if copied is None:
            self._settle(trainer)

    def _settle(self, trainer: "GanAugTrainer") -> None:
        if self._pending is None:
            return
        finite, copied = self._pending
        self._pending = None
        if copied is not None:
            copied.synchronize()
        if not finite.item():
            trainer.fire_event(GanAugEvents.NOT_FINITE)
            raise FloatingPointError(
                f"A loss is not finite at iteration {trainer.state.iteration}; the last good "
                "checkpoint is kept. Lower the learning rates, or use spectral norm or a penalty."
            )


class OneSidedGuard:
    """Notice a discriminator that has won: it tells real from generated without effort.

    Args:
        margin: It has won when its mean probability of "real" exceeds ``1 - margin`` for real
            images and stays below ``margin`` for generated ones.
        patience: Number of consecutive records before the event.
        stop: Whether to end training then.
    """

    def __init__(self, margin: float = 0.02, patience: int = 25, stop: bool = False) -> None:
        self.margin = margin
        self.patience = patience
        self.stop = stop
        self._seen = 0

    def attach(self, trainer: "GanAugTrainer") -> None:
        """Look at every record of the losses."""
        trainer.add_event_handler(GanAugEvents.RECORDED, self._look)

    def _look(self, trainer: "GanAugTrainer") -> None:
        record = trainer.state.record
        won = record["d_real"] > 1 - self.margin and record["d_fake"] < self.margin
        self._seen = self._seen + 1 if won else 0
        if self._seen == self.patience:
            logger.warning(
                "The discriminator has won (%.3f real, %.3f generated): convergence failure. "
                "Lower its learning rate, or use augmentation, spectral norm or a penalty.",
                record["d_real"],
                record["d_fake"],
            )
            trainer.fire_event(GanAugEvents.ONE_SIDED)
            if self.stop:
                trainer.terminate()


class CollapseGuard:
    """Notice a generator that draws nearly the same image for every latent.

    The score is the mean pairwise distance of images from fixed latents over that of real
    images; it is kept in ``trainer.state.diversity``.

    Args:
        threshold: Score below which the generator has collapsed.
        count: Number of fixed latents.
        patience: Number of consecutive epochs before the event.
        stop: Whether to end training then.
        seed: Seed of the fixed latents.
    """

    def __init__(
        self,
        threshold: float = 0.2,
        count: int = 32,
        patience: int = 3,
        stop: bool = False,
        seed: int = 0,
    ) -> None:
        self.threshold = threshold
        self.count = count
        self.patience = patience
        self.stop = stop
        self.seed = seed
        self._seen = 0

    def attach(self, trainer: "GanAugTrainer") -> None:
        """Look at the end of each epoch."""
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._look)

    def _look(self, trainer: "GanAugTrainer") -> None:
        trainer.state.diversity = self.score(trainer, trainer.state.output)
        self._seen = self._seen + 1 if trainer.state.diversity < self.threshold else 0
        if self._seen == self.patience:
            logger.warning(
                "Images from different latents are nearly the same (%.2f of the diversity of "
                "real ones): mode collapse. Train shorter, or use augmentation or a larger batch.",
                trainer.state.diversity,
            )
            trainer.fire_event(GanAugEvents.COLLAPSED)
            if self.stop:
                trainer.terminate()

    @torch.no_grad()
    def score(self, trainer: "GanAugTrainer", output: dict[str, Any]) -> float:
        """Diversity of generated images in units of that of the batch of real ones."""
        reals, labels = output[GanKeys.REALS], output[GanAugKeys.LABELS]
        count = min(self.count, len(reals))
        if count < 2:
            return 1.0
        draw = torch.Generator().manual_seed(self.seed)
        latents = draw_latents(count, trainer.latent_shape, reals.device, generator=draw)
        network = trainer.sampling_network
        conditional = getattr(network, "num_classes", 0) > 0
        was_training = network.training
        network.eval()
        fakes = network(latents, labels[:count]) if conditional else network(latents)
        network.train(was_training)
        real = mean_pairwise_distance(reals[:count].flatten(1))
        fake = mean_pairwise_distance(fakes.flatten(1))
        return (fake / real.clamp_min(1e-12)).item()
