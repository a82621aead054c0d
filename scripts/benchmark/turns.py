"""Long runs timed side by side: each goes on for a few steps, then the next one has its turn."""

import statistics
import threading
import time
from collections.abc import Callable, Mapping

__all__ = ["print_row", "ratios", "take_turns"]

Way = Callable[[Callable[[], None]], None]
"""A run that calls its argument after every step."""


class _Over(BaseException):
    """All turns have been taken."""


class _Baton:
    def __init__(self, names: list[str], steps: int, turns: int) -> None:
        self.names, self.steps, self.turns = names, steps, turns
        self.seconds: dict[str, list[float]] = {name: [] for name in names}
        self.error: BaseException | None = None
        self._counts = dict.fromkeys(names, 0)
        self._begun = dict.fromkeys(names, 0.0)
        self._holder = 0
        self._changed = threading.Condition()

    def wait(self, name: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.names[self._holder] == name or self.error)
        if self.error is not None:
            raise _Over
        self._begun[name] = time.perf_counter()

    def pass_on(self) -> None:
        with self._changed:
            self._holder = (self._holder + 1) % len(self.names)
            self._changed.notify_all()

    def tick(self, name: str) -> None:
        self._counts[name] += 1
        if self._counts[name] % self.steps:
            return
        self.seconds[name].append(time.perf_counter() - self._begun[name])
        if len(self.seconds[name]) > self.turns:
            raise _Over
        self.pass_on()
        self.wait(name)

    def play(self, name: str, way: Way) -> None:
        try:
            self.wait(name)
            way(lambda: self.tick(name))
        except _Over:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.pass_on()


def take_turns(ways: Mapping[str, Way], steps: int, turns: int) -> dict[str, list[float]]:
    """Seconds of every turn of every way; a first turn of each does not count.

    Args:
        ways: Runs by name; each lives in a thread of its own, one of them moves at a time.
        steps: Steps per turn.
        turns: Turns that count.
    """
    baton = _Baton(list(ways), steps, turns)
    threads = [threading.Thread(target=baton.play, args=item) for item in ways.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if baton.error is not None:
        raise baton.error
    return {name: taken[1:] for name, taken in baton.seconds.items()}


def ratios(taken: list[float], reference: list[float]) -> tuple[float, float, float]:
    """Smallest, median and largest ratio of turns that are neighbours in time."""
    pairs = sorted(one / other for one, other in zip(taken, reference, strict=True))
    return pairs[0], statistics.median(pairs), pairs[-1]


def print_row(task: str, name: str, per_step: float, spread: tuple[float, ...], note: str) -> None:
    """One line of a table: milliseconds per step and the ratio with its range."""
    low, middle, high = spread
    shown = f"{middle:.3f} ({low:.2f} to {high:.2f})"
    print(f"| {task} | {name} | {1e3 * per_step:.1f} | {shown} | {note} |", flush=True)
