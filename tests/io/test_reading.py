"""The one loader: what it accepts, what it refuses, and that it raises one error only."""

from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.reading import read_image


def test_png_named_dcm_is_read_as_png(tmp_path):
    path = tmp_path / "slice.dcm"
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(path, format="PNG")
    assert read_image(path).pixels.shape == (1, 4, 6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"some text, renamed", "is not DICOM")],
)
def test_what_is_no_image_is_refused(tmp_path, content, reason):
    path = tmp_path / "slice.dcm"
    path.write_bytes(content)
    with pytest.raises(ImageReadError, match=reason):
        read_image(path)


def test_missing_file_and_folder_are_refused(tmp_path):
    with pytest.raises(ImageReadError, match="does not exist"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(ImageReadError, match="is not a file"):
        read_image(tmp_path)


def test_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(path)
    with pytest.raises(ImageReadError, match="max_file_bytes"):
        read_image(path, limits=ReadLimits(max_file_bytes=10))


def test_message_names_the_file_relative_to_the_root(tmp_path):
    path = tmp_path / "class_a" / "1.dcm"
    path.parent.mkdir()
    path.write_bytes(b"")
    with pytest.raises(ImageReadError) as caught:
        read_image(path, root=tmp_path)
    assert str(caught.value).startswith("class_a/1.dcm is empty")
    assert str(tmp_path) not in str(caught.value)


def test_nothing_but_its_own_error_for_damaged_bytes(write_dicom, tmp_path):
    rng = np.random.default_rng(0)
    picture = tmp_path / "x.png"
    Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(picture)
    for sound in (write_dicom().read_bytes(), picture.read_bytes()):
        for _ in range(150):
            content = bytearray(sound)
            for position in rng.integers(0, len(content), 4):
                content[position] = rng.integers(0, 256)
            picture.write_bytes(content)
            with suppress(ImageReadError):
                read_image(picture)


def test_real_photographs_equal_pillow(shared_data):
    for folder in ("xray/NORMAL", "skin/benign", "malaria/Uninfected"):
        for path in sorted((shared_data / folder).iterdir())[:5]:
            with Image.open(path) as picture:
                expected = np.asarray(picture)
            got = read_image(path).pixels
            got = got[0] if expected.ndim == 2 else np.moveaxis(got, 0, -1)
            np.testing.assert_array_equal(got, expected)
