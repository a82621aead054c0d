"""The folder of one training run: its lock, its checkpoints, and what a signal does to it."""

import logging
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from ignite.engine import Events

from monai_gan_aug import __version__
from monai_gan_aug.engines.checkpoint import LATEST, load_checkpoint, save_checkpoint
from monai_gan_aug.engines.events import GanAugEvents
from monai_gan_aug.engines.locking import FolderLock
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import remove_leftovers

if TYPE_CHECKING:
    from monai_gan_aug.engines.trainer import GanAugTrainer

__all__ = ["RunFolder"]

logger = logging.getLogger(__name__)


class TrainingSet(Protocol):
    """What a checkpoint must know about the data it learned from."""

    datalist: Any

    def training_record(self) -> Any:
        """The record, with ``to_dict``."""


class RunFolder:
    """Keep a run restartable: lock its folder, save, resume, and stop in good order.

    SIGINT and SIGTERM end the run after the iteration they interrupt, with a checkpoint and
    exit code 130 or 143.

    Args:
        folder: Output folder of the run; checkpoints go to ``checkpoints`` inside.
        dataset: The training data; its record and all class names go into every checkpoint, so that
            synthetic images can be traced to the patients behind them.
        resume: Continue from the newest checkpoint if there is one; otherwise a folder with
            checkpoints is refused.
        every: Epochs between checkpoints; one is saved after the last epoch as well.
        keep: How many checkpoints stay.
    """

    def __init__(
        self,
        folder: str | Path,
        dataset: TrainingSet | None = None,
        resume: bool = False,
        every: int = 1,
        keep: int = 2,
    ) -> None:
        self.folder = Path(folder)
        self.dataset = dataset
        self.resume = resume
        self.every = every
        self.keep = keep
        self.lock = FolderLock(self.folder)
        self._signal: int | None = None
        self._previous: dict[int, Any] = {}
        self._saved = -1

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    def attach(self, trainer: "GanAugTrainer") -> None:
        """Begin before the run, save at the end of epochs, close after it."""
        trainer.add_event_handler(GanAugEvents.RUN_REQUESTED, self._begin)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._save_in_turn)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._obey_signal)
        trainer.add_event_handler(GanAugEvents.RUN_CLOSED, self._end)

    def save(self, trainer: "GanAugTrainer") -> None:
        """Write a checkpoint of the trainer as it is."""
        if self._saved == trainer.state.iteration:
            return
        content: dict[str, Any] = {"package": __version__, "trainer": trainer.state_dict()}
        if self.dataset is not None:
            content["training"] = self.dataset.training_record().to_dict()
            content["labels"] = list(self.dataset.datalist.labels)
        name = f"step_{trainer.state.iteration:08d}.pt"
        save_checkpoint(self.checkpoints, name, content, keep=self.keep)
        self._saved = trainer.state.iteration

    def _begin(self, trainer: "GanAugTrainer") -> None:
        self.lock.acquire()
        remove_leftovers(self.folder)
        remove_leftovers(self.checkpoints)
        if (self.checkpoints / LATEST).exists():
            if not self.resume:
                raise DataError(
                    f"`output_dir` {self.folder.name} holds a run already: continue it with "
                    "--resume True, or choose another folder."
                )
            content = load_checkpoint(self.checkpoints)
            self._require_same_data(content)
            trainer.load_state_dict(content["trainer"])
            self._saved = trainer.state.iteration
            logger.info("Resumed after step %d.", trainer.state.iteration)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note_signal)

    def _require_same_data(self, content: dict[str, Any]) -> None:
        if self.dataset is None or "training" not in content:
            return
        current = self.dataset.training_record().to_dict()
        differing = [key for key, value in content["training"].items() if current[key] != value]
        if differing:
            raise DataError(
                f"The checkpoint was trained on other data (its {', '.join(differing)} differ): "
                "resume with the same datalist and preprocessing, or choose another `output_dir`."
            )

    def _save_in_turn(self, trainer: "GanAugTrainer") -> None:
        if trainer.state.epoch % self.every == 0 or trainer.state.epoch == trainer.state.max_epochs:
            self.save(trainer)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:  # asked twice: do not wait for the iteration
            raise SystemExit(128 + number)
        self._signal = number

    def _obey_signal(self, trainer: "GanAugTrainer") -> None:
        if self._signal is None:
            return
        self.save(trainer)
        logger.warning(
            "Stopped by %s after step %d; continue with --resume True.",
            signal.Signals(self._signal).name,
            trainer.state.iteration,
        )
        raise SystemExit(128 + self._signal)

    def _end(self) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous = {}
        self.lock.release()
