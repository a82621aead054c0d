"""Rows 16 and 17 of docs/faults.md on real file systems: full ones, and ones that only read."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"checkpoint": 512, "cache": 256, "unwarned": 256, "samples": 128, "events": 12}
READ_ONLY = ("readonly-run", "readonly-samples", "readonly-cache")
MOUNT = "mount -t tmpfs -o size={size}k{more} none '{folder}'"

pytestmark = pytest.mark.xdist_group("disk")


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What every writer said and left on its file system."""
    if not can_mount():
        pytest.skip("this machine does not let tests mount a file system of their own")
    root = tmp_path_factory.mktemp("disks")
    folders = [*SIZES, *READ_ONLY]
    for name in folders:
        (root / name).mkdir()
    mounts = [MOUNT.format(size=s, more="", folder=root / n) for n, s in SIZES.items()]
    mounts += [MOUNT.format(size=64, more=",ro", folder=root / name) for name in READ_ONLY]
    script = " && ".join([*mounts, f"exec '{sys.executable}' -m tests.faults.full_disk '{root}'"])
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize("stage", SIZES)
def test_full_disk_is_an_error_that_says_so(said, stage):
    assert "disk full" in str(said[stage]["error"])


@pytest.mark.parametrize("stage", SIZES)
def test_nothing_partial_is_left_on_a_full_disk(said, stage):
    assert [name for name in said[stage]["left"] if name.endswith(".partial")] == []


def test_the_old_checkpoint_loads_after_the_disk_was_full(said):
    assert said["checkpoint"]["loads"]


def test_a_cache_too_large_for_the_disk_is_refused_before_decoding(said):
    assert "needs" in said["cache"]["error"]
    assert [name for name in said["cache"]["left"] if "shard" in name] == []


def test_shards_finished_before_the_disk_was_full_are_kept_whole(said):
    left = [Path(name) for name in said["unwarned"]["left"] if "shard" in name]
    assert {path.stem for path in left if path.suffix == ".npy"} == {
        path.stem for path in left if path.suffix == ".json"
    }


def test_an_unfinished_sample_set_has_no_datalist(said):
    assert "set/datalist.json" not in said["samples"]["left"]


def test_training_whose_events_find_no_room_keeps_its_checkpoint(said):
    assert said["events"]["checkpoint"]


@pytest.mark.parametrize("stage", READ_ONLY)
def test_a_read_only_folder_is_refused_before_any_work(said, stage):
    assert said[stage]["error"] is not None
    assert said[stage]["left"] == []


def test_a_read_only_output_folder_is_named(said):
    assert "`output_dir` run cannot be written" in said["readonly-run"]["error"]
