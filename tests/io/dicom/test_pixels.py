"""Layouts that are refused before memory is taken, and pixels against pydicom's."""

import struct
import sys
import tracemalloc
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLosslessSV1, RLELossless

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.reading import read_image


@pytest.mark.parametrize(
    "changes",
    [
        {"Rows": 65535, "Columns": 65535},
        {"Rows": 0},
        {"Rows": None},
        {"NumberOfFrames": "2000000000"},
        {"NumberOfFrames": "-1"},
        {"BitsAllocated": 12},
        {"BitsAllocated": 0},
        {"BitsStored": 17},
        {"HighBit": 3},
        {"SamplesPerPixel": 3},
        {"PhotometricInterpretation": "CMYK"},
        {"PhotometricInterpretation": None},
        {"Rows": 17},
    ],
    ids=str,
)
def test_impossible_layout_is_refused_before_memory_is_taken(write_dicom, changes):
    path = write_dicom(**changes)
    tracemalloc.start()
    try:
        with pytest.raises(ImageReadError, match=r"^slice\.dcm "):
            read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_photometric_error_names_what_it_found(write_dicom):
    with pytest.raises(ImageReadError, match="'CMYK'"):
        read_image(write_dicom(PhotometricInterpretation="CMYK"))


def test_pixel_limit_is_adjustable(write_dicom):
    with pytest.raises(ImageReadError, match="max_pixels"):
        read_image(write_dicom(), limits=ReadLimits(max_pixels=255))
    assert read_image(write_dicom(), limits=ReadLimits(max_pixels=256)).pixels.size == 256


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian])
@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
def test_uncompressed_values_equal_pydicom(write_dicom, kind, syntax):
    values = np.random.default_rng(0).integers(-2000, 4000, (5, 7)).astype(kind)
    path = write_dicom(values, **({"syntax": syntax} if syntax else {}))
    expected = dcmread(path).pixel_array.astype(np.float32) * 2 - 1000
    np.testing.assert_array_equal(read_image(path).pixels[0], expected)


@pytest.mark.parametrize("signed", [0, 1])
def test_bits_beyond_those_stored_are_ignored(write_dicom, signed):
    values = np.random.default_rng(0).integers(0, 2**16, (4, 4)).astype(np.uint16)
    path = write_dicom(values, BitsStored=12, HighBit=11, PixelRepresentation=signed)
    expected = values.astype(int) % 4096
    if signed:
        expected = np.where(expected >= 2048, expected - 4096, expected)
    np.testing.assert_array_equal(read_image(path).pixels[0], expected * 2 - 1000)


@pytest.mark.parametrize("package", ["python-gdcm", "pyjpegls", "pylibjpeg-openjpeg"])
def test_missing_decoder_names_the_package(monkeypatch, package):
    name = {
        "python-gdcm": "JPEG-lossy.dcm",
        "pyjpegls": "MR_small_jpeg_ls_lossless.dcm",
        "pylibjpeg-openjpeg": "MR_small_jp2klossless.dcm",
    }[package]
    path = get_testdata_file(name, download=False)
    syntax = dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    monkeypatch.setattr(get_decoder(syntax), "_available", {})
    monkeypatch.setitem(sys.modules, "gdcm", None)
    with pytest.raises(ImageReadError, match=f"pip install.*{package}"):
        read_image(path)


def test_compressed_size_must_match_the_header(write_dicom):
    stream = BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(stream, format="JPEG")
    path = write_dicom(
        np.zeros((16, 16), np.uint8),
        syntax=JPEGBaseline8Bit,
        PixelData=encapsulate([stream.getvalue()]),
    )
    with pytest.raises(ImageReadError, match="64 x 64 compressed pixels"):
        read_image(path)


@pytest.mark.parametrize("missing", [1, 9, 40, 1000])
@pytest.mark.parametrize(
    "name",
    [
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_RLE.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_rgb_jpeg_lossy_gdcm.dcm",
        "JPGExtended.dcm",
    ],
)
def test_cut_off_compressed_pixels_are_refused(tmp_path, name, missing):
    content = Path(get_testdata_file(name, download=False)).read_bytes()
    end_of_pixels = content.rindex(b"\xfe\xff\xdd\xe0") + 8
    path = tmp_path / "cut.dcm"
    path.write_bytes(content[: end_of_pixels - missing])
    with pytest.raises(ImageReadError):
        read_image(path)


def test_garbage_in_compressed_pixels_is_refused(write_dicom):
    pixels = struct.pack("<16I", *range(16))
    path = write_dicom(syntax=RLELossless, PixelData=encapsulate([pixels]))
    with pytest.raises(ImageReadError, match="damaged pixel data"):
        read_image(path)


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_dcmtk_+eb+cr.dcm",
        "SC_rgb_dcmtk_+eb+cy+s4.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_rgb_rle.dcm",
        "SC_rgb_small_odd.dcm",
        "SC_rgb_small_odd_big_endian.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "GDCMJ2K_TextGBR.dcm",
        "examples_rgb_color.dcm",
        "ExplVR_BigEnd.dcm",
    ],
)
def test_colour_equals_pydicom_in_rgb(name):
    path = get_testdata_file(name, download=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = dcmread(path).pixel_array
    image = read_image(path)
    assert image.units == "display8"
    np.testing.assert_array_equal(np.moveaxis(image.pixels, 0, -1), expected)


@pytest.mark.parametrize("rows", [15, 8, 1])
def test_fewer_rows_than_there_are_pixels_are_refused(write_dicom, rows):
    with pytest.raises(ImageReadError, match="more pixels"):
        read_image(write_dicom(Rows=rows))


def test_a_few_bytes_behind_the_pixels_are_let_pass(write_dicom):
    pixels = np.arange(256, dtype=np.int16).reshape(16, 16)
    path = write_dicom(pixels, PixelData=pixels.tobytes() + bytes(8))
    np.testing.assert_array_equal(read_image(path).pixels[0], pixels * 2.0 - 1000)


def jpeg_frame():
    stream = BytesIO()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(stream, format="JPEG")
    return stream.getvalue()


def test_lossy_jpeg_under_a_lossless_syntax_is_refused(write_dicom):
    pixels = {"syntax": JPEGLosslessSV1, "PixelData": encapsulate([jpeg_frame()])}
    with pytest.raises(ImageReadError, match="another kind of JPEG"):
        read_image(write_dicom(np.zeros((16, 16), np.uint8), **pixels))


@pytest.mark.parametrize("has_bot", [False, True])
def test_more_compressed_frames_than_said_are_refused(write_dicom, has_bot):
    frames = encapsulate([jpeg_frame()] * 2, has_bot=has_bot)
    pixels = {"syntax": JPEGBaseline8Bit, "PixelData": frames}
    with pytest.raises(ImageReadError, match="more compressed frames"):
        read_image(write_dicom(np.zeros((16, 16), np.uint8), **pixels))


def test_rescale_beyond_floating_point_is_refused(write_dicom):
    with pytest.raises(ImageReadError, match="too large"):
        read_image(write_dicom(RescaleSlope="1e37"))
