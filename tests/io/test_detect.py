"""Kinds of files, told apart by content alone."""

import gzip

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.io.detect import ImageFormat, detect_format


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP"])
def test_extension_is_not_looked_at(tmp_path, form):
    path = tmp_path / "picture.dcm"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path, format=form)
    assert detect_format(path) is ImageFormat[form]


def test_dicom_has_its_mark_after_the_preamble(write_dicom, tmp_path):
    path = write_dicom().rename(tmp_path / "slice.png")
    assert detect_format(path) is ImageFormat.DICOM


def test_dicom_without_preamble_is_recognised(write_dicom, tmp_path):
    path = tmp_path / "bare"
    path.write_bytes(write_dicom().read_bytes()[132:])
    assert detect_format(path) is ImageFormat.DICOM_WITHOUT_PREAMBLE


def test_dicomdir_is_told_from_images():
    from pydicom.data import get_testdata_file

    path = get_testdata_file("DICOMDIR", download=False)
    assert detect_format(path) is ImageFormat.DICOMDIR


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_nifti_plain_and_compressed(tmp_path, pack):
    import nibabel

    image = nibabel.Nifti1Image(np.zeros((4, 4, 1), np.int16), np.eye(4))
    path = tmp_path / "x"
    path.write_bytes(pack(image.to_bytes()))
    assert detect_format(path) is ImageFormat.NIFTI


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ImageFormat.EMPTY),
        (b"patient,label\n", ImageFormat.UNKNOWN),
        (b"BM is how a letter may begin, and it is no bitmap", ImageFormat.UNKNOWN),
        (b"\x1f\x8bgarbage", ImageFormat.UNKNOWN),
        (bytes(200), ImageFormat.UNKNOWN),
    ],
)
def test_everything_else(tmp_path, content, kind):
    path = tmp_path / "slice.dcm"
    path.write_bytes(content)
    assert detect_format(path) is kind
