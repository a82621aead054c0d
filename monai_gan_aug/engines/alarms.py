"""What a guard does when it has seen enough: warn, stop, or go back to a good checkpoint."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from monai_gan_aug.engines.events import GanAugEvents

if TYPE_CHECKING:
    from monai_gan_aug.engines.trainer import GanAugTrainer

__all__ = ["ACTIONS", "Guard"]

ACTIONS = ("warn", "stop", "rollback")

logger = logging.getLogger(__name__)


class Guard:
    """Counts bad observations in a row and raises an alarm when there are ``patience`` of them.

    A guard fires its event first. ``"warn"`` then logs what is wrong; ``"stop"`` ends the run in
    good order; ``"rollback"`` asks :class:`~monai_gan_aug.engines.run_folder.RunFolder` to take
    up the last good checkpoint. While the count is above zero, checkpoints count as suspect.

    Args:
        action: ``"warn"``, ``"stop"`` or ``"rollback"``.
        patience: Bad observations in a row before the alarm, at least 1.

    Raises:
        ValueError: If an argument is out of range.
    """

    event: ClassVar[GanAugEvents]
    name: ClassVar[str]
    optional_state: ClassVar[bool] = True

    def __init__(self, action: str = "warn", patience: int = 1) -> None:
        if action not in ACTIONS:
            raise ValueError(f"`action` must be one of {ACTIONS}, got {action!r}.")
        if patience < 1:
            raise ValueError(f"`patience` must be at least 1, got {patience}.")
        self.action = action
        self.patience = patience
        self.seen = 0

    @property
    def suspicious(self) -> bool:
        """Whether the last observation was bad."""
        return self.seen > 0

    def observe(self, trainer: "GanAugTrainer", bad: bool, message: str) -> None:
        """Count an observation; raise the alarm once per row of bad ones."""
        self.seen = self.seen + 1 if bad else 0
        if self.seen != self.patience:
            return
        trainer.fire_event(self.event)
        if self.action == "rollback":
            trainer.request_rollback(message)
        elif self.action == "stop":
            self.stop(trainer, message)
        else:
            logger.warning(message)

    def stop(self, trainer: "GanAugTrainer", message: str) -> None:
        """End the run after this iteration."""
        logger.warning("%s Training stops here.", message)
        trainer.terminate()

    def state_dict(self) -> dict[str, Any]:
        """The count, as ``{"seen": int}``."""
        return {"seen": self.seen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.seen = state["seen"]
