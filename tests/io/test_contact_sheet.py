"""Contact sheets: size, order and what they show."""

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.contact_sheet import contact_sheet


def test_tiles_are_in_order_and_complete(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for index in range(5):
        Image.fromarray(np.full((8, 8), 50 * index, np.uint8)).save(source / f"{index}.png")
    shown = contact_sheet(source, tmp_path / "sheet.png", columns=3, rows=2, tile=16)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert shown == 5
    assert sheet.shape == (2 * 18 - 2, 3 * 18 - 2, 3)
    centres = [sheet[8 + 18 * (i // 3), 8 + 18 * (i % 3), 0] for i in range(5)]
    assert centres == [0, 50, 100, 150, 200]


def test_large_folders_are_sampled_evenly(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for index in range(10):
        Image.fromarray(np.full((4, 4), 25 * index, np.uint8)).save(source / f"{index}.png")
    assert contact_sheet(source, tmp_path / "sheet.png", columns=4, rows=1, tile=4) == 4
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert [sheet[0, 6 * i, 0] for i in range(4)] == [0, 75, 150, 225]


def test_ct_is_shown_in_its_window(write_dicom, tmp_path):
    values = np.repeat(np.array([[-1000, 40, 1000]], np.int16), 3, axis=0)
    write_dicom(
        values, RescaleSlope="1", RescaleIntercept="0", WindowCenter="40", WindowWidth="400"
    )
    contact_sheet(tmp_path, tmp_path / "sheet.png", tile=3)
    assert np.asarray(Image.open(tmp_path / "sheet.png"))[0, :, 0].tolist() == [0, 127, 255]


def test_unreadable_images_are_left_out(tmp_path):
    (tmp_path / "false.png").write_bytes(b"text")
    with pytest.raises(DataError, match="inspect"):
        contact_sheet(tmp_path, tmp_path / "sheet.png")


def test_frames_of_one_file_are_shown_evenly(tmp_path):
    levels = np.arange(0, 250, 25, dtype=np.uint8)
    frames = np.broadcast_to(levels[:, None, None], (10, 8, 8))
    (tmp_path / "set").mkdir()
    np.save(tmp_path / "set" / "x.npy", frames)
    assert contact_sheet(tmp_path / "set", tmp_path / "s.png", columns=4, rows=1, tile=8) == 4
    shown = np.asarray(Image.open(tmp_path / "s.png"))
    assert shown[4, 4::10, 0].tolist() == [0, 75, 150, 225]


def test_many_files_show_their_middle_frame(tmp_path):
    (tmp_path / "set").mkdir()
    for number in range(6):
        frames = np.zeros((3, 8, 8), np.uint8)
        frames = np.stack([np.zeros((8, 8)), np.full((8, 8), 200), np.zeros((8, 8))])
        np.save(tmp_path / "set" / f"{number}.npy", np.repeat(frames, 2, 0)[:5].astype(np.uint8))
    assert contact_sheet(tmp_path / "set", tmp_path / "s.png", columns=3, rows=1, tile=8) == 3
    assert (np.asarray(Image.open(tmp_path / "s.png"))[4, 4::10, 0] == 200).all()
