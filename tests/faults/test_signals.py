"""Rows 15, 22, 23 and 27 of docs/faults.md: kills, signals and second runs, in real processes."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
from ignite.engine import Events

from monai_gan_aug.data.sources import FolderSource
from monai_gan_aug.engines.checkpoint import load_checkpoint, save_checkpoint
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.job_queue import run_jobs
from monai_gan_aug.studies.jobs import BundleJob, JobError
from monai_gan_aug.studies.study import Study
from tests.drawing.training import tiny_trainer

SAVING = """
    import itertools, os, pathlib, signal, sys
    import torch
    from monai_gan_aug.engines.checkpoint import save_checkpoint

    folder, module, function, fatal = pathlib.Path(sys.argv[1]), *sys.argv[2:4], int(sys.argv[4])

    def save(step):
        content = {"step": step, "weights": torch.full((200_000,), float(step))}
        save_checkpoint(folder, f"step_{step:08d}.pt", content)

    for step in range(3):
        save(step)
    owner = {"os": os, "Path": pathlib.Path}[module]
    unharmed, calls = getattr(owner, function), itertools.count(1)

    def deadly(*arguments, **named):
        if next(calls) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return unharmed(*arguments, **named)

    setattr(owner, function, deadly)
    save(3)
"""
MOMENTS = {
    "before a byte of it is on the disk": ("os", "fsync", 1, 2),
    "before it is compared": ("Path", "open", 2, 2),
    "before it takes its name": ("Path", "replace", 1, 2),
    "before latest.json names it": ("Path", "replace", 2, 2),
    "before the oldest goes": ("Path", "unlink", 1, 3),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_while_saving_leaves_the_last_checkpoint_in_force(tmp_path, moment):
    module, function, call, expected = MOMENTS[moment]
    program = [sys.executable, "-c", textwrap.dedent(SAVING), str(tmp_path), module, function]
    assert subprocess.run([*program, str(call)]).returncode == -signal.SIGKILL
    content = load_checkpoint(tmp_path)
    assert content["step"] == expected
    assert torch.equal(content["weights"], torch.full((200_000,), float(expected)))
    save_checkpoint(tmp_path, "step_next.pt", {"step": 0})
    assert list(tmp_path.glob("*.partial")) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_a_checkpoint_and_gives_its_exit_code(tmp_path, number, code):
    trainer = tiny_trainer(handlers=[RunFolder(tmp_path)], average=False)
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED(once=2), lambda: os.kill(os.getpid(), number)
    )
    with pytest.raises(SystemExit) as stopped:
        trainer.run()
    assert stopped.value.code == code
    assert load_checkpoint(tmp_path / "checkpoints")["trainer"]["iteration"] >= 2


def test_a_second_gan_run_in_the_folder_is_refused(tmp_path):
    first = FolderLock(tmp_path)
    first.acquire()
    trainer = tiny_trainer(handlers=[RunFolder(tmp_path)], average=False)
    with pytest.raises(DataError, match="Another run is writing"):
        trainer.run()
    assert trainer.state.iteration == 0
    first.release()


class DyingPool(ProcessPoolExecutor):
    """Processes that the system kills, as it does when memory is short."""

    def submit(self, function, /, *args, **kwargs):
        return super().submit(_die)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_an_error_that_suggests_a_smaller_batch(tmp_path):
    configs = tmp_path / "bundle" / "configs"
    configs.mkdir(parents=True)
    (configs / "run.yaml").write_text("run: []")
    job = BundleJob("one", tmp_path / "bundle", ("run.yaml",), {}, tmp_path / "out")
    with DyingPool(1) as executor, pytest.raises(JobError, match="batch_size"):
        run_jobs([job], executor, title="test")


def test_a_second_study_in_the_folder_is_refused(tmp_path):
    first = FolderLock(tmp_path / "out")
    first.acquire()
    study = Study(
        title="x",
        data=StudyData(
            name="x",
            dataset_dir=str(tmp_path),
            source=FolderSource(),
            image={"image_size": 16},
            split={},
        ),
        output_dir=str(tmp_path / "out"),
        seeds=[0, 1],
        arms=["real", "classical", "classical_twice", "real_plus_synthetic"],
        comparison={
            "arm": "real_plus_synthetic",
            "controls": ["classical"],
            "metric": "auc",
            "relevant_effect": 0.02,
        },
    )
    with pytest.raises(DataError, match="Another run is writing"):
        study.run()
    first.release()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]
