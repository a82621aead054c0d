"""Atomic files: complete or absent, whatever happens while writing."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from monai_gan_aug.io.atomic import (
    TEMPORARY_SUFFIX,
    atomic_file,
    remove_leftovers,
    write_bytes,
    write_json,
)


def test_writes_new_files_and_folders(tmp_path):
    write_bytes(tmp_path / "new" / "folder" / "x", b"content")
    assert (tmp_path / "new" / "folder" / "x").read_bytes() == b"content"


def test_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "x"
    write_bytes(path, b"old")
    with pytest.raises(TypeError), atomic_file(path) as stream:
        stream.writelines([b"half of the n", None])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_new_content_is_invisible_until_complete(tmp_path):
    path = tmp_path / "x"
    with atomic_file(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == b"new"


def test_full_disk_is_said_in_words(tmp_path):
    path = tmp_path / "x"
    write_bytes(path, b"old")
    with pytest.raises(OSError, match="disk full while writing x") as caught, atomic_file(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_really_full_device_is_reported(tmp_path, monkeypatch):
    original = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, *a, **k: original(
            Path("/dev/full") if self.suffix == ".partial" else self, *a, **k
        ),
    )
    with pytest.raises(OSError, match="disk full"):
        write_bytes(tmp_path / "x", b"content")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(tmp_path, number):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x", {"auc": number})
    assert list(tmp_path.iterdir()) == []


def test_json_round_trip_of_names_that_are_no_text(tmp_path):
    content = {"name": os.fsdecode(b"\xff.png"), "umlaut": "ö"}
    write_json(tmp_path / "x.json", content)
    assert json.loads((tmp_path / "x.json").read_text()) == content


KILLED = """
    import sys
    from pathlib import Path
    from monai_gan_aug.io.atomic import atomic_file
    with atomic_file(Path(sys.argv[1])) as stream:
        stream.write(b"half")
        stream.flush()
        print("writing", flush=True)
        sys.stdin.read()
"""


def test_kill_leaves_the_old_file_and_a_leftover_that_is_removed(tmp_path):
    path = tmp_path / "x"
    write_bytes(path, b"old")
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.glob(f"*{TEMPORARY_SUFFIX}"))) == 1
    assert remove_leftovers(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [path]
