"""Counting a folder, readable and not."""

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.io.inspection import inspect_folder


@pytest.fixture
def folder(write_dicom, tmp_path):
    for index in range(3):
        write_dicom(name=f"{index}.dcm")
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "photo.jpg")
    (tmp_path / "labels.csv").write_text("path,label\n")
    (tmp_path / "empty.dcm").write_bytes(b"")
    return tmp_path


def test_counts_kinds_skipped_and_unreadable(folder):
    result = inspect_folder(folder, progress=False)
    assert sorted((kind.format, kind.size, n) for kind, n in result.images.items()) == [
        ("DICOM", "16x16", 3),
        ("JPEG", "4x6", 1),
    ]
    assert result.skipped == {"other file (.csv)": 1}
    assert [name for name, _ in result.unreadable] == ["empty.dcm"]


def test_table_tells_all_of_it(folder):
    table = inspect_folder(folder, progress=False).table()
    assert "4 images of 2 kinds, 1 unreadable, 1 other files" in table
    assert "Explicit VR Little Endian" in table
    assert "empty.dcm is empty" in table
    assert "Canary" not in table


def test_several_frames_count_as_unreadable(write_dicom, tmp_path):
    write_dicom(NumberOfFrames="7")
    assert "7 frames" in inspect_folder(tmp_path, progress=False).table()


def test_decoding_finds_damaged_pixels(write_dicom, tmp_path):
    path = write_dicom()
    path.write_bytes(path.read_bytes()[:-100])
    assert inspect_folder(tmp_path, progress=False).unreadable_count == 0
    assert inspect_folder(tmp_path, decode=True, progress=False).unreadable_count == 1


def test_folder_without_images_is_described(tmp_path):
    assert inspect_folder(tmp_path, progress=False).table().startswith("0 images")


def test_real_folder(shared_data):
    result = inspect_folder(shared_data / "dicom_ct", progress=False)
    assert result.images.total() == 95
    assert result.unreadable_count == 0


def test_every_rejected_file_is_listed_and_the_table_says_how_many_more(folder):
    for number in range(30):
        (folder / f"empty{number}.dcm").touch()
    rejected = folder.parent / "rejected.txt"
    table = inspect_folder(folder, progress=False, rejected=rejected).table()
    lines = rejected.read_text().splitlines()
    assert sum(" is empty: " in line for line in lines) == 31
    assert "labels.csv is skipped: other file (.csv)." in lines
    assert table.count("unreadable: ") == 20
    assert "and 11 more" in table
    rejected.unlink()


def test_image_cache_in_the_folder_is_no_source(folder):
    cache = folder / "cache" / "0123"
    cache.mkdir(parents=True)
    (cache / "recipe.json").write_text("{}")
    np.save(cache / "shard-1.npy", np.zeros((5, 1, 8, 8), np.uint8))
    result = inspect_folder(folder, progress=False)
    assert result.skipped["image cache of this toolkit"] == 2
    assert result.images.total() == 4
