"""What follows when a guard has seen enough: an alarm, its record, and what is done about it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

from ignite.engine import Events

from monai_gan_aug.engines.distributed import is_main_process
from monai_gan_aug.engines.game import AdversarialGame, GanAugEvents
from monai_gan_aug.records.curves import AlarmKind, Alarms, GuardEvent

__all__ = ["ACTIONS", "ALARMS", "AlarmRecorder", "Guard"]

ACTIONS = ("warn", "stop", "rollback")
ALARMS = (
    GanAugEvents.ONE_SIDED,
    GanAugEvents.COLLAPSED,
    GanAugEvents.GRADIENT_EXPLODED,
    GanAugEvents.NOT_FINITE,
)

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

    def observe(self, trainer: AdversarialGame, bad: bool, message: str) -> None:
        """Count an observation; raise the alarm once per row of bad ones."""
        self.seen = self.seen + 1 if bad else 0
        if self.seen != self.patience:  # beyond it, the alarm has been raised already
            return
        trainer.fire_event(self.event)
        if self.action == "rollback":
            trainer.request_rollback(message)
        elif self.action == "stop":
            self.stop(trainer, message)
        else:
            logger.warning(message)

    def stop(self, trainer: AdversarialGame, message: str) -> None:
        """End the run after this iteration."""
        logger.warning("%s Training stops here.", message)
        trainer.terminate()

    def state_dict(self) -> dict[str, Any]:
        """The count, as ``{"seen": int}``."""
        return {"seen": self.seen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.seen = state["seen"]


class AlarmRecorder:
    """Every alarm and every return to an earlier step, in ``alarms.json``.

    The file is there from the first step on, so that an empty list means that no guard spoke. A
    rollback does not erase the alarm that led to it; a resumed run keeps the alarms up to the step
    it goes on from.

    Args:
        path: The JSON file; the first of several processes writes it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.alarms: list[GuardEvent] = []
        self._begun = False

    def attach(self, trainer: AdversarialGame) -> None:
        """Listen to the guards from the start of the run."""
        trainer.add_event_handler(Events.STARTED, self._begin)
        for event in ALARMS:
            trainer.add_event_handler(event, self._note, event.value)
        trainer.add_event_handler(GanAugEvents.ROLLED_BACK, self._note_rollback)

    def _begin(self, trainer: AdversarialGame) -> None:
        if self._begun:  # the run goes on after a rollback
            return
        self._begun = True
        done = trainer.state.iteration
        earlier = Alarms.load(self.path) if done and self.path.is_file() else Alarms()
        self.alarms = [alarm for alarm in earlier.alarms if alarm.step <= done]
        self._write()

    def _note(self, trainer: AdversarialGame, kind: str) -> None:
        self._add(kind, trainer.state.iteration)

    def _note_rollback(self, trainer: AdversarialGame) -> None:
        failed_at = self.alarms[-1].step  # only an alarm asks for a rollback
        self._add(GanAugEvents.ROLLED_BACK.value, failed_at, trainer.state.iteration)

    def _add(self, kind: str, step: int, back_to: int | None = None) -> None:
        self.alarms.append(GuardEvent(cast("AlarmKind", kind), step, back_to))
        self._write()

    def _write(self) -> None:
        if is_main_process():
            Alarms(tuple(self.alarms)).save(self.path)
