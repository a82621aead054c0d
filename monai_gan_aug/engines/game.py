"""The adversarial game as its handlers see it, and the events that happen in it.

Guards, recorders, checkpoints and the run folder are typed by :class:`AdversarialGame`, so none of
them knows the trainer; :class:`~monai_gan_aug.engines.trainer.GanAugTrainer` plays such a game. To
keep it so, this module imports no other of this chapter.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from ignite.engine.events import EventEnum
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["AdversarialGame", "GameState", "GanAugEvents", "Learner", "Stateful"]


class GanAugEvents(EventEnum):
    """What can happen besides Ignite's own events, in the order in which it happens."""

    RUN_REQUESTED = "run_requested"
    """Before Ignite decides where to begin: lock the folder, resume here."""
    CRITIC_STEP_COMPLETED = "critic_step_completed"
    """After each discriminator update of an iteration."""
    RECORDED = "recorded"
    """``engine.state.record`` holds new means of the losses, on the host."""
    MEASURED = "measured"
    """A guard or a probe has put new numbers into ``engine.state.metrics``."""
    GRID_DRAWN = "grid_drawn"
    """``engine.state.grid`` holds a new picture of fixed latents."""
    ONE_SIDED = "one_sided"
    """The discriminator tells real from generated without effort."""
    COLLAPSED = "collapsed"
    """Fixed latents give nearly the same image."""
    GRADIENT_EXPLODED = "gradient_exploded"
    """A gradient is far longer than usual."""
    NOT_FINITE = "not_finite"
    """A loss is NaN or infinite."""
    ROLLBACK_REQUESTED = "rollback_requested"
    """Training stands still for a guard: take up the last good checkpoint now."""
    ROLLED_BACK = "rolled_back"
    """Training goes on from the last good checkpoint."""
    RUN_CLOSED = "run_closed"
    """After the run, however it ended."""


@runtime_checkable
class Stateful(Protocol):
    """Something whose state belongs into a checkpoint."""

    def state_dict(self) -> Mapping[str, Any]:
        """The state, as tensors and plain values."""

    def load_state_dict(self, state: Mapping[str, Any]) -> Any:
        """Take up a state."""


class Learner(Protocol):
    """A network that learns, as checkpoints and guards see it.

    Attributes:
        network: The network.
        optimizer: Its optimiser.
        scaler: The gradient scaler of its steps.
        measured: Whether the length of the gradient is kept; a guard may ask for it.
        gradient_norm: Euclidean length of the last gradient, a scalar on the device.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    measured: bool
    gradient_norm: Tensor | None


class GameState(Protocol):
    """What handlers read from Ignite's state, and put into it.

    Attributes:
        iteration: Iterations so far, from 1 within the first one.
        epoch: Epochs begun.
        max_epochs: Epochs of the run.
        epoch_length: Iterations per epoch.
        device: Where the game is played.
        output: What the last iteration returned: by key of
            :class:`~monai_gan_aug.keys.GanAugKeys`, unless the iteration was replaced.
        metrics: Numbers measured last, by name.
        record: Means of losses over the last stretch of iterations, with its last ``"step"``;
            absent before the first stretch has ended.
        grid: The last picture of fixed latents, shape ``(C, H, W)``; absent before the first.
    """

    iteration: int
    epoch: int
    max_epochs: int
    epoch_length: int
    device: torch.device
    output: Any
    metrics: dict[str, float]
    record: dict[str, float]
    grid: NDArray[np.uint8]


class AdversarialGame(Protocol):
    """An Ignite engine in which a generator and a discriminator learn from each other.

    Attributes:
        rollback_reason: Why the last good checkpoint is to be taken up, if it is.
    """

    rollback_reason: str | None

    @property
    def state(self) -> GameState:
        """Progress and latest results."""

    @property
    def generator(self) -> Learner:
        """The player who draws."""

    @property
    def discriminator(self) -> Learner:
        """The player who tells real from generated."""

    @property
    def g_network(self) -> nn.Module:
        """The generator that learns."""

    @property
    def d_network(self) -> nn.Module:
        """The discriminator."""

    @property
    def sampling_network(self) -> nn.Module:
        """The generator to draw pictures with: the averaged one if there is one."""

    @property
    def latent_shape(self) -> int:
        """Width ``Z`` of the latents."""

    @property
    def train_data_loader(self) -> Iterable[Any]:
        """Batches; a :class:`Stateful` one resumes where it was."""

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """Everything whose state belongs to that of the game, by name."""

    def sample(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images ``(B, C, H, W)`` of the sampling network, by its evaluation mode."""

    def register_part(self, name: str, part: Stateful) -> None:
        """Make the state of ``part`` belong to the state of the game."""

    def request_rollback(self, reason: str) -> None:
        """End this iteration and have the last good checkpoint taken up."""

    def state_dict(self) -> dict[str, Any]:
        """Everything the next iteration depends on."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state."""

    def add_event_handler(
        self, event_name: Any, handler: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Call ``handler`` at an event, after those registered before it."""

    def has_event_handler(self, handler: Callable[..., Any], event_name: Any | None = None) -> bool:
        """Whether ``handler`` is registered."""

    def fire_event(self, event_name: Any) -> None:
        """Call all handlers of an event."""

    def terminate(self) -> None:
        """End the run after this iteration."""
