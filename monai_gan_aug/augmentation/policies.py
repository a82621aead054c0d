"""Everything that happens to images on their way to the discriminator, by name."""

from collections.abc import Callable
from typing import Any

import torch
from ignite.engine import Events
from torch import Tensor

from monai_gan_aug.augmentation.adaptive import AdaptiveAugment
from monai_gan_aug.augmentation.differentiable import DiffAugment

__all__ = ["DiscriminatorInput", "InstanceNoise"]

SIGNED_LOSSES = ("bce", "hinge")  # a logit above zero says "real"


class InstanceNoise:
    """Add normal noise that fades: real and generated images overlap from the beginning.

    Args:
        deviation: Standard deviation at the first iteration, for images in ``[-1, 1]``.
        steps: Iterations in which it falls linearly to zero; 0 keeps it constant.

    Attributes:
        current: Standard deviation now; a function of the iteration alone, so a resumed run goes
            on exactly.

    Raises:
        ValueError: If an argument is negative.

    References:
        Sonderby et al., "Amortised MAP Inference for Image Super-resolution".
        https://arxiv.org/abs/1610.04490

    Example:
        >>> InstanceNoise(0.1)(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(self, deviation: float, steps: int = 0) -> None:
        if deviation < 0 or steps < 0:
            raise ValueError(
                f"`deviation` and `steps` must not be negative, got {deviation} and {steps}."
            )
        self.deviation = deviation
        self.steps = steps
        self.current = deviation

    def attach(self, trainer: Any) -> None:
        """Fade as iterations begin."""
        trainer.add_event_handler(Events.ITERATION_STARTED, self._fade)

    def _fade(self, trainer: Any) -> None:
        if self.steps:
            done = (trainer.state.iteration - 1) / self.steps
            self.current = self.deviation * max(0.0, 1.0 - done)

    def __call__(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` to noisy ones."""
        return images + self.current * torch.randn_like(images) if self.current else images


class DiscriminatorInput:
    """What the discriminator sees, real and generated alike: augmentation, then noise.

    Args:
        policy: ``"adaptive"`` for :class:`~monai_gan_aug.augmentation.adaptive.AdaptiveAugment`,
            or a policy of :class:`~monai_gan_aug.augmentation.differentiable.DiffAugment`.
        adaptive_target: ``target`` of the adaptive one.
        adaptive_images: ``images`` of the adaptive one.
        instance_noise: Standard deviation of :class:`InstanceNoise`; 0 for none.
        instance_noise_steps: Its ``steps``.
        loss: Kind of the discriminator's loss.

    Raises:
        ValueError: If an argument is out of range, or the policy is adaptive and the loss gives the
            sign of a logit no meaning.

    Example:
        >>> DiscriminatorInput("color,cutout", instance_noise=0.1)(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(
        self,
        policy: str | None = "",
        adaptive_target: float = 0.6,
        adaptive_images: int = 50_000,
        instance_noise: float = 0.0,
        instance_noise_steps: int = 0,
        loss: str = "bce",
    ) -> None:
        if policy == "adaptive" and loss not in SIGNED_LOSSES:
            raise ValueError(
                "`augment: adaptive` reads from the sign of a logit what was taken for real, and "
                f"the loss {loss!r} gives it no such meaning: choose one of {SIGNED_LOSSES}, or "
                "a policy such as 'translation,cutout'."
            )
        augment: Any = (
            AdaptiveAugment(adaptive_target, adaptive_images)
            if policy == "adaptive"
            else DiffAugment(policy)
        )
        self.stages: list[Callable[[Tensor], Tensor]] = [augment]
        if instance_noise:
            self.stages.append(InstanceNoise(instance_noise, instance_noise_steps))

    def attach(self, trainer: Any) -> None:
        """Attach the stages that adapt or fade."""
        for stage in self.stages:
            if hasattr(stage, "attach"):
                stage.attach(trainer)

    def __call__(self, images: Tensor) -> Tensor:
        """Augment images ``(B, C, H, W)`` in ``[-1, 1]``; values may leave that range."""
        for stage in self.stages:
            images = stage(images)
        return images
