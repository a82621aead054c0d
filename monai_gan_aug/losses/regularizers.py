"""What is added to the loss of a discriminator to keep it from winning too early.

A regulariser is called with a :class:`DiscriminatorView` in every ``interval``-th iteration. One
with ``state_dict`` and ``load_state_dict`` is saved in checkpoints.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import ignite.distributed as idist
import torch
from torch import Tensor, nn

from monai_gan_aug.losses.adversarial import adversarial_logits
from monai_gan_aug.losses.penalties import dragan_penalty, gradient_penalty, r1_penalty

__all__ = [
    "R1",
    "BalancedConsistency",
    "DiscriminatorView",
    "Dragan",
    "GradientPenalty",
    "LeCam",
    "Reconstruction",
    "Regularizer",
    "chosen_regularizers",
]


@dataclass(frozen=True)
class DiscriminatorView:
    """One update of the discriminator as a regulariser sees it.

    Args:
        discriminate: ``(images, labels)`` to logits ``(B,)`` or ``(B, 1 + K)``.
        network: The discriminator itself.
        real: Real images as the discriminator saw them, augmented; shape ``(B, C, H, W)``.
        fake: Generated images as it saw them, same shape.
        labels: Classes of both, shape ``(B,)``, or nothing.
        real_logits: Adversarial logits of ``real``, shape ``(B,)``, with graph.
        fake_logits: Adversarial logits of ``fake``.
        plain_real: Real images before augmentation.
        plain_fake: Generated images before augmentation.
    """

    discriminate: Callable[..., Tensor]
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
        return adversarial_logits(self.discriminate(images.float(), labels).float())


class Regularizer(Protocol):
    """Something that :class:`~monai_gan_aug.engines.trainer.GanAugTrainer` adds to the loss."""

    name: str
    interval: int

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """A scalar with a graph."""


class _Weighted:
    """Weight, which lazy application multiplies by the interval, and the name."""

    name = ""

    def __init__(self, weight: float, interval: int = 1) -> None:
        if weight <= 0:
            raise ValueError(f"`weight` of {self.name} must be positive, got {weight}.")
        if interval < 1:
            raise ValueError(f"`interval` of {self.name} must be at least 1, got {interval}.")
        self.weight = weight * interval
        self.interval = interval

    def __repr__(self) -> str:
        return f"{type(self).__name__}(weight={self.weight / self.interval}, {self.interval})"


class GradientPenalty(_Weighted):
    """:func:`~monai_gan_aug.losses.penalties.gradient_penalty`, for the Wasserstein loss.

    Args:
        weight: Weight of the penalty; published 10.
        interval: Apply it in every n-th iteration, n times as strong.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Gulrajani et al., https://arxiv.org/abs/1704.00028
    """

    name = "gradient"
    differentiates_twice = True

    def __init__(self, weight: float = 10.0, interval: int = 1) -> None:
        super().__init__(weight, interval)

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """The penalty between the images of the view."""
        return gradient_penalty(view.logits, view.real, view.fake, view.labels, weight=self.weight)


class R1(_Weighted):
    """:func:`~monai_gan_aug.losses.penalties.r1_penalty`, applied lazily.

    Args:
        weight: Weight (often called gamma).
        interval: Apply it in every n-th iteration, n times as strong; published 16.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Mescheder et al., https://arxiv.org/abs/1801.04406; lazily: Karras et al.,
        https://arxiv.org/abs/1912.04958
    """

    name = "r1"
    differentiates_twice = True

    def __init__(self, weight: float = 10.0, interval: int = 16) -> None:
        super().__init__(weight, interval)

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """The penalty at the real images of the view."""
        return r1_penalty(view.logits, view.real, None, view.labels, weight=self.weight)


class Dragan(_Weighted):
    """:func:`~monai_gan_aug.losses.penalties.dragan_penalty`, for any loss.

    Args:
        weight: Weight of the penalty; published 10.
        interval: Apply it in every n-th iteration, n times as strong.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Kodali et al., https://arxiv.org/abs/1705.07215
    """

    name = "dragan"
    differentiates_twice = True

    def __init__(self, weight: float = 10.0, interval: int = 1) -> None:
        super().__init__(weight, interval)

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """The penalty around the real images of the view."""
        return dragan_penalty(view.logits, view.real, None, view.labels, weight=self.weight)


class LeCam(_Weighted):
    r"""Hold the logits of each side near the running mean of the other side.

    .. math:: w \left( E[(D(x) - \alpha_F)^2] + E[(D(G(z)) - \alpha_R)^2] \right)

    Args:
        weight: Weight :math:`w`; published 0.3 for the hinge loss.
        decay: Decay of the running means :math:`\alpha_R` and :math:`\alpha_F`.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Tseng et al., "Regularizing Generative Adversarial Networks under Limited Data".
        https://arxiv.org/abs/2104.03310
    """

    name = "lecam"

    def __init__(self, weight: float = 0.3, decay: float = 0.99) -> None:
        super().__init__(weight)
        if not 0 <= decay < 1:
            raise ValueError(f"`decay` must be in [0, 1), got {decay}.")
        self.decay = decay
        self.means: Tensor | None = None

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """Move the running means, then measure the distances from them."""
        logits = [view.real_logits.float(), view.fake_logits.float()]
        new = torch.stack([side.detach().mean() for side in logits])
        new = torch.as_tensor(idist.all_reduce(new)) / idist.get_world_size()
        if self.means is not None:
            new = torch.lerp(new, self.means.to(new.device), self.decay)
        self.means = new
        real, fake = (logits[0] - new[1]).square(), (logits[1] - new[0]).square()
        return self.weight * (real.mean() + fake.mean())

    def state_dict(self) -> dict[str, Any]:
        """The running means, real first."""
        return {"means": self.means}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.means = state["means"]


class BalancedConsistency(_Weighted):
    r"""Ask for the same verdict on an image and on its augmented twin, real and generated.

    .. math:: w \left( E[(D(x) - D(Tx))^2] + E[(D(G(z)) - D(TG(z)))^2] \right)

    If everything the discriminator sees is augmented, both are augmented, independently.

    Args:
        weight: Weight :math:`w`; published 10.
        augment: Images ``(B, C, H, W)`` to images of the same shape.

    Raises:
        ValueError: If the weight is not positive.

    References:
        Zhao et al., "Improved Consistency Regularization for GANs".
        https://arxiv.org/abs/2002.04724
    """

    name = "consistency"

    def __init__(self, augment: Callable[[Tensor], Tensor], weight: float = 10.0) -> None:
        super().__init__(weight)
        self.augment = augment

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """Mean squared differences of logits."""
        real = view.logits(self.augment(view.plain_real), view.labels)
        fake = view.logits(self.augment(view.plain_fake), view.labels)
        distance = (real - view.real_logits).square().mean()
        return self.weight * (distance + (fake - view.fake_logits).square().mean())


class Reconstruction(_Weighted):
    """Ask for features from which real images can be drawn: mean absolute difference.

    Args:
        weight: Weight of the difference; published 1, of a perceptual distance.

    Raises:
        ValueError: If the weight is not positive.

    References:
        Liu et al., "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image
        Synthesis". https://arxiv.org/abs/2101.04775
    """

    name = "reconstruction"

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__(weight)

    def __call__(self, view: DiscriminatorView) -> Tensor:
        """Sum over the pairs of ``network.reconstructions``.

        Raises:
            ValueError: If the discriminator cannot reconstruct.
        """
        network: Any = view.network
        if not hasattr(network, "reconstructions"):
            raise ValueError(
                f"`reconstruction` needs a discriminator that decodes, which "
                f"{type(network).__module__} has not: use 0, or the family fastgan."
            )
        pairs = network.reconstructions(view.real.float())
        losses = [(drawn - wanted).abs().mean() for drawn, wanted in pairs]
        return self.weight * torch.stack(losses).sum()


def chosen_regularizers(
    gradient_penalty: float = 0.0,
    gradient_penalty_interval: int = 1,
    r1: float = 0.0,
    r1_interval: int = 16,
    dragan: float = 0.0,
    lecam: float = 0.0,
    reconstruction: float = 0.0,
    consistency: float = 0.0,
    augment: Callable[[Tensor], Tensor] | None = None,
) -> list[Regularizer]:
    """Regularisers with a weight that is not zero.

    Args:
        gradient_penalty: Weight of :class:`GradientPenalty`.
        gradient_penalty_interval: Its interval.
        r1: Weight of :class:`R1`.
        r1_interval: Its interval.
        dragan: Weight of :class:`Dragan`.
        lecam: Weight of :class:`LeCam`.
        reconstruction: Weight of :class:`Reconstruction`.
        consistency: Weight of :class:`BalancedConsistency`.
        augment: What :class:`BalancedConsistency` applies.

    Raises:
        ValueError: If an argument is out of range, or consistency has nothing to apply.

    Example:
        >>> chosen_regularizers(r1=1.0, lecam=0.3)
        [R1(weight=1.0, 16), LeCam(weight=0.3, 1)]
    """
    made: list[Regularizer] = []
    if gradient_penalty:
        made.append(GradientPenalty(gradient_penalty, gradient_penalty_interval))
    if r1:
        made.append(R1(r1, r1_interval))
    if dragan:
        made.append(Dragan(dragan))
    if lecam:
        made.append(LeCam(lecam))
    if reconstruction:
        made.append(Reconstruction(reconstruction))
    if consistency:
        if augment is None:
            raise ValueError("`consistency` needs something to apply: give `augment`.")
        made.append(BalancedConsistency(augment, consistency))
    return made
