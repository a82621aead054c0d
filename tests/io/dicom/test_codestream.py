"""Sizes of compressed frames, against encoders that know what they wrote."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.io.dicom.codestream import codestream_shape


@pytest.mark.parametrize("form", [{"format": "JPEG"}, {"format": "JPEG", "progressive": True}])
def test_jpeg(form):
    stream = BytesIO()
    Image.fromarray(np.zeros((37, 53, 3), np.uint8)).save(stream, **form)
    assert codestream_shape(stream.getvalue()) == (37, 53)


def test_jpeg_ls():
    import jpeg_ls

    encoded = bytes(jpeg_ls.encode(np.zeros((37, 53), np.uint8)))
    assert codestream_shape(encoded) == (37, 53)


def test_jpeg_2000():
    stream = BytesIO()
    picture = Image.fromarray(np.zeros((37, 53), np.uint8))
    picture.save(stream, format="JPEG2000", no_jp2=True)
    assert codestream_shape(stream.getvalue()) == (37, 53)


@pytest.mark.parametrize("frame", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00", b"\xff\x4f\xff\x51"])
def test_cut_off_frame_has_no_size(frame):
    assert codestream_shape(frame) is None
