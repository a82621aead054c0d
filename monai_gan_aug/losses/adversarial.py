"""Adversarial losses on logits: real first, fake second."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["KINDS", "DiscriminatorLoss", "GeneratorLoss", "adversarial_logits"]

KINDS = ("bce", "least_squares", "hinge", "wasserstein")


def adversarial_logits(logits: Tensor) -> Tensor:
    """The adversarial logit ``(B,)`` of logits ``(B,)``, or ``(B, 1 + K)`` with class logits.

    Example:
        >>> adversarial_logits(torch.tensor([[1.0, 5.0, 6.0]])).tolist()
        [1.0]
    """
    return logits[:, 0] if logits.ndim == 2 else logits


def _check_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {KINDS}, got {kind!r}.")
    return kind


class GeneratorLoss(nn.Module):
    """What the generator minimises, from the logits of its images (non-saturating).

    Args:
        kind: ``"bce"``, ``"least_squares"``, ``"hinge"`` or ``"wasserstein"``.

    Raises:
        ValueError: If the kind is unknown.

    References:
        Goodfellow et al., https://arxiv.org/abs/1406.2661; Mao et al.,
        https://arxiv.org/abs/1611.04076; Miyato et al., https://arxiv.org/abs/1802.05957;
        Arjovsky et al., https://arxiv.org/abs/1701.07875

    Example:
        >>> GeneratorLoss("hinge")(torch.tensor([1.0, 3.0])).item()
        -2.0
    """

    on_logits: ClassVar[bool] = True

    def __init__(self, kind: str = "bce") -> None:
        super().__init__()
        self.kind = _check_kind(kind)

    def forward(self, fake_logits: Tensor) -> Tensor:
        """Logits of generated images, shape ``(B,)``, to a scalar."""
        if self.kind == "bce":
            return functional.softplus(-fake_logits).mean()
        if self.kind == "least_squares":
            return (fake_logits - 1).square().mean()
        return -fake_logits.mean()


class DiscriminatorLoss(nn.Module):
    """What the discriminator minimises, from the logits of real and generated images.

    Args:
        kind: ``"bce"``, ``"least_squares"``, ``"hinge"`` or ``"wasserstein"``.
        label_smoothing: Distance of the targets from 1; ``"bce"`` and ``"least_squares"`` only.
        two_sided: Whether the target of generated images moves from 0 by the same distance.
        flip_probability: Chance that an image's target is swapped; same kinds only.

    Raises:
        ValueError: If an argument is out of range or means nothing for this kind.

    References:
        As for :class:`GeneratorLoss`; one-sided smoothing: Salimans et al.,
        https://arxiv.org/abs/1606.03498

    Example:
        >>> DiscriminatorLoss("hinge")(torch.tensor([2.0]), torch.tensor([0.0])).item()
        1.0
    """

    on_logits: ClassVar[bool] = True

    def __init__(
        self,
        kind: str = "bce",
        label_smoothing: float = 0.0,
        two_sided: bool = False,
        flip_probability: float = 0.0,
    ) -> None:
        super().__init__()
        self.kind = _check_kind(kind)
        for name, value in (
            ("label_smoothing", label_smoothing),
            ("flip_probability", flip_probability),
        ):
            if not 0 <= value < 0.5:
                raise ValueError(f"`{name}` must be in [0, 0.5), got {value}.")
            if value and kind not in ("bce", "least_squares"):
                raise ValueError(f"`{name}` needs targets, which the {kind} loss has not: use 0.")
        self.real_target = 1.0 - label_smoothing
        self.fake_target = label_smoothing if two_sided else 0.0
        self.flip_probability = flip_probability

    def forward(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Logits of shape ``(B,)`` each to a scalar."""
        if self.kind == "hinge":
            return functional.relu(1 - real_logits).mean() + functional.relu(1 + fake_logits).mean()
        if self.kind == "wasserstein":
            return fake_logits.mean() - real_logits.mean()
        return self._to_target(real_logits, self.real_target, self.fake_target) + self._to_target(
            fake_logits, self.fake_target, self.real_target
        )

    def _to_target(self, logits: Tensor, target: float, swapped: float) -> Tensor:
        targets = torch.full_like(logits, target)
        if self.flip_probability:
            flipped = torch.rand_like(logits) < self.flip_probability
            targets = torch.where(flipped, swapped, targets)
        if self.kind == "least_squares":
            return (logits - targets).square().mean()
        return functional.binary_cross_entropy_with_logits(logits, targets)
