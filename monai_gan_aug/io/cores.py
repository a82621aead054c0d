"""How many processors this process may use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["physical_cores", "usable_cores"]


def usable_cores(root: Path = Path("/")) -> int:
    """Processors this process may use, as its affinity and its share of their time allow.

    Batch systems and containers grant fewer than the machine has: by a mask of processors, or on
    Linux by a quota of time (``docker run --cpus``), of which a begun processor counts in full.

    Args:
        root: Where the files of Linux are.

    Returns:
        At least 1.

    References:
        https://docs.kernel.org/admin-guide/cgroup-v2.html (``cpu.max``) and
        https://docs.kernel.org/scheduler/sched-bwc.html (``cpu.cfs_quota_us``)

    Example:
        >>> usable_cores() >= physical_cores() >= 1
        True
    """
    return max(1, min([len(_allowed()), *_quotas(root)]))


def physical_cores(root: Path = Path("/")) -> int:
    """As :func:`usable_cores`, but two processors that share one core count once.

    Args:
        root: Where the files of Linux are.

    Returns:
        At least 1.
    """
    cores = set()
    for number in _allowed():
        topology = root / f"sys/devices/system/cpu/cpu{number}/topology"
        try:
            cores.add((topology / "thread_siblings_list").read_text().strip())
        except OSError:
            cores.add(str(number))
    return max(1, min([len(cores), *_quotas(root)]))


def _allowed() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _quotas(root: Path) -> Iterator[int]:
    """Processors that the quotas of this process's group, and of those around it, amount to."""
    for folder, own in _groups(root):
        # a quota binds whatever lies below it; inside a container its own group looks like the root
        for group in (own, *own.parents):
            place = folder / group.relative_to("/")
            try:
                quota, period = _quota(place)
            except (OSError, ValueError):
                continue  # no such file, or "max": no limit here
            if quota > 0 and period > 0:
                yield math.ceil(quota / period)


def _groups(root: Path) -> Iterator[tuple[Path, PurePosixPath]]:
    """Where control groups of the processor are, and which of them this process belongs to."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, own = line.split(":", 2)
        if not own.startswith("/"):
            continue
        if not controllers:
            yield root / "sys/fs/cgroup", PurePosixPath(own)
        elif "cpu" in controllers.split(","):
            yield root / "sys/fs/cgroup/cpu", PurePosixPath(own)


def _quota(group: Path) -> tuple[int, int]:
    """Microseconds of processor time per period, and the period."""
    if (group / "cpu.max").exists():
        quota, period = (group / "cpu.max").read_text().split()
        return int(quota), int(period)
    files = (group / "cpu.cfs_quota_us", group / "cpu.cfs_period_us")
    quota, period = (file.read_text() for file in files)
    return int(quota), int(period)
