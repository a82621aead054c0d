"""A side of the game as the trainer plays it: gradients shared, measured, then followed."""

from dataclasses import dataclass

import torch
from torch import Tensor

from monai_gan_aug.engines.distributed import average_in_place
from monai_gan_aug.engines.steps import Player

__all__ = ["Side"]


@dataclass
class Side(Player):
    """One side of the game whose gradients are averaged over processes before each update.

    Args:
        measured: Whether the length of the gradient is kept.

    Attributes:
        gradient_norm: Euclidean length of the last gradient, a scalar on the device.
    """

    measured: bool = False
    gradient_norm: Tensor | None = None

    def update(self) -> None:
        """Share and measure the gradients there are, then step the optimiser along them."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        average_in_place(gradients)
        if self.measured and gradients:
            if self.scaler.is_enabled():
                self.scaler.unscale_(self.optimizer)
            self.gradient_norm = torch.nn.utils.get_total_norm(gradients)
        super().update()
