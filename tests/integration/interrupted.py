"""A study in a process of its own that is killed as a power cut would."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

HANGING_S = 240
"""No test depends on it: a study that gets nowhere ends as a failure."""


def kill_once_there(process: subprocess.Popen, folder: Path, pattern: str) -> str | bytes:
    """Kill -9 all of a process once a file in ``folder`` matches; return what it printed.

    The process leads a group of its own. The file itself is what is waited for: nothing that a
    study prints says that a job is in the midst of its work.
    """
    deadline = time.monotonic() + HANGING_S
    while not any(folder.glob(pattern)) and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break  # it ended by itself
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    printed = process.communicate()[0]
    assert any(folder.glob(pattern)), printed
    return printed
