"""The alarms of the guards, kept beside the curves, so that a report can show them."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from ignite.engine import Events

from monai_gan_aug.engines.distributed import is_main_process
from monai_gan_aug.engines.events import GanAugEvents
from monai_gan_aug.records.curves import AlarmKind, Alarms, GuardEvent

if TYPE_CHECKING:
    from monai_gan_aug.engines.trainer import GanAugTrainer

__all__ = ["ALARMS", "AlarmRecorder"]

ALARMS = (
    GanAugEvents.ONE_SIDED,
    GanAugEvents.COLLAPSED,
    GanAugEvents.GRADIENT_EXPLODED,
    GanAugEvents.NOT_FINITE,
)


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

    def attach(self, trainer: "GanAugTrainer") -> None:
        """Listen to the guards from the start of the run."""
        trainer.add_event_handler(Events.STARTED, self._begin)
        for event in ALARMS:
            trainer.add_event_handler(event, self._note, event.value)
        trainer.add_event_handler(GanAugEvents.ROLLED_BACK, self._note_rollback)

    def _begin(self, trainer: "GanAugTrainer") -> None:
        if self._begun:  # the run goes on after a rollback
            return
        self._begun = True
        done = trainer.state.iteration
        earlier = Alarms.load(self.path) if done and self.path.is_file() else Alarms()
        self.alarms = [alarm for alarm in earlier.alarms if alarm.step <= done]
        self._write()

    def _note(self, trainer: "GanAugTrainer", kind: str) -> None:
        self._add(kind, trainer.state.iteration)

    def _note_rollback(self, trainer: "GanAugTrainer") -> None:
        failed_at = self.alarms[-1].step  # only an alarm asks for a rollback
        self._add(GanAugEvents.ROLLED_BACK.value, failed_at, trainer.state.iteration)

    def _add(self, kind: str, step: int, back_to: int | None = None) -> None:
        self.alarms.append(GuardEvent(cast("AlarmKind", kind), step, back_to))
        self._write()

    def _write(self) -> None:
        if is_main_process():
            Alarms(tuple(self.alarms)).save(self.path)
