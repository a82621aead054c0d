"""One writer per folder."""

import errno
import subprocess
import sys

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.io import locking
from monai_gan_aug.io.locking import FolderLock

HOLD = """
import sys
from pathlib import Path
from monai_gan_aug.io.locking import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_ends(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(DataError, match="Another run is writing"):
            FolderLock(tmp_path).acquire()
        first.kill()
        first.wait()
        FolderLock(tmp_path).acquire()


def test_a_file_system_without_locks_is_named_as_the_cause(tmp_path, monkeypatch):
    def refuse(stream, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locking.fcntl, "flock", refuse)
    with pytest.raises(OSError, match="without locks: choose") as refused:
        FolderLock(tmp_path).acquire()
    assert refused.value.errno == errno.ENOLCK


def test_a_lock_that_was_given_back_can_be_taken(tmp_path):
    with FolderLock(tmp_path):
        pass
    with FolderLock(tmp_path):
        pass
