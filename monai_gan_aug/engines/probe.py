"""How far generated images are from real ones, measured while training."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from ignite.engine import Events
from torch import Tensor, nn

from monai_gan_aug.engines.batches import prepare_reals
from monai_gan_aug.engines.events import GanAugEvents
from monai_gan_aug.metrics.kernel import kernel_distance
from monai_gan_aug.networks.latents import draw_latents

if TYPE_CHECKING:
    from monai_gan_aug.engines.trainer import GanAugTrainer

__all__ = ["KernelDistanceProbe"]


class ImageSource(Protocol):
    """A data set that makes whole batches."""

    def __len__(self) -> int: ...

    def batch(self, indices: np.ndarray) -> Any:
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

    def attach(self, trainer: "GanAugTrainer") -> None:
        """Measure at the end of epochs."""
        trainer.add_event_handler(Events.EPOCH_COMPLETED(every=self.every), self._measure)

    @torch.no_grad()
    def _measure(self, trainer: "GanAugTrainer") -> None:
        device = torch.device(trainer.state.device)
        if self._reals is None:
            self._reals = self._real_features(device)
        network = trainer.sampling_network
        conditional = getattr(network, "num_classes", 0) > 0
        draw = torch.Generator().manual_seed(self.seed)
        was_training = network.training
        network.eval()
        fakes = []
        for part, labels in zip(self._parts, self._labels, strict=True):
            latents = draw_latents(len(part), trainer.latent_shape, device, generator=draw)
            images = network(latents, labels) if conditional else network(latents)
            fakes.append(self.features(images.float()))
        network.train(was_training)
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
