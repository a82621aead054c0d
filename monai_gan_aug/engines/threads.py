"""How many threads a CPU computes with, chosen once and said."""

import logging
import os
from pathlib import Path

import torch

__all__ = ["choose_threads", "physical_cores"]

logger = logging.getLogger(__name__)


def physical_cores(topology: Path = Path("/sys/devices/system/cpu")) -> int:
    """Cores this process may use, where two threads that share one core count once.

    Args:
        topology: What Linux says about the processors.

    Returns:
        At least 1.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
    else:
        allowed = list(range(os.cpu_count() or 1))
    cores = set()
    for number in allowed:
        siblings = topology / f"cpu{number}" / "topology" / "thread_siblings_list"
        try:
            cores.add(siblings.read_text().strip())
        except OSError:
            cores.add(str(number))
    return max(1, len(cores))


def choose_threads(threads: int | None = None) -> int:
    """Set the number of threads torch computes with, and log the choice and its reason.

    Two threads on one core wait for each other's arithmetic, so there is one thread per physical
    core, shared among the processes ``torchrun`` has started on this machine.

    Args:
        threads: The number itself; nothing to respect ``OMP_NUM_THREADS`` or choose.

    Returns:
        The number.

    Raises:
        ValueError: If it is less than 1.
    """
    if threads is not None:
        if threads < 1:
            raise ValueError(f"`threads` must be at least 1 or null, got {threads}.")
        number, reason = threads, "as asked for"
    elif os.environ.get("OMP_NUM_THREADS", "").isdigit():
        number, reason = int(os.environ["OMP_NUM_THREADS"]), "from OMP_NUM_THREADS"
    else:
        processes = max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        cores = physical_cores()
        number = max(1, cores // processes)
        reason = f"for {cores} physical cores and {processes} processes"
    torch.set_num_threads(number)
    logger.info("Computing with %d threads on the CPU, %s.", number, reason)
    return number
