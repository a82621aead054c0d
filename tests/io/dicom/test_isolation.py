"""A decoder that dies or complains costs its frame and nothing else."""

import os
import signal
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom import isolation
from monai_gan_aug.io.dicom.isolation import DecoderDied, decode_apart
from monai_gan_aug.io.reading import read_image

OPTIONS = {
    "rows": 48,
    "columns": 64,
    "samples_per_pixel": 1,
    "photometric_interpretation": "MONOCHROME2",
    "planar_configuration": 0,
    "bits_allocated": 8,
    "bits_stored": 8,
    "pixel_representation": 0,
    "number_of_frames": 1,
    "pixel_keyword": "PixelData",
}


def jpeg(quality=90):
    smooth = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(smooth).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def decoded(frame):
    return decode_apart(frame, str(JPEGBaseline8Bit), "gdcm", OPTIONS)


def test_equals_decoding_here():
    with Image.open(BytesIO(jpeg())) as image:
        np.testing.assert_allclose(decoded(jpeg()), np.asarray(image), atol=1)


def test_next_frame_is_decoded_after_a_refusal():
    with pytest.raises(ValueError, match="refused"):
        decoded(b"no jpeg")
    assert decoded(jpeg()).shape == (48, 64)


def test_next_frame_is_decoded_after_a_death():
    decoded(jpeg())
    os.kill(isolation._HELPER._process.pid, signal.SIGKILL)
    isolation._HELPER._process.wait()
    assert decoded(jpeg()).shape == (48, 64)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="POSIX only")
def test_helper_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(isolation, "START_SECONDS", 0.2)
    monkeypatch.setattr(isolation, "PATIENCE", 0.0)
    monkeypatch.setattr(isolation, "SECONDS", 0.0)
    isolation._HELPER._started()
    os.kill(isolation._HELPER._process.pid, signal.SIGSTOP)
    with pytest.raises(DecoderDied):
        decoded(jpeg())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
def test_fork_has_a_helper_of_its_own():
    decoded(jpeg())
    ours = isolation._HELPER._process.pid
    child = os.fork()
    if child == 0:
        good = decoded(jpeg()).shape == (48, 64) and isolation._HELPER._process.pid != ours
        isolation._HELPER.stop()
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert decoded(jpeg()).shape == (48, 64)
    assert isolation._HELPER._process.pid == ours


def test_jpeg_whose_data_are_damaged_is_refused(write_dicom):
    whole = jpeg()
    scan = whole.rindex(b"\xff\xda")
    cut = whole[: scan + (len(whole) - scan) // 2] + b"\xff\xd9"
    pixels = np.zeros((48, 64), np.uint8)
    for frame, good in ((whole, True), (cut, False)):
        path = write_dicom(pixels, syntax=JPEGBaseline8Bit, PixelData=encapsulate([frame]))
        if good:
            assert read_image(path).pixels.shape == (1, 48, 64)
        else:
            with pytest.raises(ImageReadError, match="damaged pixel data"):
                read_image(path)


def test_damage_that_ends_gdcm_is_refused_here():
    """One of these, with the libjpeg of today, ends GDCM by an exception that nobody catches."""
    for seed in range(84, 92):
        draw = np.random.default_rng(seed)
        damaged = bytearray(jpeg())
        for place in draw.integers(2, len(damaged), 3):
            damaged[place] = draw.choice([0xFF, 0xC0, 0xC2, 0xD8, 0xDA, 0, 8, 12])
        with suppress(DecoderDied, ValueError):
            assert decoded(bytes(damaged)).shape == (48, 64)
    assert decoded(jpeg()).shape == (48, 64)
