"""Walking a folder: order, what is skipped and why."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import UID

from monai_gan_aug.io.walking import walk_files, walk_images


@pytest.fixture
def picture(tmp_path):
    def write(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(path, format="PNG")
        return path

    return write


def test_images_come_sorted_and_relative(picture, tmp_path):
    for name in ("b/2.png", "a/1.png", "c.png", "a/with space.png"):
        picture(name)
    names = [found.name.as_posix() for found in walk_images(tmp_path)]
    assert names == ["a/1.png", "a/with space.png", "b/2.png", "c.png"]


def test_hidden_and_system_files_are_skipped(picture, tmp_path):
    for name in (".git/x.png", ".hidden.png", "Thumbs.db", "__MACOSX/x.png", "a/.DS_Store"):
        picture(name)
    found = list(walk_files(tmp_path))
    assert [f.skip for f in found] == ["hidden or system file"] * 5


@pytest.mark.parametrize(
    ("uid", "reason"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.11", "structured report"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "RT structure set"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "encapsulated document (PDF, CDA, model)"),
        ("1.2.840.10008.5.1.4.1.1.2", None),
    ],
)
def test_dicom_objects_that_are_no_images_are_skipped(write_dicom, tmp_path, uid, reason):
    write_dicom(SOPClassUID=UID(uid))
    (found,) = walk_files(tmp_path)
    assert found.skip == reason


def test_dicomdir_is_skipped(tmp_path):
    from pathlib import Path

    from pydicom.data import get_testdata_file

    content = Path(get_testdata_file("DICOMDIR", download=False)).read_bytes()
    (tmp_path / "DICOMDIR").write_bytes(content)
    assert [found.skip for found in walk_files(tmp_path)] == ["DICOMDIR"]


def test_other_files_are_skipped_but_false_images_are_not(tmp_path):
    for name in ("labels.csv", "notes", "false.dcm", "empty.png"):
        (tmp_path / name).write_bytes(b"" if name == "empty.png" else b"text")
    skipped = {found.name.name: found.skip for found in walk_files(tmp_path)}
    assert skipped == {
        "labels.csv": "other file (.csv)",
        "notes": "other file (no suffix)",
        "false.dcm": None,
        "empty.png": None,
    }


def test_links_out_of_the_folder_and_to_folders_are_skipped(picture, tmp_path):
    outside, inside = picture("outside/1.png"), picture("root/a/2.png")
    root = tmp_path / "root"
    (root / "out.png").symlink_to(outside)
    (root / "in.png").symlink_to(inside)
    (root / "loop").symlink_to(root)
    (root / "dangling.png").symlink_to(root / "absent.png")
    assert [f.name.as_posix() for f in walk_images(root)] == ["a/2.png", "in.png"]
    assert sum(found.skip is not None for found in walk_files(root)) == 3


def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.dcm")
    assert [found.skip for found in walk_files(tmp_path)] == ["not a regular file"]


def test_source_must_be_a_folder(tmp_path):
    with pytest.raises(NotADirectoryError, match="folder of the images"):
        list(walk_files(tmp_path / "absent"))


def test_folders_may_nest_deeper_than_python_recurses(tmp_path):
    deepest = tmp_path
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1200):
            os.mkdir("d", dir_fd=here)
            inside = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here, deepest = inside, deepest / "d"
    finally:
        os.close(here)
    Image.new("L", (4, 4)).save(deepest / "x.png")
    assert [found.name.name for found in walk_images(tmp_path)] == ["x.png"]
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)  # rmtree recurses


def test_folder_that_cannot_be_opened_is_counted(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "x.png")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    skipped = {found.name.name: found.skip for found in walk_files(tmp_path)}
    assert skipped == {"closed": "folder that cannot be opened", "x.png": None}


def test_pipes_and_link_loops_are_passed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    skipped = {found.name.name: found.skip for found in walk_files(tmp_path)}
    assert skipped["pipe.dcm"] == "not a regular file"
    assert all("link" in skipped[name] for name in ("loop", "self.png"))


def test_arrays_of_an_image_cache_are_no_sources(tmp_path):
    for name in ("recipe.json", "shard-1.npy", "shard-1.json"):
        (tmp_path / name).touch()
    assert {found.skip for found in walk_files(tmp_path)} == {"image cache of this toolkit"}
