"""One update of the discriminator and one of the generator, as plain functions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from monai_gan_aug.engines.distributed import average_in_place
from monai_gan_aug.engines.hardware import Precision
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.losses.adversarial import adversarial_logits
from monai_gan_aug.losses.regularizers import DiscriminatorView, Regularizer

__all__ = ["Player", "discriminator_step", "frozen", "generator_step", "untracked"]

LOGITS = (GanAugKeys.REAL_LOGITS, GanAugKeys.FAKE_LOGITS)
Images = Callable[[Tensor], Tensor]
"""A function on batches of images, shape ``(B, C, H, W)``."""


@dataclass
class Player:
    """One of the two who play: a network, and how it learns.

    Args:
        network: The network that learns.
        optimizer: Its optimiser.
        loss_function: A loss on logits (class attribute ``on_logits``), or MONAI's kind on
            images, which calls the discriminator itself.
        scaler: Gradient scaler of its steps.
        measured: Whether the length of the gradient is kept.

    Attributes:
        gradient_norm: Euclidean length of the last gradient, a scalar on the device.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    loss_function: Callable[..., Tensor]
    scaler: torch.amp.GradScaler
    measured: bool = False
    gradient_norm: Tensor | None = None

    @property
    def on_logits(self) -> bool:
        """Whether the loss wants logits rather than images."""
        return bool(getattr(self.loss_function, "on_logits", False))

    def loss(self, *logits: Tensor, labels: Tensor | None) -> Tensor:
        """The loss on logits, told the labels if it has ``wants_labels``."""
        if getattr(self.loss_function, "wants_labels", False):
            return self.loss_function(*logits, labels)
        return self.loss_function(*(adversarial_logits(logit) for logit in logits))

    def update(self) -> None:
        """Average the gradients over processes, measure them, and step the optimiser."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        # before the scaler looks for an overflow: one process's is then everybody's, so that all
        # skip the same steps and keep the same scale
        average_in_place(gradients)
        if self.measured and gradients:
            if self.scaler.is_enabled():
                self.scaler.unscale_(self.optimizer)  # which `step` then leaves out
            self.gradient_norm = torch.nn.utils.get_total_norm(gradients)
        self.scaler.step(self.optimizer)
        self.scaler.update()


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through ``network`` without computing those of its weights."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


@contextmanager
def untracked(network: nn.Module) -> Iterator[None]:
    """Normalise with batch statistics as in training, but leave the running ones alone.

    Evaluation mode would do the second without the first.
    """
    tracking = [
        module
        for module in network.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
    ]
    for module in tracking:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True


def discriminator_step(
    player: Player,
    reals: Tensor,
    fakes: Tensor,
    *,
    discriminate: Callable[..., Tensor],
    labels: Tensor | None = None,
    augment: Images | None = None,
    regularizers: Sequence[Regularizer] = (),
    precision: Precision | None = None,
    accumulation: int = 1,
) -> dict[str, Tensor]:
    """Move the discriminator towards telling ``reals`` from ``fakes``.

    Spectrally normalised weights are computed once, so all images of the step meet the same
    network, whatever the number of passes, regularisers and parts.

    Args:
        player: The discriminator and how it learns.
        reals: Real images, shape ``(B, C, H, W)``.
        fakes: Generated images of the same shape, without graph.
        discriminate: ``(images, labels)`` to logits ``(B,)``, or ``(B, 1 + K)`` with class logits.
        labels: Classes of both batches, shape ``(B,)``.
        augment: Applied to everything the discriminator sees.
        regularizers: Added to the loss, for losses on logits; never rounded.
        precision: How forward passes are rounded.
        accumulation: Number of parts whose gradients are summed before the update.

    Returns:
        Loss (means over parts), every regulariser under ``penalty/<name>``, and the adversarial
        logits for a loss on logits; all detached, on the device.

    Raises:
        ValueError: If there are regularisers and the loss is on images.
    """
    if regularizers and not player.on_logits:
        raise ValueError("`d_regularizers` need a loss on logits (`on_logits`): change the loss.")
    precision = precision or Precision()
    augment = augment or _unchanged
    player.optimizer.zero_grad(set_to_none=True)
    parts: list[dict[str, Tensor]] = []
    together = not any(_mixes_images(module) for module in player.network.modules())
    # Spectral norm moves its vectors on whenever a weight is asked for in training mode: without
    # the cache each pass, and each part, would meet weights of its own.
    with parametrize.cached():
        for real, fake, label, is_last in _parts(accumulation, reals, fakes, labels):
            share = len(real) / len(reals)
            # in one call, so that no draw of an augmentation tells the two batches apart
            seen_real, seen_fake = augment(torch.cat([real, fake])).chunk(2)
            out: dict[str, Tensor] = {}
            with precision.forward():
                if player.on_logits:
                    both = _both_logits(
                        discriminate, seen_real, seen_fake, label, together=together
                    )
                    out = dict(zip(LOGITS, map(adversarial_logits, both), strict=True))
                    loss = player.loss(*both, labels=label)
                else:
                    loss = player.loss_function(seen_fake, seen_real)
            if regularizers:
                view = DiscriminatorView(
                    discriminate=discriminate,
                    network=player.network,
                    real=seen_real,
                    fake=seen_fake,
                    labels=label,
                    real_logits=out[GanAugKeys.REAL_LOGITS],
                    fake_logits=out[GanAugKeys.FAKE_LOGITS],
                    plain_real=real,
                    plain_fake=fake,
                )
                with precision.exact():
                    values = {GanAugKeys.penalty(r.name): r(view) for r in regularizers}
                loss = loss + torch.stack(list(values.values())).sum()
                out |= values
            # The price of the cache: the graph from raw to normalised weights is one for all parts,
            # and only the last may free it.
            player.scaler.scale(share * loss).backward(retain_graph=not is_last)
            parts.append(_detached({GanKeys.DLOSS: loss, **out}))
    player.update()
    return _gathered(parts)


def _mixes_images(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) or getattr(module, "mixes_images", False)


def generator_step(
    player: Player,
    latents: Tensor,
    *,
    generate: Callable[..., Tensor],
    discriminate: Callable[..., Tensor],
    discriminator: nn.Module,
    labels: Tensor | None = None,
    augment: Images | None = None,
    precision: Precision | None = None,
    accumulation: int = 1,
) -> dict[str, Tensor]:
    """Move the generator towards images that the discriminator takes for real.

    The discriminator's weights are frozen and its running statistics stand still meanwhile.

    Args:
        player: The generator and how it learns.
        latents: Shape ``(B, Z)``.
        generate: ``(latents, labels)`` to images.
        discriminate: ``(images, labels)`` to logits ``(B,)``, or ``(B, 1 + K)`` with class logits.
        discriminator: The network behind ``discriminate`` or inside the loss.
        labels: Classes to generate, shape ``(B,)``.
        augment: Applied to everything the discriminator sees.
        precision: How forward passes are rounded.
        accumulation: Number of parts whose gradients are summed before the update.

    Returns:
        Loss (mean over parts) and the images, detached, on the device.
    """
    precision = precision or Precision()
    augment = augment or _unchanged
    player.optimizer.zero_grad(set_to_none=True)
    parts: list[dict[str, Tensor]] = []
    # The discriminator is frozen before its weights are cached: they carry no graph then, and the
    # backward pass computes gradients of images and of the generator only.
    with frozen(discriminator), untracked(discriminator), parametrize.cached():
        for latent, label, is_last in _parts(accumulation, latents, labels):
            with precision.forward():
                fake = generate(latent, label)
                seen = augment(fake)
                if player.on_logits:
                    loss = player.loss(discriminate(seen, label).float(), labels=label)
                else:
                    loss = player.loss_function(seen)
            share = len(latent) / len(latents)
            # as above, for a generator with spectral norm
            player.scaler.scale(share * loss).backward(retain_graph=not is_last)
            parts.append(_detached({GanKeys.GLOSS: loss, GanKeys.FAKES: fake}))
    player.update()
    return _gathered(parts)


def _both_logits(
    discriminate: Callable[..., Tensor],
    real: Tensor,
    fake: Tensor,
    labels: Tensor | None,
    *,
    together: bool,
) -> tuple[Tensor, Tensor]:
    """Logits of both batches; one pass is faster, and the same if no layer mixes images."""
    if not together:
        return discriminate(real, labels).float(), discriminate(fake, labels).float()
    both = discriminate(
        torch.cat([real, fake]), None if labels is None else labels.repeat(2)
    ).float()
    return both[: len(real)], both[len(real) :]


def _unchanged(images: Tensor) -> Tensor:
    return images


def _parts(count: int, *batches: Tensor | None) -> list[tuple[Any, ...]]:
    """Batches cut into ``count`` parts, and whether a part is the last."""
    if count == 1:
        return [(*batches, True)]
    first = batches[0]
    parts = len(first.chunk(count)) if first is not None else 0
    split = [batch.chunk(count) if batch is not None else [None] * parts for batch in batches]
    return list(zip(*split, [False] * (parts - 1) + [True], strict=True))


def _detached(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach() for key, value in values.items()}


def _gathered(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    gathered = {}
    for key, value in parts[0].items():
        values = [part[key] for part in parts]
        gathered[key] = torch.stack(values).mean(0) if value.ndim == 0 else torch.cat(values)
    return gathered
