"""PNG files: exact, bare, refused when they could not be exact."""

import numpy as np
import pytest

from monai_gan_aug.io.png import encode_png, write_png
from monai_gan_aug.io.reading import read_image


@pytest.mark.parametrize(
    ("channels", "kind"), [(1, np.uint8), (3, np.uint8), (1, np.uint16)], ids=str
)
def test_reads_back_exactly(tmp_path, channels, kind):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (channels, 7, 5), kind, True)
    write_png(tmp_path / "new" / "x.png", pixels)
    got = read_image(tmp_path / "new" / "x.png").pixels
    assert got.dtype == kind
    np.testing.assert_array_equal(got, pixels)


def test_holds_no_metadata():
    content = encode_png(np.zeros((1, 4, 4), np.uint8))
    kinds, position = [], 8
    while position < len(content):
        kinds.append(content[position + 4 : position + 8])
        position += 12 + int.from_bytes(content[position : position + 4], "big")
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


def test_same_pixels_same_bytes():
    pixels = np.arange(16, dtype=np.uint16).reshape(1, 4, 4)
    assert encode_png(pixels) == encode_png(pixels.copy())


@pytest.mark.parametrize(
    ("pixels", "error"),
    [
        (np.zeros((1, 4, 4), np.float32), TypeError),
        (np.zeros((4, 4), np.uint8), ValueError),
        (np.zeros((2, 4, 4), np.uint8), ValueError),
        (np.zeros((3, 4, 4), np.uint16), ValueError),
        (np.zeros((1, 0, 4), np.uint8), ValueError),
    ],
    ids=["type", "rank", "channels", "colour in 16 bits", "empty"],
)
def test_refuses_what_cannot_be_exact(pixels, error):
    with pytest.raises(error, match="pixels"):
        encode_png(pixels)
