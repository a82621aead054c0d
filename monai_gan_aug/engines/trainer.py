"""The adversarial training engine."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines import Trainer
from monai.engines.utils import IterationEvents, default_metric_cmp_fn
from monai.inferers import Inferer, SimpleInferer
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_gan_aug.engines.batches import GroupedBatches, prepare_reals
from monai_gan_aug.engines.distributed import ProcessHandler, spread_random_state
from monai_gan_aug.engines.game import GanAugEvents, Stateful
from monai_gan_aug.engines.guards import FiniteLossGuard
from monai_gan_aug.engines.hardware import (
    Precision,
    adapt_to_hardware,
    require_device,
    resolve_precision,
)
from monai_gan_aug.engines.randomness import restore_random_state
from monai_gan_aug.engines.state import restore_trainer_state, trainer_state
from monai_gan_aug.engines.steps import Player, discriminator_step, generator_step, untracked
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.losses.regularizers import Regularizer
from monai_gan_aug.networks.conditional import accepted_labels, call_network
from monai_gan_aug.networks.latents import draw_latents

__all__ = ["GanAugTrainer"]

logger = logging.getLogger(__name__)


class GanAugTrainer(Trainer):
    """Adversarial training with the argument names of :class:`monai.engines.GanTrainer`.

    Every discriminator update sees fresh real images, fresh latents for the actual batch size
    and generated images without graph; the discriminator is frozen while the generator learns;
    labels reach every network that has a ``num_classes``; running statistics of batch norm move
    only when their own network learns. Losses stay on the device. To handlers it is an
    :class:`~monai_gan_aug.engines.game.AdversarialGame`.

    A configuration for ``GanTrainer`` runs unchanged: a loss without the class attribute
    ``on_logits`` is called as MONAI does, ``d_loss_function(fakes, reals)`` and
    ``g_loss_function(fakes)``.

    Args:
        device: Device to train on.
        max_epochs: Number of epochs.
        train_data_loader: Iterable of batches; if it has ``state_dict``, its position is saved.
        g_network: Generator, ``(latents (B, Z)[, labels (B,)])`` to images ``(B, C, H, W)``.
        g_optimizer: Its optimiser.
        g_loss_function: Its loss.
        d_network: Discriminator, ``(images[, labels])`` to logits ``(B,)``.
        d_optimizer: Its optimiser.
        d_loss_function: Its loss.
        epoch_length: Iterations per epoch, by default as many as the loader can feed.
        g_inferer: How the generator is called.
        d_inferer: How the discriminator is called.
        d_train_steps: Discriminator updates per iteration, each on its own batch.
        latent_shape: Width ``Z`` of the latents.
        non_blocking: Whether copies to the device may be asynchronous.
        d_prepare_batch: Batch to images, or images and labels.
        g_prepare_batch: Draws latents.
        g_update_latents: Whether the generator learns on latents of its own.
        iteration_update: Replaces the whole iteration.
        postprocessing: Applied to batch and output after each iteration.
        key_train_metric: See :class:`monai.engines.Workflow`.
        additional_metrics: See :class:`monai.engines.Workflow`.
        metric_cmp_fn: See :class:`monai.engines.Workflow`.
        train_handlers: Objects with ``attach``.
        decollate: Whether the output is taken apart into single images.
        optim_set_to_none: Accepted for compatibility; gradients are always set to nothing.
        to_kwargs: Further arguments of :meth:`torch.Tensor.to`.
        amp_kwargs: Arguments of :class:`torch.autocast`.
        amp: Mixed precision: a flag as in MONAI, ``"bf16"``, ``"fp16"`` or ``"auto"``.
        augment: Applied to everything the discriminator sees; if it has ``attach``, it is
            attached like a handler.
        d_regularizers: Added to the loss of the discriminator, each in every ``interval``-th
            iteration; see :mod:`monai_gan_aug.losses.regularizers`.
        accumulation_steps: Parts into which a batch is cut to save memory.
        channels_last: Whether networks are stored channels last (faster convolutions).
        compiled: Whether networks are compiled, or the backend of :func:`torch.compile`.
        sync_batch_norm: Whether batch norm sees the batches of all processes (GPUs only).

    Raises:
        ValueError: If a count is less than 1, or CUDA is asked for and not there.
    """

    def __init__(
        self,
        device: str | torch.device,
        max_epochs: int,
        train_data_loader: Iterable[Any],
        g_network: nn.Module,
        g_optimizer: Optimizer,
        g_loss_function: Callable[..., Tensor],
        d_network: nn.Module,
        d_optimizer: Optimizer,
        d_loss_function: Callable[..., Tensor],
        epoch_length: int | None = None,
        g_inferer: Inferer | None = None,
        d_inferer: Inferer | None = None,
        d_train_steps: int = 1,
        latent_shape: int = 64,
        non_blocking: bool = False,
        d_prepare_batch: Callable[..., Any] = prepare_reals,
        g_prepare_batch: Callable[..., Tensor] = draw_latents,
        g_update_latents: bool = True,
        iteration_update: Callable[[Engine, Any], Any] | None = None,
        postprocessing: Callable[..., Any] | None = None,
        key_train_metric: dict[str, Any] | None = None,
        additional_metrics: dict[str, Any] | None = None,
        metric_cmp_fn: Callable[..., bool] = default_metric_cmp_fn,
        train_handlers: Sequence[Any] | None = None,
        decollate: bool = False,
        optim_set_to_none: bool = True,
        to_kwargs: dict[str, Any] | None = None,
        amp_kwargs: dict[str, Any] | None = None,
        amp: bool | str = False,
        augment: Callable[[Tensor], Tensor] | None = None,
        d_regularizers: Sequence[Regularizer] = (),
        accumulation_steps: int = 1,
        channels_last: bool = False,
        compiled: bool | str = False,
        sync_batch_norm: bool = False,
    ) -> None:
        _require_positive(
            max_epochs=max_epochs,
            d_train_steps=d_train_steps,
            accumulation_steps=accumulation_steps,
        )
        device = require_device(device)
        amp, amp_kwargs = resolve_precision(amp, amp_kwargs, device)
        if epoch_length is None and d_train_steps > 1 and isinstance(train_data_loader, Sized):
            epoch_length = max(1, len(train_data_loader) // d_train_steps)
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader
            if d_train_steps == 1
            else GroupedBatches(train_data_loader, d_train_steps),
            epoch_length=epoch_length,
            non_blocking=non_blocking,
            prepare_batch=d_prepare_batch,
            iteration_update=iteration_update,
            postprocessing=postprocessing,
            key_metric=key_train_metric,
            additional_metrics=additional_metrics,
            metric_cmp_fn=metric_cmp_fn,
            amp=amp,
            event_names=[GanAugEvents],
            decollate=decollate,
            to_kwargs=to_kwargs,
            amp_kwargs=amp_kwargs,
        )
        adapt_to_hardware(
            g_network,
            d_network,
            channels_last=channels_last,
            compiled=compiled,
            sync_batch_norm=sync_batch_norm,
            double_backward=any(getattr(r, "differentiates_twice", False) for r in d_regularizers),
        )
        self.train_data_loader = train_data_loader
        self.precision = Precision(device.type, amp, self.amp_kwargs)
        # a scaler each: an overflow of one player says nothing about the other's gradients
        scalers = self.precision.scaler(), self.precision.scaler()
        self.generator = Player(g_network, g_optimizer, g_loss_function, scalers[0])
        self.discriminator = Player(d_network, d_optimizer, d_loss_function, scalers[1])
        self.g_inferer = SimpleInferer() if g_inferer is None else g_inferer
        self.d_inferer = SimpleInferer() if d_inferer is None else d_inferer
        self.d_train_steps = d_train_steps
        self.latent_shape = latent_shape
        self.g_prepare_batch = g_prepare_batch
        self.g_update_latents = g_update_latents
        self.augment = augment
        self.d_regularizers = tuple(d_regularizers)
        self.accumulation_steps = accumulation_steps
        self.parts: dict[str, Stateful] = {}
        self.rollback_reason: str | None = None
        self._random_state: Mapping[str, Any] | None = None
        # Handlers of an event run in the order in which they were registered. This one comes before
        # any that might draw random numbers.
        self.add_event_handler(Events.EPOCH_STARTED, self._restore_random_state)
        ProcessHandler().attach(self)
        for regularizer in self.d_regularizers:
            if isinstance(regularizer, Stateful):
                self.register_part(f"regularizer_{regularizer.name}", regularizer)
        if augment is not None and hasattr(augment, "attach"):
            augment.attach(self)
        handlers = list(train_handlers or [])
        if not any(isinstance(handler, FiniteLossGuard) for handler in handlers):
            handlers.insert(0, FiniteLossGuard())  # before those that record or save the losses
        self._register_handlers(handlers)

    @property
    def g_network(self) -> nn.Module:
        """The generator that learns."""
        return self.generator.network

    @property
    def d_network(self) -> nn.Module:
        """The discriminator."""
        return self.discriminator.network

    @property
    def sampling_network(self) -> nn.Module:
        """The generator to draw pictures with: the averaged one if there is one."""
        average = self.parts.get("average")
        return getattr(average, "network", self.g_network)

    def register_part(self, name: str, part: Stateful) -> None:
        """Make the state of ``part`` belong to the state of the trainer.

        Raises:
            ValueError: If the name is taken.
        """
        if name in self.parts:
            raise ValueError(f"`name` must be new, but {name!r} is registered already.")
        self.parts[name] = part

    def generate(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of the learning generator, labels passed on if it is conditional."""
        told = accepted_labels(self.g_network, labels)
        images: Tensor = self.g_inferer(latents, self.g_network, *told)
        return images

    def discriminate(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits of the discriminator, labels passed on if it is conditional."""
        told = accepted_labels(self.d_network, labels)
        logits: Tensor = self.d_inferer(images, self.d_network, *told)
        return logits if getattr(self.d_network, "auxiliary", False) else logits.flatten()

    @torch.no_grad()
    def sample(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of the sampling network in evaluation mode; training goes on as it was."""
        network = self.sampling_network
        was_training = network.training
        network.eval()
        images = call_network(network, latents, labels)
        network.train(was_training)
        return images

    def run(self) -> None:  # type: ignore[override]
        """Train up to ``max_epochs``, or do nothing if a resumed run is there already."""
        self.fire_event(GanAugEvents.RUN_REQUESTED)
        try:
            if self._is_done(self.state):
                logger.info("Training is complete (epoch %d): nothing to do.", self.state.epoch)
            while not self._is_done(self.state):
                super(Trainer, self).run()  # Trainer.run only replaces the gradient scaler
                if self.rollback_reason is None:
                    break
                self.fire_event(GanAugEvents.ROLLBACK_REQUESTED)
                if self.rollback_reason is not None:
                    raise FloatingPointError(
                        f"{self.rollback_reason} Nothing can roll back: attach a `RunFolder`."
                    )
        finally:
            self.fire_event(GanAugEvents.RUN_CLOSED)

    def request_rollback(self, reason: str) -> None:
        """End this iteration and have the last good checkpoint taken up, for ``reason``."""
        self.rollback_reason = reason
        self.terminate()

    def _iteration(self, engine: Any, batchdata: Any) -> dict[str, Any]:
        if batchdata is None:
            raise ValueError("must provide batch data for current iteration.")
        self.g_network.train()  # every time: a handler may have drawn pictures
        self.d_network.train()
        batches = batchdata if self.d_train_steps > 1 else [batchdata]
        turns = [self._discriminator_turn(batch) for batch in batches]
        last = turns[-1]
        output = {
            **last,
            **self._generator_turn(last[GanKeys.LATENTS], last[GanAugKeys.LABELS]),
            GanKeys.DLOSS: torch.stack([turn[GanKeys.DLOSS] for turn in turns]).mean(),
        }
        self.state.output = output  # the event's handlers look there; Ignite puts it there later
        self.fire_event(IterationEvents.MODEL_COMPLETED)
        return output

    def _discriminator_turn(self, batch: Any) -> dict[str, Any]:
        reals, labels = self._prepare_reals(batch)
        latents = self._draw_latents(len(reals))
        with torch.no_grad(), untracked(self.g_network), self.precision.forward():
            fakes = self.generate(latents, labels)
        out = discriminator_step(
            self.discriminator,
            reals,
            fakes,
            discriminate=self.discriminate,
            labels=labels,
            augment=self.augment,
            regularizers=self._due_regularizers(),
            precision=self.precision,
            accumulation=self.accumulation_steps,
        )
        self.fire_event(GanAugEvents.CRITIC_STEP_COMPLETED)
        return {
            GanKeys.REALS: reals,
            GanKeys.LATENTS: latents,
            GanAugKeys.LABELS: labels,
            **out,
        }

    def _due_regularizers(self) -> list[Regularizer]:
        done = self.state.iteration - 1  # so that the first iteration has them all
        return [each for each in self.d_regularizers if done % each.interval == 0]

    def _generator_turn(self, latents: Tensor, labels: Tensor | None) -> dict[str, Any]:
        if self.g_update_latents:
            latents = self._draw_latents(len(latents))
        out = generator_step(
            self.generator,
            latents,
            generate=self.generate,
            discriminate=self.discriminate,
            discriminator=self.d_network,
            labels=labels,
            augment=self.augment,
            precision=self.precision,
            accumulation=self.accumulation_steps,
        )
        return {GanKeys.LATENTS: latents, **out}

    def _prepare_reals(self, batch: Any) -> tuple[Tensor, Tensor | None]:
        prepared = self.prepare_batch(batch, self.state.device, self.non_blocking, **self.to_kwargs)
        if isinstance(prepared, Tensor):
            return prepared, None
        images, labels = prepared
        return images, labels

    def _draw_latents(self, count: int) -> Tensor:
        return self.g_prepare_batch(
            num_latents=count,
            latent_size=self.latent_shape,
            device=self.state.device,
            non_blocking=self.non_blocking,
            **self.to_kwargs,
        )

    def _restore_random_state(self) -> None:
        if self._random_state is not None:
            restore_random_state(self._random_state)
            self._random_state = None

    def state_dict(self) -> dict[str, Any]:  # type: ignore[override]
        """Everything the next iteration depends on, as tensors and plain values."""
        return trainer_state(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state, bit for bit on a CPU.

        Random states are taken up when the first epoch starts, not before: what handlers and Ignite
        itself draw on the way there was drawn before the uninterrupted run came to this point.

        Raises:
            DataError: If a network differs; the message lists the keys and nothing is changed.
        """
        self._random_state = spread_random_state(restore_trainer_state(self, state_dict))


def _require_positive(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, got {value}.")
