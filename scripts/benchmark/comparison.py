"""Ways of doing the same thing, timed in turns within one run, so that the ratio is fair."""

import os
import statistics
import time
from collections.abc import Callable, Mapping

__all__ = ["compare", "print_heading"]


def print_heading() -> None:
    """Print the machine and the heading of the table."""
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| Task | Way | ms per item | times as long as ours | target |")
    print("|---|---|---|---|---|", flush=True)


def compare(
    title: str,
    ways: Mapping[str, Callable[[], object]],
    items: int,
    turns: int = 5,
    targets: Mapping[str, float] | None = None,
) -> None:
    """Print milliseconds per item of every way and how many times as fast the first one is.

    The ways take turns, and a ratio is that of two neighbours in time, so that a busy machine slows
    both; the median of all turns counts, and the smallest and largest are printed beside it.

    Args:
        title: What is done.
        ways: Functions that each do it to all items, by name; the first is the toolkit's.
        items: How many items one call handles.
        turns: Turns of each way, after one that does not count.
        targets: Ratios that are asked for, by name of the way.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, do in ways.items():
            begin = time.perf_counter()
            do()
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    ours = seconds[next(iter(seconds))]
    for name, taken in seconds.items():
        ratios = sorted(theirs / our for theirs, our in zip(taken, ours, strict=True))
        middle = statistics.median(ratios)
        shown = "1" if taken is ours else f"{middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        target = (targets or {}).get(name)
        wanted = "" if target is None else f"{target:g}: {'met' if middle >= target else 'MISSED'}"
        each = 1e3 * statistics.median(taken) / items
        print(f"| {title} | {name} | {each:.3f} | {shown} | {wanted} |", flush=True)
