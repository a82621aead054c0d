"""Jobs in the order their files ask for: each is run as soon as what it reads is there."""

import logging
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies.code_identity import package_sha256
from monai_gan_aug.studies.jobs import BundleJob, JobError, run_job

__all__ = ["run_jobs"]

SHOWN = 3
logger = logging.getLogger(__name__)


def run_jobs(jobs: Sequence[BundleJob], executor: Executor, *, title: str) -> dict[str, float]:
    """Run the jobs that are not finished, each when its inputs are there.

    Of jobs that are ready, those go first on which the longest row of others waits, then those
    named first. So the order in which jobs are given to the executor is the same every time they
    take equally long.

    Args:
        jobs: What is to be done. A job waits for those whose ``outputs`` are among its ``inputs``.
        executor: Anything with :mod:`concurrent.futures`' ``submit``.
        title: Text in front of the progress bar. Without a terminal, as in a cluster's log, there
            is a line for every finished job instead.

    Returns:
        The seconds of all jobs by their kind, earlier runs included; kinds in the order of
        ``jobs``.

    Raises:
        DataError: Before anything is run, if a job reads a file that is not there and that no job
            makes, if two make the same one, or if jobs wait for one another.
        JobError: At the first job that fails; jobs not yet started are cancelled.
    """
    _Queue(jobs, executor, title).run()
    seconds = dict.fromkeys((job.kind for job in jobs), 0.0)
    for job in jobs:
        seconds[job.kind] += job.seconds
    return seconds


class _Queue:
    """The jobs, which of them wait for which, and what is under way."""

    def __init__(self, jobs: Sequence[BundleJob], executor: Executor, title: str) -> None:
        self.jobs = jobs
        self.executor = executor
        self.title = title
        self.waits_for = _waits_for(jobs)
        self.rank = _ranks(jobs, self.waits_for)
        self.under_way: dict[Future[float], int] = {}
        self.to_do = self._count_open()
        self.ended = 0

    def run(self) -> None:
        """Run everything."""
        outdated = [job.name for job in self.jobs if job.is_outdated()]
        if outdated:
            more = ", …" if len(outdated) > SHOWN else ""
            logger.warning(
                "%d finished jobs are run again, because the code of monai_gan_aug is not the one "
                "they were run with: %s%s.",
                len(outdated),
                ", ".join(outdated[:SHOWN]),
                more,
            )
        if self.to_do:
            logger.info("%s: %d jobs, %d to do.", self.title, len(self.jobs), self.to_do)
        waiting = TopologicalSorter(self.waits_for)
        waiting.prepare()
        with tqdm(
            total=len(self.jobs), desc=self.title, unit="job", disable=not sys.stderr.isatty()
        ) as bar:
            try:
                while waiting.is_active():
                    settled = self._start(waiting.get_ready()) or self._await()
                    waiting.done(*settled)
                    bar.update(len(settled))
                    bar.refresh()  # the clock goes on while nothing ends
            except BrokenProcessPool as error:
                raise JobError(
                    "A worker process was killed (often: out of memory). Use fewer `workers` or a "
                    "smaller `batch_size` and run the study again: it goes on from here."
                ) from error
            finally:
                for future in self.under_way:  # those of a study that failed
                    future.cancel()

    def _count_open(self) -> int:
        """How many jobs are not finished or wait for such a job, as far as can be said now."""
        settled: set[int] = set()
        for index in TopologicalSorter(self.waits_for).static_order():
            if self.waits_for[index] <= settled and self.jobs[index].is_finished():
                settled.add(index)
        return len(self.jobs) - len(settled)

    def _start(self, ready: Sequence[int]) -> list[int]:
        """Hand over the jobs that are ready; return those that are finished already."""
        settled = []
        for index in sorted(ready, key=self.rank.__getitem__):
            job = self.jobs[index]
            if job.is_finished():
                settled.append(index)
            else:
                future = self.executor.submit(run_job, job, package_sha256())
                self.under_way[future] = index
        return settled

    def _await(self) -> list[int]:
        """Wait for jobs that are under way; return those that have ended, none after a second."""
        done, _ = wait(self.under_way, timeout=1.0, return_when=FIRST_COMPLETED)
        ended = []
        for future in sorted(done, key=self.under_way.__getitem__):  # `done` has no order
            index = self.under_way[future]
            seconds = self._result(future, self.jobs[index])
            del self.under_way[future]
            self.ended += 1
            if not sys.stderr.isatty():
                name = self.jobs[index].name
                logger.info("%d of %d: %s (%.0f s)", self.ended, self.to_do, name, seconds)
            ended.append(index)
        return ended

    @staticmethod
    def _result(future: Future[float], job: BundleJob) -> float:
        try:
            return future.result()
        except (JobError, BrokenProcessPool):
            raise
        except Exception as error:
            raise JobError(
                f"{job.name} was given up: {type(error).__name__}: {error}. "
                "Look at the workers and run the study again: it goes on from here."
            ) from error


def _waits_for(jobs: Sequence[BundleJob]) -> dict[int, set[int]]:
    """Which jobs, by position, every job waits for."""
    makers: dict[Path, int] = {}
    for index, job in enumerate(jobs):
        for path in job.outputs:
            if path in makers:
                raise DataError(
                    f"{jobs[makers[path]].name} and {job.name} both make {path.name}: give every "
                    "job of a study files of its own."
                )
            makers[path] = index
    for job in jobs:
        for path in job.inputs:
            if path not in makers and not path.is_file():
                raise DataError(
                    f"{job.name} needs {path.parent.name}/{path.name}, which is not there and "
                    "which no job of the study makes."
                )
    waits_for = {
        index: {makers[path] for path in job.inputs if path in makers}
        for index, job in enumerate(jobs)
    }
    try:
        TopologicalSorter(waits_for).prepare()
    except CycleError as error:
        circle = " waits for ".join(jobs[index].name for index in reversed(error.args[1]))
        raise DataError(f"Jobs wait for one another: {circle}.") from error
    return waits_for


def _ranks(
    jobs: Sequence[BundleJob], waits_for: Mapping[int, set[int]]
) -> dict[int, tuple[int, int]]:
    """What ready jobs are sorted by: minus the longest row of jobs behind them, then position."""
    behind = dict.fromkeys(range(len(jobs)), 0)
    order: list[Any] = list(TopologicalSorter(waits_for).static_order())
    for index in reversed(order):
        for earlier in waits_for[index]:
            behind[earlier] = max(behind[earlier], behind[index] + 1)
    return {index: (-behind[index], index) for index in behind}
