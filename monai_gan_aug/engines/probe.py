"""How far generated images are from real ones, measured while training."""

from typing import Any, Protocol

import numpy as np
import torch
from ignite.engine import Events
from numpy.typing import NDArray
from torch import Tensor, nn

from monai_gan_aug.engines.batches import prepare_reals
from monai_gan_aug.engines.game import AdversarialGame, GanAugEvents
from monai_gan_aug.metrics.kernel import kernel_distance
from monai_gan_aug.networks.latents import draw_latents

__all__ = ["KernelDistanceProbe"]


class ImageSource(Protocol):
    """A data set that makes whole batches."""

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.int64]) -> Any:
        """Images and labels at ``indices``."""


class KernelDistanceProbe:
    """Kernel distance of fixed latents' images to real ones, as ``kid`` in the metrics.

    Generated images have the classes of the real ones. Nothing is drawn from the global random
    numbers, so training is the same with and without a probe. Choose checkpoints by images the
    generator did not see, and never by those of the test.

    Args:
        dataset: Real images, of the validation split.
        features: Images ``(B, C, H, W)`` in ``[-1, 1]`` to features ``(B, F)``.
        count: Images of each kind at most.
        every: Epochs between measurements; until the first one there is no value.
        batch_size: Images per pass.
        seed: Seed of the latents and of the choice of real images.

    Raises:
        ValueError: If there are fewer than two real images.
    """

    def __init__(
        self,
        dataset: ImageSource,
        features: nn.Module,
        count: int = 512,
        every: int = 1,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        if min(count, len(dataset)) < 2:
            raise ValueError(
                f"`dataset` must hold at least 2 images to be compared, got {len(dataset)}."
            )
        self.dataset = dataset
        self.features = features
        self.every = every
        self.batch_size = batch_size
        self.seed = seed
        order = np.random.default_rng(seed).permutation(len(dataset))
        self._parts = np.split(order[:count], range(batch_size, min(count, len(order)), batch_size))
        self._reals: Tensor | None = None
        self._labels: list[Tensor | None] = []

    def attach(self, trainer: AdversarialGame) -> None:
        """Measure at the end of epochs."""
        trainer.add_event_handler(Events.EPOCH_COMPLETED(every=self.every), self._measure)

    @torch.no_grad()
    def _measure(self, trainer: AdversarialGame) -> None:
        device = trainer.state.device
        if self._reals is None:
            self._reals = self._real_features(device)
        draw = torch.Generator().manual_seed(self.seed)
        fakes = []
        for part, labels in zip(self._parts, self._labels, strict=True):
            latents = draw_latents(len(part), trainer.latent_shape, device, generator=draw)
            fakes.append(self.features(trainer.sample(latents, labels).float()))
        trainer.state.metrics["kid"] = kernel_distance(self._reals, torch.cat(fakes)).item()
        trainer.fire_event(GanAugEvents.MEASURED)

    def _real_features(self, device: torch.device) -> Tensor:
        self.features.to(device)
        rows = []
        for part in self._parts:
            images, labels = prepare_reals(self.dataset.batch(part), device)
            rows.append(self.features(images))
            self._labels.append(labels)
        return torch.cat(rows)
