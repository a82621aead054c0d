"""What MONAI's supervised trainer and evaluator need for batches of cached images."""

from typing import Any

import torch
from ignite.engine import Events
from monai.engines import Trainer
from monai.engines.utils import IterationEvents
from monai.optimizers import WarmupCosineSchedule
from monai.utils.enums import CommonKeys
from torch import Tensor
from torch.optim import Optimizer

from monai_gan_aug.augmentation.classical import ClassicalAugmentation
from monai_gan_aug.augmentation.mixup import MixUp
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.transforms.intensity import to_signed

__all__ = ["CosineSchedule", "FiniteLoss", "PrepareImages"]


class PrepareImages:
    """Move a batch to the device, scale it, and augment it there: MONAI's ``prepare_batch``.

    Args:
        augmentation: Applied to every training batch; leave it out for evaluation.
        mixup: Applied after it, if given; targets are then shares of classes.
    """

    def __init__(
        self, augmentation: ClassicalAugmentation | None = None, mixup: MixUp | None = None
    ) -> None:
        self.augmentation = augmentation
        self.mixup = mixup

    def __call__(
        self,
        batchdata: dict[str, Tensor],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """Images ``(B, C, H, W)`` in ``[-1, 1]`` and labels, or ``None`` where there are none."""
        stored = batchdata[DataKeys.IMAGE].to(device, non_blocking=non_blocking)
        images = to_signed(stored)
        labels = batchdata.get(DataKeys.LABEL)
        if labels is not None:
            labels = labels.to(device, non_blocking=non_blocking)
        if self.augmentation is not None:
            images = self.augmentation(images)
        if self.mixup is not None and labels is not None:
            return self.mixup(images, labels)
        return images, labels


class CosineSchedule:
    """Raise the learning rate linearly, then lower it to zero along a cosine, step by step.

    The length is that of the run it is attached to, so twice the steps get a curve twice as long.

    Args:
        optimizer: Whose learning rate is the peak.
        warm_up_fraction: Share of the steps spent rising, in ``[0, 1)``.

    Raises:
        ValueError: If the share is out of range.
    """

    def __init__(self, optimizer: Optimizer, warm_up_fraction: float = 0.1) -> None:
        if not 0 <= warm_up_fraction < 1:
            raise ValueError(f"`warm_up_fraction` must be in [0, 1), got {warm_up_fraction}.")
        self.optimizer = optimizer
        self.warm_up_fraction = warm_up_fraction
        self.schedule: WarmupCosineSchedule | None = None

    def attach(self, engine: Trainer) -> None:
        """Begin with the run and move after every iteration."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._move)

    def _begin(self, engine: Trainer) -> None:
        total = engine.state.max_epochs * engine.state.epoch_length
        warm_up = min(round(total * self.warm_up_fraction), total - 1)
        self.schedule = WarmupCosineSchedule(
            self.optimizer, warmup_steps=warm_up, t_total=total, warmup_multiplier=0.05
        )

    def _move(self, engine: Trainer) -> None:
        if self.schedule is not None:
            self.schedule.step()


class FiniteLoss:
    """End the run at the first loss that is NaN or infinite, before it reaches the weights."""

    def attach(self, engine: Trainer) -> None:
        """Look at every loss before its gradients are computed."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self._look)

    def _look(self, engine: Trainer) -> None:
        if not torch.isfinite(engine.state.output[CommonKeys.LOSS]).item():
            raise FloatingPointError(
                f"The loss is not finite at step {engine.state.iteration}: "
                "lower `learning_rate` and train again."
            )
