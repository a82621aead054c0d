"""Where the jobs of a study run: processes of this machine, or the workers of a cluster."""

import importlib
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.cores import usable_cores

__all__ = ["cluster_executor", "job_executor", "process_executor"]


@contextmanager
def job_executor(workers: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """An executor for :func:`monai_gan_aug.studies.job_queue.run_jobs`.

    Args:
        workers: Local processes; the number of usable cores if not given.
        scheduler: Address of a running dask scheduler, whose workers are used instead.

    Raises:
        DataError: If there is no scheduler at the address.
    """
    if scheduler:
        with cluster_executor(scheduler) as executor:
            yield executor
    else:
        with process_executor(workers) as pool:
            yield pool


def process_executor(workers: int | None = None) -> ProcessPoolExecutor:
    """A pool of fresh processes, one torch thread each.

    Args:
        workers: Number of processes; the number of usable cores if not given.
    """
    count = workers or usable_cores()
    context = multiprocessing.get_context("spawn")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker)


@contextmanager
def cluster_executor(scheduler: str, seconds: float = 30) -> Iterator[Executor]:
    """The workers of a dask cluster, which may be added and lost while jobs run.

    A job whose worker is lost is run by another one, from its checkpoint if it has one. Workers
    must see the study's folder and the images under the same paths, and have one thread each
    (``dask worker --nthreads 1``), because a job sends all output of its process to its log.

    Args:
        scheduler: Address such as ``tcp://node7:8786``.
        seconds: How long to wait for the scheduler.

    Raises:
        DataError: If the extra is not installed, or no scheduler answers.

    References:
        https://distributed.dask.org; with dask-jobqueue the workers come from Slurm, LSF or PBS.
    """
    try:
        distributed: Any = importlib.import_module("distributed")  # it has no types
    except ImportError:
        raise DataError(
            "`scheduler` needs dask: pip install 'monai_gan_aug[cluster]', or leave it null."
        ) from None
    try:
        client = distributed.Client(scheduler, timeout=seconds)
    except (OSError, ValueError) as error:
        raise DataError(
            f"No dask scheduler answers at {scheduler}: start one, or leave `scheduler` null."
        ) from error
    with client:
        yield client.get_executor(pure=False)


def _start_worker() -> None:
    """Give a worker one torch thread, and end it when the study that started it is gone."""
    import torch

    torch.set_num_threads(1)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
