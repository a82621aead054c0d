"""Ways of doing the same thing, timed in turns within one run, so that the ratio is fair."""

import time
from collections.abc import Callable, Mapping

__all__ = ["compare"]


def compare(
    title: str, ways: Mapping[str, Callable[[], object]], items: int, turns: int = 3
) -> None:
    """Print milliseconds per item of every way and how many times as fast the first one is.

    The ways take turns, so that a busy machine slows all of them; the fastest turn of each counts.

    Args:
        title: What is done.
        ways: Functions that each do it to all items, by name; the first is the toolkit's.
        items: How many items one call handles.
        turns: Turns of each way.
    """
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(turns):
        for name, do in ways.items():
            begin = time.perf_counter()
            do()
            best[name] = min(best[name], time.perf_counter() - begin)
    ours = best[next(iter(best))]
    for name, seconds in best.items():
        print(
            f"| {title} | {name} | {1e3 * seconds / items:.3f} | {seconds / ours:.2f} |", flush=True
        )
