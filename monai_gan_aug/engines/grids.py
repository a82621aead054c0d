"""Pictures of many images at once."""

import math
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Events
from numpy.typing import NDArray
from torch import Tensor

from monai_gan_aug.engines.distributed import is_main_process
from monai_gan_aug.engines.game import AdversarialGame, GanAugEvents
from monai_gan_aug.io.png import write_png
from monai_gan_aug.networks.conditional import class_count
from monai_gan_aug.networks.latents import draw_latents

__all__ = ["SampleGrid", "tile_images"]


def tile_images(images: Tensor, columns: int, gap: int = 1) -> NDArray[np.uint8]:
    """Arrange images row by row on a black sheet.

    Args:
        images: Shape ``(N, C, H, W)`` in ``[-1, 1]``.
        columns: Images per row.
        gap: Pixels between images.

    Returns:
        An array of shape ``(C, rows * (H + gap) - gap, columns * (W + gap) - gap)``.

    Example:
        >>> tile_images(torch.ones(3, 1, 4, 4), columns=2).shape
        (1, 9, 9)
    """
    count, channels, height, width = images.shape
    rows = math.ceil(count / columns)
    cells = images.new_full((rows * columns, channels, height + gap, width + gap), -1.0)
    cells[:count, :, :height, :width] = images
    cells = cells.view(rows, columns, channels, height + gap, width + gap)
    sheet = cells.permute(2, 0, 3, 1, 4).reshape(channels, rows * (height + gap), -1)
    sheet = sheet[:, : sheet.shape[1] - gap, : sheet.shape[2] - gap]
    return ((sheet.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()


class SampleGrid:
    """Draw the same latents again and again: one row per class, or a square.

    Args:
        folder: Where the pictures go, as ``step_00000100.png``.
        every: Epochs between pictures; one is drawn after the last epoch as well.
        labels: Classes to draw, one row each; nothing for an unconditional generator.
        columns: Images per row.
        seed: Seed of the latents.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int = 1,
        labels: list[int] | None = None,
        columns: int = 8,
        seed: int = 0,
    ) -> None:
        self.folder = Path(folder)
        self.every = every
        self.labels = labels
        self.columns = columns
        self.seed = seed

    def attach(self, trainer: AdversarialGame) -> None:
        """Draw at the end of epochs, in the first process only."""
        if is_main_process():
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self._draw)

    @torch.no_grad()
    def _draw(self, trainer: AdversarialGame) -> None:
        if trainer.state.epoch % self.every and trainer.state.epoch != trainer.state.max_epochs:
            return
        classes = class_count(trainer.sampling_network)
        rows = self.labels or list(range(classes)) or [0] * self.columns
        count = len(rows) * self.columns
        device = trainer.state.device
        draw = torch.Generator().manual_seed(self.seed)
        latents = draw_latents(count, trainer.latent_shape, device, generator=draw)
        labels = torch.tensor(rows, device=device).repeat_interleave(self.columns)
        sheet = tile_images(trainer.sample(latents, labels).float(), self.columns)
        write_png(self.folder / f"step_{trainer.state.iteration:08d}.png", sheet)
        trainer.state.grid = sheet
        trainer.fire_event(GanAugEvents.GRID_DRAWN)
