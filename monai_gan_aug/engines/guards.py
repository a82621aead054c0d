"""Watchers that notice when adversarial training goes wrong, and say so."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from ignite.engine import Events
from torch import Tensor

from monai_gan_aug.engines.alarms import Guard
from monai_gan_aug.engines.distributed import mean_over_processes
from monai_gan_aug.engines.game import AdversarialGame, GanAugEvents
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.metrics.diversity import mean_pairwise_distance, pairwise_similarity
from monai_gan_aug.networks.latents import draw_latents

__all__ = ["CollapseGuard", "FiniteLossGuard", "GradientGuard", "OneSidedGuard"]


class FiniteLossGuard(Guard):
    """Act within one iteration of a loss that is NaN or infinite.

    On a GPU the verdict on an iteration is fetched while the next one runs, so training never
    waits for it. The trainer attaches one by itself if it is given none. Here ``"stop"`` ends
    the run with an error; after ``"warn"`` no checkpoint with such values is ever written.

    Args:
        action: ``"warn"``, ``"stop"`` or ``"rollback"``.

    Raises:
        FloatingPointError: While training, if a loss is not finite and the action is ``"stop"``.
    """

    event: ClassVar[GanAugEvents] = GanAugEvents.NOT_FINITE

    def __init__(self, action: str = "stop") -> None:
        super().__init__(action)
        self._pending: tuple[Tensor, torch.cuda.Event | None] | None = None

    def attach(self, trainer: AdversarialGame) -> None:
        """Look at both losses after each iteration."""
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._look)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._settle)
        trainer.add_event_handler(GanAugEvents.ROLLED_BACK, self._forget)

    def _look(self, trainer: AdversarialGame) -> None:
        self._settle(trainer)  # the iteration before, whose verdict has arrived meanwhile
        output = trainer.state.output
        if not isinstance(output, dict) or not isinstance(output.get(GanKeys.DLOSS), Tensor):
            return
        sums = mean_over_processes(output[GanKeys.DLOSS] + output[GanKeys.GLOSS])
        finite, copied = torch.isfinite(sums), None
        if finite.is_cuda:
            # Asking for the value now would stop the host until the GPU has done all it was told.
            # The copy is queued instead; it is asynchronous only into pinned memory, and the event
            # says when the memory holds it.
            host = torch.empty((), dtype=torch.bool, pin_memory=True)
            finite = host.copy_(finite, non_blocking=True)
            copied = torch.cuda.Event()
            copied.record()
        self._pending = (finite, copied)
        if copied is None:  # on a CPU the value is there
            self._settle(trainer)

    def _settle(self, trainer: AdversarialGame) -> None:
        if self._pending is None:
            return
        finite, copied = self._pending
        self._pending = None
        if copied is not None:
            copied.synchronize()
        self.observe(
            trainer,
            not finite.item(),
            f"A loss is not finite at iteration {trainer.state.iteration}; the last good "
            "checkpoint is kept. Lower the learning rates, or use spectral norm or a penalty.",
        )

    def _forget(self) -> None:
        self._pending, self.seen = None, 0

    def stop(self, trainer: AdversarialGame, message: str) -> None:
        """End the run with an error."""
        raise FloatingPointError(message)


class OneSidedGuard(Guard):
    """Notice a discriminator that has won: it tells real from generated without effort.

    Args:
        margin: It has won when its mean probability of "real" exceeds ``1 - margin`` for real
            images and stays below ``margin`` for generated ones.
        patience: Number of consecutive records before the event.
        action: ``"warn"``, ``"stop"`` or ``"rollback"``.
    """

    event: ClassVar[GanAugEvents] = GanAugEvents.ONE_SIDED
    name: ClassVar[str] = "one_sided_guard"

    def __init__(self, margin: float = 0.02, patience: int = 25, action: str = "warn") -> None:
        super().__init__(action, patience)
        self.margin = margin

    def attach(self, trainer: AdversarialGame) -> None:
        """Look at every record of the losses."""
        trainer.register_part(self.name, self)
        trainer.add_event_handler(GanAugEvents.RECORDED, self._look)

    def _look(self, trainer: AdversarialGame) -> None:
        real, fake = trainer.state.record["d_real"], trainer.state.record["d_fake"]
        self.observe(
            trainer,
            real > 1 - self.margin and fake < self.margin,
            f"The discriminator has won by iteration {trainer.state.iteration} ({real:.3f} real, "
            f"{fake:.3f} generated): convergence failure. Lower its learning rate, or use "
            "augmentation, spectral norm or a penalty.",
        )


class GradientGuard(Guard):
    """Notice a gradient that is far longer than all before it.

    The lengths of both sides' gradients are measured after every backward pass; the longest of
    each stretch of iterations is fetched once, kept as ``g_gradient_norm`` and
    ``d_gradient_norm`` in ``trainer.state.metrics``, and compared with the median of the
    stretches before. A gradient that is not finite is always too long, unless half precision
    scales gradients: then such steps are skipped as usual.

    Here ``"stop"`` ends the run with an error.

    Args:
        factor: How many times the median is too long, greater than 1.
        least: Gradients shorter than this are never too long.
        every: Iterations per stretch.
        action: ``"warn"``, ``"stop"`` or ``"rollback"``.

    Raises:
        ValueError: If an argument is out of range.
    """

    event: ClassVar[GanAugEvents] = GanAugEvents.GRADIENT_EXPLODED
    name: ClassVar[str] = "gradient_guard"
    kept: ClassVar[int] = 50
    needed: ClassVar[int] = 3

    def __init__(
        self,
        factor: float = 1000.0,
        least: float = 1000.0,
        every: int = 20,
        action: str = "warn",
    ) -> None:
        super().__init__(action)
        if factor <= 1 or every < 1:
            raise ValueError(
                f"`factor` must exceed 1 and `every` be at least 1, got {factor} and {every}."
            )
        self.factor = factor
        self.least = least
        self.every = every
        self.history: list[list[float]] = []
        self._longest: Tensor | None = None

    def attach(self, trainer: AdversarialGame) -> None:
        """Have both sides measure their gradients, and look at them."""
        trainer.register_part(self.name, self)
        trainer.generator.measured = trainer.discriminator.measured = True
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._add)

    def _add(self, trainer: AdversarialGame) -> None:
        norms = (trainer.generator.gradient_norm, trainer.discriminator.gradient_norm)
        if norms[0] is None or norms[1] is None:
            return
        now = torch.stack([norms[0].detach().float(), norms[1].detach().float()])
        if trainer.generator.scaler.is_enabled():
            # an overflow is how a scaler finds its scale: it skips the step, nothing has exploded
            now = now.nan_to_num(0.0, 0.0)
        # kept on the device: fetching it every iteration would make the host wait for a GPU
        self._longest = now if self._longest is None else torch.maximum(self._longest, now)
        if trainer.state.iteration % self.every == 0:
            self._compare(trainer, self._longest.tolist())
            self._longest = None

    def _compare(self, trainer: AdversarialGame, longest: list[float]) -> None:
        names = ("g_gradient_norm", "d_gradient_norm")
        trainer.state.metrics.update(zip(names, longest, strict=True))
        trainer.fire_event(GanAugEvents.MEASURED)
        history = torch.tensor(self.history).view(-1, 2)
        enough = len(history) >= self.needed
        usual = history.median(0).values.tolist() if enough else [float("inf")] * 2
        limits = [max(self.factor * value, self.least) for value in usual]
        fine = [value < limit for value, limit in zip(longest, limits, strict=True)]
        if all(fine):  # an explosion must not become what is usual
            self.history = [*self.history, longest][-self.kept :]
        self.observe(
            trainer,
            not all(fine),
            f"A gradient has exploded by iteration {trainer.state.iteration} (generator "
            f"{longest[0]:.3g}, usually {usual[0]:.3g}; discriminator {longest[1]:.3g}, usually "
            f"{usual[1]:.3g}). Lower the learning rates, or use spectral norm or a penalty.",
        )

    def stop(self, trainer: AdversarialGame, message: str) -> None:
        """End the run with an error."""
        raise FloatingPointError(message)

    def state_dict(self) -> dict[str, Any]:
        """The count, the stretches so far and the unfinished one."""
        return {**super().state_dict(), "history": self.history, "longest": self._longest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        super().load_state_dict(state)
        self.history = [list(row) for row in state["history"]]
        self._longest = state["longest"]


class CollapseGuard(Guard):
    """Notice a generator that draws nearly the same image for every latent.

    The score is the diversity of images from fixed latents over that of real images; it is kept
    as ``diversity`` in ``trainer.state.metrics``. Diversity is the mean distance of pairs: of
    pixels, which costs next to nothing, or one minus MS-SSIM, which sees structure and overlooks
    a change of brightness.

    Args:
        threshold: Score below which the generator has collapsed.
        count: Number of fixed latents.
        patience: Number of consecutive epochs before the event.
        action: ``"warn"``, ``"stop"`` or ``"rollback"``.
        seed: Seed of the fixed latents.
        measure: ``"pixels"`` or ``"ms_ssim"`` (images of 21 px or more).

    Raises:
        ValueError: If an argument is out of range.

    References:
        MS-SSIM of generated pairs: Odena et al., https://arxiv.org/abs/1610.09585
    """

    event: ClassVar[GanAugEvents] = GanAugEvents.COLLAPSED
    name: ClassVar[str] = "collapse_guard"

    def __init__(
        self,
        threshold: float = 0.2,
        count: int = 32,
        patience: int = 3,
        action: str = "warn",
        seed: int = 0,
        measure: str = "pixels",
    ) -> None:
        super().__init__(action, patience)
        if measure not in ("pixels", "ms_ssim"):
            raise ValueError(f"`measure` must be 'pixels' or 'ms_ssim', got {measure!r}.")
        self.threshold = threshold
        self.count = count
        self.seed = seed
        self.measure = measure

    def attach(self, trainer: AdversarialGame) -> None:
        """Look at the end of each epoch."""
        trainer.register_part(self.name, self)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._look)

    def _look(self, trainer: AdversarialGame) -> None:
        score = self.score(trainer, trainer.state.output)
        trainer.state.metrics["diversity"] = score
        trainer.fire_event(GanAugEvents.MEASURED)
        self.observe(
            trainer,
            score < self.threshold,
            "Images from different latents are nearly the same by iteration "
            f"{trainer.state.iteration} ({score:.2f} of the diversity of real ones): mode "
            "collapse. Lower the generator's learning rate, train shorter, or use augmentation or "
            "a larger batch.",
        )

    @torch.no_grad()
    def score(self, trainer: AdversarialGame, output: dict[str, Any]) -> float:
        """Diversity of generated images in units of that of the batch of real ones."""
        reals, labels = output[GanKeys.REALS], output[GanAugKeys.LABELS]
        count = min(self.count, len(reals))
        if count < 2:
            return 1.0
        # a generator of its own: a guard must not move the random numbers of the training
        draw = torch.Generator().manual_seed(self.seed)
        latents = draw_latents(count, trainer.latent_shape, reals.device, generator=draw)
        fakes = trainer.sample(latents, None if labels is None else labels[:count])
        real, fake = self._diversity(reals[:count]), self._diversity(fakes)
        return mean_over_processes(fake / real.clamp_min(1e-12)).item()

    def _diversity(self, images: Tensor) -> Tensor:
        if self.measure == "pixels":
            return mean_pairwise_distance(images.flatten(1))
        alike = torch.zeros(len(images), dtype=torch.long, device=images.device)
        return 1 - pairwise_similarity(images.float(), alike, "ms_ssim", pairs=128, seed=self.seed)
