"""Handlers that record how training goes: curves, TensorBoard, progress."""

import errno
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import torch
from ignite.engine import Events
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from monai_gan_aug.engines.distributed import is_main_process, mean_over_processes
from monai_gan_aug.engines.game import AdversarialGame, GanAugEvents
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.records.curves import GanCurves

__all__ = ["CurveRecorder", "ProgressReport", "TensorBoardWriter"]

logger = logging.getLogger(__name__)

EXTRAS = (GanAugKeys.penalty(""), GanAugKeys.AUGMENT_PROBABILITY.value)


class CurveRecorder:
    """Mean losses and discriminator outputs over stretches of iterations, in ``curves.json``.

    Values are summed on the device and fetched once per stretch. ``d_real`` and ``d_fake`` are
    mean probabilities of "real" (the sigmoid of the logits, whatever the loss); a loss on images
    yields no logits, and 0.5 is recorded. Scalars of the output whose key begins with
    ``penalty/``, and the probability of adaptive augmentation, are recorded beside them: means
    over the iterations that had them, or nothing.
    Several processes record their common mean; the first writes.

    Args:
        path: The JSON file, rewritten at the end of each epoch.
        every: Iterations per record.

    Raises:
        ValueError: If ``every`` is less than 1.
    """

    NAMES = ("g_loss", "d_loss", "d_real", "d_fake")

    def __init__(self, path: str | Path, every: int = 20) -> None:
        if every < 1:
            raise ValueError(f"`every` must be at least 1, got {every}.")
        self.path = Path(path)
        self.every = every
        self.curves: dict[str, list[float | None]] = {name: [] for name in ("step", *self.NAMES)}
        self._sum: Tensor | None = None
        self._count = 0
        self._penalties: dict[str, tuple[Tensor, int]] = {}

    def attach(self, trainer: AdversarialGame) -> None:
        """Sum after each iteration, record, and write at the end of epochs and of stopped runs."""
        trainer.register_part("curves", self)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._record)
        trainer.add_event_handler(Events.EPOCH_COMPLETED | Events.TERMINATE, self._write)

    def state_dict(self) -> dict[str, Any]:
        """All records and the unfinished one: its mean over processes, all of which must ask."""
        shared = {
            name: (mean_over_processes(total), count)
            for name, (total, count) in self._penalties.items()
        }
        return {
            "curves": self.curves,
            "sum": None if self._sum is None else mean_over_processes(self._sum),
            "count": self._count,
            "penalties": shared,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.curves = {name: list(values) for name, values in state["curves"].items()}
        self._sum, self._count = state["sum"], state["count"]
        self._penalties = dict(state.get("penalties", {}))

    def _add(self, trainer: AdversarialGame) -> None:
        output = trainer.state.output
        values = [output[GanKeys.GLOSS], output[GanKeys.DLOSS]]
        for key in (GanAugKeys.REAL_LOGITS, GanAugKeys.FAKE_LOGITS):
            logits = output.get(key)
            values.append(values[0].new_tensor(0.5) if logits is None else logits.sigmoid().mean())
        new = torch.stack([value.detach().float() for value in values])
        # a sum that was resumed comes from a checkpoint and lies on the CPU
        self._sum = new if self._sum is None else self._sum.to(new.device) + new
        for key, value in output.items():
            if str(key).startswith(EXTRAS):
                total, count = self._penalties.get(str(key), (torch.zeros_like(value), 0))
                self._penalties[str(key)] = (total.to(value.device) + value, count + 1)
        self._count += 1
        if self._count == self.every:
            self._record(trainer)

    def _record(self, trainer: AdversarialGame) -> None:
        if self._sum is None:
            return
        sums = [total / count for total, count in self._penalties.values()]
        values = mean_over_processes(torch.stack([*(self._sum / self._count), *sums])).tolist()
        self._sum, self._count = None, 0
        means = dict(zip((*self.NAMES, *self._penalties), values, strict=True))
        self._penalties = {}
        trainer.state.record = {"step": trainer.state.iteration, **means}
        for name in means.keys() - self.curves.keys():  # a penalty that comes late or lazily
            self.curves[name] = [None] * len(self.curves["step"])
        for name, column in self.curves.items():
            column.append(trainer.state.record.get(name))
        trainer.fire_event(GanAugEvents.RECORDED)

    def _write(self) -> None:
        if is_main_process():
            columns = {name: tuple(values) for name, values in self.curves.items()}
            GanCurves(
                step=tuple(int(step) for step in columns.pop("step") if step is not None),
                g_loss=columns.pop("g_loss"),
                d_loss=columns.pop("d_loss"),
                d_real=columns.pop("d_real"),
                d_fake=columns.pop("d_fake"),
                penalties=columns,
            ).save(self.path)


class TensorBoardWriter:
    """Write records, what guards measure, and pictures of fixed latents for TensorBoard.

    No real image is ever written.

    Args:
        folder: Folder of the event files.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._writer: SummaryWriter | None = None

    def attach(self, trainer: AdversarialGame) -> None:
        """Write whenever there is something new, in the first process only."""
        if not is_main_process():
            return
        trainer.add_event_handler(Events.STARTED, self._open)
        trainer.add_event_handler(GanAugEvents.RECORDED, self._write_record)
        trainer.add_event_handler(GanAugEvents.MEASURED, self._write_measures)
        trainer.add_event_handler(GanAugEvents.GRID_DRAWN, self._write_grid)
        trainer.add_event_handler(GanAugEvents.RUN_CLOSED, self._close)

    def _open(self, trainer: AdversarialGame) -> None:
        self._close()  # training starts again after a rollback
        # what a killed or rolled-back run wrote beyond this step did not happen
        self._writer = SummaryWriter(self.folder, purge_step=trainer.state.iteration + 1)

    def _write_record(self, trainer: AdversarialGame) -> None:
        record = trainer.state.record
        self._write_scalars({k: v for k, v in record.items() if k != "step"}, trainer)

    def _write_measures(self, trainer: AdversarialGame) -> None:
        self._write_scalars(trainer.state.metrics, trainer)

    def _write_scalars(self, values: Mapping[str, float], trainer: AdversarialGame) -> None:
        if self._writer is not None:
            with _disk_full_in_words():
                for name, value in values.items():
                    self._writer.add_scalar(name, value, trainer.state.iteration)

    def _write_grid(self, trainer: AdversarialGame) -> None:
        if self._writer is not None:
            with _disk_full_in_words():
                self._writer.add_image("fixed_latents", trainer.state.grid, trainer.state.iteration)

    def _close(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with _disk_full_in_words():
                writer.close()


@contextmanager
def _disk_full_in_words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OSError(
                errno.ENOSPC, "disk full while writing TensorBoard events: free space and resume"
            ) from error
        raise


class ProgressReport:
    """A progress bar on a terminal, and a line in the log at the end of epochs.

    Args:
        every: Epochs between log lines.
    """

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self._bar: tqdm[NoReturn] | None = None

    def attach(self, trainer: AdversarialGame) -> None:
        """Move with the iterations, in the first process only."""
        if not is_main_process():
            return
        trainer.add_event_handler(Events.STARTED, self._open)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._move)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self._log)
        trainer.add_event_handler(GanAugEvents.RUN_CLOSED, self._close)

    def _open(self, trainer: AdversarialGame) -> None:
        self._close()
        total = trainer.state.max_epochs * trainer.state.epoch_length
        self._bar = tqdm(
            total=total,
            initial=trainer.state.iteration,
            desc="GAN training",
            unit="step",
            disable=not sys.stderr.isatty(),
        )

    def _move(self, trainer: AdversarialGame) -> None:
        if self._bar is not None:
            self._bar.update()
            record = getattr(trainer.state, "record", None)
            if record is not None and record["step"] == trainer.state.iteration:
                self._bar.set_postfix_str(_summary(record), refresh=False)

    def _log(self, trainer: AdversarialGame) -> None:
        state = trainer.state
        record = getattr(state, "record", None)
        if record is not None and (
            state.epoch % self.every == 0 or state.epoch == state.max_epochs
        ):
            logger.info("Epoch %d of %d: %s", state.epoch, state.max_epochs, _summary(record))

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _summary(record: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {record[name]:.3f}" for name in CurveRecorder.NAMES)
