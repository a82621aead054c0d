"""What a regulariser of the discriminator gets to see, and what it must be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from monai_gan_aug.losses.adversarial import adversarial_logits

__all__ = ["DiscriminatorView", "Regularizer"]


@dataclass(frozen=True)
class DiscriminatorView:
    """One update of the discriminator as a regulariser sees it.

    Args:
        judge: ``(images, labels)`` to logits ``(B,)`` or ``(B, 1 + K)``.
        network: The discriminator itself.
        real: Real images as the discriminator saw them, augmented; shape ``(B, C, H, W)``.
        fake: Generated images as it saw them, same shape.
        labels: Classes of both, shape ``(B,)``, or nothing.
        real_logits: Adversarial logits of ``real``, shape ``(B,)``, with graph.
        fake_logits: Adversarial logits of ``fake``.
        plain_real: Real images before augmentation.
        plain_fake: Generated images before augmentation.
    """

    judge: Callable[..., Tensor]
    network: nn.Module
    real: Tensor
    fake: Tensor
    labels: Tensor | None
    real_logits: Tensor
    fake_logits: Tensor
    plain_real: Tensor
    plain_fake: Tensor

    def logits(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Adversarial logits ``(B,)`` of other images, in single precision."""
        return adversarial_logits(self.judge(images.float(), labels).float())


class Regularizer(Protocol):
    """Something that :class:`~monai_gan_aug.engines.trainer.GanAugTrainer` adds to the loss."""

    name: str
    interval: int

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """A scalar with a graph."""
