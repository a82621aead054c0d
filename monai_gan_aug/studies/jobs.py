"""One run of a bundle as a job: a folder of its own, done exactly once, in any executor.

A job is plain data, so it travels to another process or another machine. Its folder holds what
the bundle writes, ``job.log`` with everything the bundle printed, and, last of all, ``job.json``:
a job is finished when that file names the identity of the job, and is run (again) otherwise.
"""

import contextlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monai_gan_aug import __version__
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.hashing import sha256_file, sha256_json
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.records.jobs import JobBegun, JobDone

__all__ = ["BundleJob", "JobError", "run_job", "run_jobs"]

logger = logging.getLogger(__name__)


class JobError(RuntimeError):
    """A job failed; the message names it, the cause and its log."""


@dataclass(frozen=True)
class BundleJob:
    """One run of a bundle with some of its knobs turned.

    Args:
        name: Shown in progress bars and messages; unique within a study.
        bundle: Folder of the bundle.
        config_files: Names under the bundle's ``configs``, in the order they are merged.
        overrides: Knobs, by their id in the configuration.
        output_dir: Folder of this job alone.
        inputs: Files made by earlier jobs; their content is part of this job's identity.
        resumable: Keep the folder of an interrupted run, because the bundle resumes from it.
    """

    name: str
    bundle: Path
    config_files: tuple[str, ...]
    overrides: Mapping[str, Any]
    output_dir: Path
    inputs: tuple[Path, ...] = field(default=())
    resumable: bool = False

    def config_paths(self) -> list[Path]:
        """The configuration files, absolute."""
        return [Path(self.bundle).resolve() / "configs" / name for name in self.config_files]

    def identity(self) -> str:
        """Hash of configuration, knobs and inputs: the same identity gives the same result."""
        missing = [path.name for path in self.config_paths() if not path.is_file()]
        if missing:
            raise DataError(
                f"The bundle {Path(self.bundle).name} has no configs/{missing[0]}: "
                "check `bundles_dir` and the file names of the study."
            )
        return sha256_json(
            {
                "package": __version__,
                "configs": [sha256_file(path) for path in self.config_paths()],
                "overrides": json.loads(json.dumps(dict(self.overrides), default=str)),
                "inputs": [sha256_file(path) for path in self.inputs],
            }
        )

    def recorded(self) -> JobDone | None:
        """``job.json``, or nothing."""
        return JobDone.load_if_sound(self.output_dir / "job.json")

    @property
    def seconds(self) -> float:
        """How long it took; 0 if it is not finished."""
        done = self.recorded()
        return 0.0 if done is None else done.seconds

    def is_finished(self) -> bool:
        """Whether this very job, inputs included, has been completed."""
        done = self.recorded()
        return done is not None and done.identity == self.identity()


@contextlib.contextmanager
def _output_into(log: Path) -> Iterator[None]:
    """Send everything this process prints, also from C code, to the end of ``log``."""
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            for descriptor, kept in zip((1, 2), saved, strict=True):
                os.dup2(kept, descriptor)
                os.close(kept)


def run_job(job: BundleJob) -> float:
    """Run a job to its end and record it; return the seconds it took.

    An interrupted run is resumed if the bundle can, and otherwise started from an empty folder.
    A finished one is not run again: a cluster may ask twice for the same job, and may ask while
    the first run is still going on, which is then awaited.

    Raises:
        JobError: If the bundle raises; the folder keeps the log.
    """
    lock = FolderLock(job.output_dir.parent / ".jobs" / job.output_dir.name)
    lock.acquire(wait=True)
    try:
        if job.is_finished():
            return job.seconds
        return _run_from_here(job)
    finally:
        lock.release()


def _run_from_here(job: BundleJob) -> float:
    identity = job.identity()
    begun = JobBegun.load_if_sound(job.output_dir / "begun.json")
    same = begun is not None and begun.identity == identity
    if job.output_dir.exists() and not (same and job.resumable):
        shutil.rmtree(job.output_dir)
    JobBegun(identity, job.name).save(job.output_dir / "begun.json")
    start = time.monotonic()
    log = job.output_dir / "job.log"
    try:
        with _output_into(log):
            _run_bundle(job)
    except (Exception, SystemExit) as error:
        raise JobError(
            f"{job.name} failed: {_root_cause(error)} (full text in {job.name}/job.log). "
            "Mend the cause and run the study again: it goes on from here."
        ) from error
    seconds = time.monotonic() - start
    JobDone(identity, job.name, seconds).save(job.output_dir / "job.json")
    return seconds


def _root_cause(error: BaseException) -> str:
    while type(error) is RuntimeError and error.__cause__ is not None:  # MONAI's wrapping
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


def _run_bundle(job: BundleJob) -> None:
    from monai.bundle import ConfigWorkflow  # heavy: only workers need it

    workflow = ConfigWorkflow(
        config_file=[str(path) for path in job.config_paths()],
        workflow_type=None,
        **job.overrides,
    )
    workflow.initialize()
    workflow.run()
    workflow.finalize()


def run_jobs(jobs: Sequence[BundleJob], executor: Executor, *, title: str) -> float:
    """Run the jobs that are not finished; return the seconds of all, earlier runs included.

    Args:
        jobs: Jobs that do not depend on one another.
        executor: Anything with :mod:`concurrent.futures`' ``submit``.
        title: Text in front of the progress bar. Without a terminal, as in a cluster's log, there
            is a line for every finished job instead.

    Raises:
        JobError: At the first job that fails; jobs not yet started are cancelled.
    """
    if not jobs:
        return 0.0
    open_jobs = [job for job in jobs if not job.is_finished()]
    if open_jobs:
        logger.info("%s: %d jobs, %d to do.", title, len(jobs), len(open_jobs))
    with tqdm(
        total=len(jobs),
        initial=len(jobs) - len(open_jobs),
        desc=title,
        unit="job",
        disable=not sys.stderr.isatty(),
    ) as bar:
        futures = {executor.submit(run_job, job): job for job in open_jobs}
        try:
            _await_all(futures, bar)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return sum(job.seconds for job in jobs)


def _await_all(futures: Mapping[Future[float], BundleJob], bar: tqdm) -> None:
    waiting, finished = set(futures), bar.n
    while waiting:
        done, waiting = wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED)
        for future in done:
            try:
                seconds = future.result()
            except JobError:
                raise
            except BrokenProcessPool as error:
                raise JobError(
                    "A worker process was killed (often: out of memory). Use fewer `workers` or a "
                    "smaller `batch_size` and run the study again: it goes on from here."
                ) from error
            except Exception as error:
                raise JobError(
                    f"{futures[future].name} was given up: {type(error).__name__}: {error}. "
                    "Look at the workers and run the study again: it goes on from here."
                ) from error
            bar.update()
            finished += 1
            if bar.disable:
                name = futures[future].name
                logger.info("%d of %d: %s (%.0f s)", finished, bar.total, name, seconds)
        bar.refresh()
