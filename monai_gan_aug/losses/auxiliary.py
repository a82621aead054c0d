"""Losses of discriminators that also guess the class."""

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss, adversarial_logits

__all__ = ["AuxiliaryDiscriminatorLoss", "AuxiliaryGeneratorLoss"]


def _class_loss(logits: Tensor, labels: Tensor | None) -> Tensor | float:
    """Cross-entropy of the class logits behind column 0; nothing if there are none."""
    if logits.ndim == 1:
        return 0.0
    if labels is None:
        raise ValueError("`labels` must be given: this loss compares class logits with them.")
    return functional.cross_entropy(logits[:, 1:], labels)


class AuxiliaryGeneratorLoss(nn.Module):
    """Adversarial loss of the generator, and cross-entropy of its images' classes.

    For logits without class logits it is the adversarial loss alone, so that one configuration
    serves every discriminator.

    Args:
        kind: As in :class:`~monai_gan_aug.losses.adversarial.GeneratorLoss`.
        weight: Weight of the cross-entropy; published 1.

    Raises:
        ValueError: If the kind is unknown or the weight negative.

    References:
        Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs".
        https://arxiv.org/abs/1610.09585

    Example:
        >>> loss = AuxiliaryGeneratorLoss("hinge")
        >>> loss(torch.tensor([[3.0, 9.0, -9.0]]), torch.tensor([0])).item()
        -3.0
    """

    on_logits: ClassVar[bool] = True
    wants_labels: ClassVar[bool] = True

    def __init__(self, kind: str = "bce", weight: float = 1.0) -> None:
        super().__init__()
        self.adversarial = GeneratorLoss(kind)
        self.weight = _require_weight(weight)

    def forward(self, fake_logits: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits ``(B,)`` or ``(B, 1 + K)`` and labels ``(B,)`` to a scalar."""
        loss: Tensor = self.adversarial(adversarial_logits(fake_logits))
        return loss + self.weight * _class_loss(fake_logits, labels)


class AuxiliaryDiscriminatorLoss(nn.Module):
    """Adversarial loss of the discriminator, and cross-entropy of the classes of all images.

    For logits without class logits it is the adversarial loss alone.

    Args:
        kind: As in :class:`~monai_gan_aug.losses.adversarial.DiscriminatorLoss`.
        label_smoothing: As there.
        two_sided: As there.
        flip_probability: As there.
        weight: Weight of the cross-entropy; published 1.
        fake_weight: Factor of that weight for generated images; 0 learns classes from real
            images alone.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Odena et al., https://arxiv.org/abs/1610.09585

    Example:
        >>> loss = AuxiliaryDiscriminatorLoss("hinge")
        >>> sure = torch.tensor([[2.0, 9.0, -9.0]])
        >>> round(loss(sure, -sure * torch.tensor([1, -1, -1]), torch.tensor([0])).item(), 4)
        0.0
    """

    on_logits: ClassVar[bool] = True
    wants_labels: ClassVar[bool] = True

    def __init__(
        self,
        kind: str = "bce",
        label_smoothing: float = 0.0,
        two_sided: bool = False,
        flip_probability: float = 0.0,
        weight: float = 1.0,
        fake_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.adversarial = DiscriminatorLoss(kind, label_smoothing, two_sided, flip_probability)
        self.weight = _require_weight(weight)
        self.fake_weight = _require_weight(fake_weight)

    def forward(
        self, real_logits: Tensor, fake_logits: Tensor, labels: Tensor | None = None
    ) -> Tensor:
        """Logits ``(B,)`` or ``(B, 1 + K)`` each and labels ``(B,)`` to a scalar."""
        loss: Tensor = self.adversarial(
            adversarial_logits(real_logits), adversarial_logits(fake_logits)
        )
        classes = _class_loss(real_logits, labels) + self.fake_weight * _class_loss(
            fake_logits, labels
        )
        return loss + self.weight * classes


def _require_weight(weight: float) -> float:
    if weight < 0:
        raise ValueError(f"`weight` must not be negative, got {weight}.")
    return weight
