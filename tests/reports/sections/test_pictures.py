import base64
import io

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.study_parts import Grid
from monai_gan_aug.reports.sections.pictures import MAX_SIDE, read_grid, read_picture


def picture(path, mode="L", size=(12, 8)):
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    image.save(path)
    return image


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_keeps_the_pixels(tmp_path, mode):
    original = picture(tmp_path / "a.png", mode)
    uri = read_picture(tmp_path, "a.png").data_uri
    decoded = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert decoded.size == original.size
    assert np.array_equal(decoded.convert("RGB"), original.convert("RGB"))


def test_drops_metadata(tmp_path):
    info = PngInfo()
    info.add_text("Source", "Jane Doe")
    Image.new("L", (4, 4)).save(tmp_path / "a.png", pnginfo=info)
    assert b"Jane" in (tmp_path / "a.png").read_bytes()
    assert b"Jane" not in read_picture(tmp_path, "a.png").content


def test_missing_picture_names_the_next_step(tmp_path):
    with pytest.raises(DataError, match=r"^figures/a.png is missing: copy the whole study"):
        read_picture(tmp_path, "figures/a.png")


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png"])
def test_refuses_names_that_leave_the_folder(tmp_path, name):
    picture(tmp_path / "a.png")
    (tmp_path / "study").mkdir()
    with pytest.raises(DataError, match="leaves the study's folder"):
        read_picture(tmp_path / "study", name)


def test_refuses_a_link_that_leaves_the_folder(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "b.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(DataError, match="leaves the study's folder"):
        read_picture(tmp_path / "study", "b.png")


@pytest.mark.parametrize("cut", [0, 10, 60])
def test_refuses_a_damaged_picture(tmp_path, cut):
    picture(tmp_path / "whole.png", size=(64, 64))
    (tmp_path / "a.png").write_bytes((tmp_path / "whole.png").read_bytes()[:cut])
    with pytest.raises(DataError, match=r"a.png is not a readable PNG"):
        read_picture(tmp_path, "a.png")


def test_refuses_another_format_under_a_png_name(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png", format="GIF")
    with pytest.raises(DataError, match="is not a readable PNG"):
        read_picture(tmp_path, "a.png")


def test_refuses_a_picture_too_large_to_embed(tmp_path):
    Image.new("1", (MAX_SIDE + 1, 1)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="draw fewer images"):
        read_picture(tmp_path, "a.png")


def test_real_images_are_not_even_read_when_left_out(tmp_path):
    picture(tmp_path / "s.png")
    grid = Grid(0, "NORMAL", "s.png", "absent.png")
    assert read_grid(tmp_path, grid, include_real=False).real is None
