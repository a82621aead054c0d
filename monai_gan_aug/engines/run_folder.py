"""The folder of one training run: its lock, its checkpoints, and what a signal does to it."""

import logging
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from ignite.engine import Events

from monai_gan_aug import __version__
from monai_gan_aug.engines.best import BestCheckpoint
from monai_gan_aug.engines.checkpoint import (
    LATEST,
    TrainingSet,
    discard_newer,
    find_good_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from monai_gan_aug.engines.distributed import (
    any_process,
    average_statistics,
    is_main_process,
    wait_for_all,
    world_size,
)
from monai_gan_aug.engines.game import AdversarialGame, GanAugEvents
from monai_gan_aug.engines.state import restore_trainer_state
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import remove_leftovers
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.networks.definitions import definition_of
from monai_gan_aug.records.datalist import Datalist

__all__ = ["RunFolder"]

TURN = 10
"""Iterations after which processes on GPUs ask each other whether a signal has come."""

logger = logging.getLogger(__name__)


class SplitTrainingSet(TrainingSet, Protocol):
    """Images of the training split of a datalist."""

    datalist: Datalist


class RunFolder:
    """Keep a run restartable: lock its folder, save, resume, and stop in good order.

    SIGINT and SIGTERM end the run after the iteration they interrupt, with a checkpoint and
    exit code 130 or 143; a second signal ends a single process at once. Of several processes the
    first writes; all of them must attach one.

    A rollback takes up networks, optimisers and the place in the data of the newest checkpoint
    that no guard doubted, multiplies both learning rates, and goes on with other random numbers.

    Args:
        folder: Output folder of the run; checkpoints go to ``checkpoints`` inside.
        dataset: The training data; its record, which holds the preprocessing, and all class names
            go into every checkpoint, so that synthetic images can be traced to the patients behind
            them.
        resume: Continue from the newest checkpoint if there is one; otherwise a folder with
            checkpoints is refused.
        every: Epochs between checkpoints; one is saved after the last epoch as well.
        keep: How many checkpoints stay.
        best_metric: Number by which one more checkpoint is kept, in ``checkpoints/best``; see
            :class:`~monai_gan_aug.engines.best.BestCheckpoint`.
        best_is: ``"lowest"`` or ``"highest"``.
        max_rollbacks: Rollbacks before a guard that asks for another ends the run.
        rollback_factor: What a rollback multiplies learning rates by, in ``(0, 1]``.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        folder: str | Path,
        dataset: SplitTrainingSet | None = None,
        resume: bool = False,
        every: int = 1,
        keep: int = 2,
        best_metric: str | None = None,
        best_is: str = "lowest",
        max_rollbacks: int = 3,
        rollback_factor: float = 0.5,
    ) -> None:
        if max_rollbacks < 0 or not 0 < rollback_factor <= 1:
            raise ValueError(
                "`max_rollbacks` must be at least 0 and `rollback_factor` in (0, 1], got "
                f"{max_rollbacks} and {rollback_factor}."
            )
        self.folder = Path(folder)
        self.dataset = dataset
        self.resume = resume
        self.every = every
        self.keep = keep
        self.max_rollbacks = max_rollbacks
        self.rollback_factor = rollback_factor
        self.rollbacks = 0
        best_folder = self.checkpoints / "best"
        self.best = BestCheckpoint(best_folder, best_metric, best_is) if best_metric else None
        self.lock = FolderLock(self.folder)
        self._signal: int | None = None
        self._previous: dict[int, Any] = {}
        self._saved = -1

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    def attach(self, trainer: AdversarialGame) -> None:
        """Begin before the run, save at the end of epochs after all others, close after it."""
        trainer.add_event_handler(GanAugEvents.RUN_REQUESTED, self._begin)
        trainer.add_event_handler(GanAugEvents.ROLLBACK_REQUESTED, self._roll_back)
        trainer.add_event_handler(GanAugEvents.RUN_CLOSED, self._end)

    def save(self, trainer: AdversarialGame, *, epoch_completed: bool = False) -> None:
        """Write a checkpoint of the trainer as it is, and the best one at the end of epochs."""
        if self._saved == trainer.state.iteration:
            return
        content: dict[str, Any] = {"package": __version__, "trainer": trainer.state_dict()}
        content |= _description(trainer)
        if self.dataset is not None:
            content["training"] = self.dataset.training_record().to_dict()
            content["labels"] = list(self.dataset.datalist.labels)
        name = f"step_{trainer.state.iteration:08d}.pt"
        suspect = any(getattr(part, "suspicious", False) for part in trainer.parts.values())
        better = self.best if epoch_completed else None
        if better is not None and not better.improves(trainer):
            better = None
        if is_main_process():
            save_checkpoint(self.checkpoints, name, content, keep=self.keep, suspect=suspect)
            if better is not None:
                better.save(name, content)
        wait_for_all()  # nobody goes back to, or resumes from, a checkpoint half written
        self._saved = trainer.state.iteration

    def _begin(self, trainer: AdversarialGame) -> None:
        if is_main_process():
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
            if self.best is not None:
                self.best.remember()
            logger.info("Resumed after step %d.", trainer.state.iteration)
        if not trainer.has_event_handler(self._save_in_turn):
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self._save_in_turn)
            trainer.add_event_handler(Events.ITERATION_COMPLETED, self._obey_signal)
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

    def _save_in_turn(self, trainer: AdversarialGame) -> None:
        if trainer.state.epoch % self.every == 0 or trainer.state.epoch == trainer.state.max_epochs:
            self.save(trainer, epoch_completed=True)

    def _roll_back(self, trainer: AdversarialGame) -> None:
        reason, trainer.rollback_reason = trainer.rollback_reason, None
        path = find_good_checkpoint(self.checkpoints)
        if path is None or self.rollbacks == self.max_rollbacks:
            why = "There is no checkpoint to go back to yet."
            if path is not None:
                why = f"{self.rollbacks} rollbacks did not help."
            raise FloatingPointError(f"{reason} {why}")
        self.rollbacks += 1
        failed_at = trainer.state.iteration
        rates = [group["lr"] * self.rollback_factor for group in _groups(trainer)]
        restore_trainer_state(trainer, load_checkpoint(path)["trainer"])
        for group, rate in zip(_groups(trainer), rates, strict=True):
            group["lr"] = rate
        wait_for_all()
        if is_main_process():
            discard_newer(path)
        self._saved = trainer.state.iteration
        logger.warning(
            "%s Rolled back from step %d to %d (%d of at most %d), learning rates times %g.",
            reason,
            failed_at,
            trainer.state.iteration,
            self.rollbacks,
            self.max_rollbacks,
            self.rollback_factor,
        )
        trainer.fire_event(GanAugEvents.ROLLED_BACK)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        # Asked twice: do not wait for the iteration. But torchrun passes on a signal that a batch
        # system has sent to every process already.
        if self._signal is not None and world_size() == 1:
            raise SystemExit(128 + number)
        self._signal = number

    def _obey_signal(self, trainer: AdversarialGame) -> None:
        if world_size() > 1:
            # asking makes a GPU wait; torchrun kills what has not ended after half a minute
            if trainer.state.device.type == "cuda" and trainer.state.iteration % TURN:
                return
            if any_process(self._signal is not None, trainer.state.device):
                self._signal = self._signal or signal.SIGTERM
        if self._signal is None:
            return
        average_statistics((trainer.g_network, trainer.d_network, trainer.sampling_network))
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


def _groups(trainer: AdversarialGame) -> list[dict[str, Any]]:
    sides = (trainer.generator, trainer.discriminator)
    return [group for side in sides for group in side.optimizer.param_groups]


def _description(trainer: AdversarialGame) -> dict[str, Any]:
    """How its networks are made again, and the knobs that decide what goes into them."""
    networks = {"generator": trainer.g_network, "discriminator": trainer.d_network}
    described = {name: definition_of(network) for name, network in networks.items()}
    return {
        "definitions": {name: item for name, item in described.items() if item is not None},
        "knobs": {
            "latent_size": trainer.latent_shape,
            "num_classes": getattr(trainer.g_network, "num_classes", 0),
        },
    }
