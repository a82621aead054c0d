"""Alarms of the guards of a GAN run, read from what the run printed."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["guard_events"]

EPOCH = re.compile(r"INFO monai_gan_aug\.engines\.handlers: Epoch (\d+) of \d+:")
ALARM = re.compile(r"WARNING monai_gan_aug\.engines\.(?:alarms|run_folder): (.*)")
AT_STEP = re.compile(r"(?:at|by) iteration (\d+)")
ROLLBACK = re.compile(r"Rolled back from step (\d+) to (\d+)")
SIGNS = {
    "one_sided": "The discriminator has won",
    "collapsed": "mode collapse",
    "gradient_exploded": "A gradient has exploded",
    "not_finite": "A loss is not finite",
}
"""By event of :class:`~monai_gan_aug.engines.events.GanAugEvents`: what its guard says."""


def guard_events(folder: Path) -> list[dict[str, Any]] | None:
    """Alarms and rollbacks of a GAN run, in their order.

    Args:
        folder: Output folder of the run, with ``job.log`` and ``curves.json``.

    Returns:
        One ``{"kind": str, "step": int, "back_to": int | None}`` per alarm; ``kind`` is a value of
        :class:`~monai_gan_aug.engines.events.GanAugEvents`, ``rolled_back`` with the step it went
        back to. An alarm that does not say its step stands at the end of its epoch. Nothing if the
        log does not tell how training went: then nobody knows whether there was an alarm.
    """
    try:
        log = (folder / "job.log").read_text(encoding="utf-8", errors="replace")
        steps = json.loads((folder / "curves.json").read_text(encoding="utf-8"))["step"]
    except FileNotFoundError:
        return None
    lines = log.splitlines()
    epochs = [int(hit[1]) for hit in map(EPOCH.search, lines) if hit]
    if not epochs or not steps:
        return None
    return list(_events(lines, steps[-1] / epochs[-1]))


def _events(lines: Sequence[str], epoch_length: float) -> Iterator[dict[str, Any]]:
    epoch = 0
    for line in lines:
        if done := EPOCH.search(line):
            epoch = int(done[1])
        if alarm := ALARM.search(line):
            message = alarm[1]
            back = ROLLBACK.search(message)
            known = AT_STEP.search(message) or back
            step = int(known[1]) if known else round((epoch + 1) * epoch_length)
            for kind, sign in SIGNS.items():
                if sign in message:
                    yield {"kind": kind, "step": step, "back_to": None}
            if back:
                yield {"kind": "rolled_back", "step": int(back[1]), "back_to": int(back[2])}
                epoch = round(int(back[2]) / epoch_length)
