"""Opening DICOM files: faults of structure."""

import logging
import struct
import zlib

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.dataset import open_dataset
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.reading import read_image


def with_meta(content, syntax):
    """The data set of ``content`` behind file meta information that only names ``syntax``."""
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(value)) + value
    return content[:132] + meta + content[content.index(b"\x08\x00\x16\x00") :]


@pytest.mark.parametrize("keep", [133, 140, 200, 300, 700])
def test_truncated_file_is_refused(write_dicom, keep):
    path = write_dicom()
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ImageReadError, match=r"^slice\.dcm "):
        read_image(path)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ExplicitVRBigEndian),
        (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian),
    ],
)
def test_wrong_encoding_is_refused(write_dicom, written, named):
    path = write_dicom(syntax=written)
    path.write_bytes(with_meta(path.read_bytes(), named))
    with pytest.raises(ImageReadError):
        read_image(path)


def test_uncompressed_pixels_under_a_compressed_syntax_are_refused(write_dicom):
    path = write_dicom()
    path.write_bytes(with_meta(path.read_bytes(), JPEGBaseline8Bit))
    with pytest.raises(ImageReadError, match="does not hold pixels in its transfer syntax"):
        read_image(path)


@pytest.mark.parametrize("allow_no_preamble", [False, True])
def test_deep_nesting_is_refused(write_dicom, allow_no_preamble):
    path = write_dicom()
    item, close = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0"
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + item
    closing = close + b"\xfe\xff\xdd\xe0\0\0\0\0"
    content = path.read_bytes()
    split = content.index(b"\x28\x00\x02\x00")
    nested = content[:split] + opening * 3000 + closing * 3000 + content[split:]
    path.write_bytes(nested[132:] if allow_no_preamble else nested)
    with pytest.raises(ImageReadError):
        read_image(path, allow_no_preamble=allow_no_preamble)


def test_missing_transfer_syntax_is_refused(write_dicom):
    path = write_dicom()
    content = path.read_bytes()
    path.write_bytes(content[:132] + content[content.index(b"\x08\x00\x16\x00") :])
    with pytest.raises(ImageReadError, match="names no transfer syntax"):
        read_image(path)


def deflated(write_dicom, size):
    path = write_dicom()
    content = with_meta(path.read_bytes(), DeflatedExplicitVRLittleEndian)
    start = content.index(b"\x08\x00\x16\x00")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(content[start:] + bytes(size)) + packer.flush()
    path.write_bytes(content[:start] + packed)
    return path


def test_deflated_file_is_read(write_dicom):
    plain = read_image(write_dicom(name="plain.dcm")).pixels
    assert (read_image(deflated(write_dicom, 0)).pixels == plain).all()


def test_deflate_bomb_is_refused_before_it_inflates(write_dicom):
    path = deflated(write_dicom, 2**27)
    assert path.stat().st_size < 2**19
    with pytest.raises(ImageReadError, match="inflates to more than"):
        read_image(path)


def test_cut_deflated_file_is_refused(write_dicom):
    path = deflated(write_dicom, 0)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ImageReadError, match="ends"):
        read_image(path)


def test_executable_preamble_is_read_with_a_warning(write_dicom, caplog):
    path = write_dicom()
    plain = read_image(path).pixels
    path.write_bytes(b"MZ" + bytes(126) + path.read_bytes()[128:])
    with caplog.at_level(logging.WARNING):
        pixels = read_image(path).pixels
    assert (pixels == plain).all()
    assert "executable" in caplog.text


def test_preamble_may_be_missing_only_with_permission(write_dicom):
    path = write_dicom()
    plain = read_image(path).pixels
    path.write_bytes(path.read_bytes()[132:])
    with pytest.raises(ImageReadError, match="allow_no_preamble"):
        read_image(path)
    assert (read_image(path, allow_no_preamble=True).pixels == plain).all()


def test_header_beyond_the_first_block_is_read_whole(write_dicom):
    path = write_dicom(ImageComments="x" * 1024, RedPaletteColorLookupTableData=bytes(2**19))
    kept = open_dataset(path, "x", ReadLimits(), ["Rows", "PixelSpacing"], with_pixels=False)
    assert kept.Rows == 16


def test_values_of_a_damaged_file_stay_out_of_logs_and_errors(write_dicom, caplog, recwarn):
    path = write_dicom(SOPInstanceUID="1.2.3")
    path.write_bytes(path.read_bytes().replace(b"1.2.3\0", b"CANARY"))
    with caplog.at_level(logging.DEBUG):
        read_image(path)
    assert "CANARY" not in caplog.text
    assert not [w for w in recwarn if "CANARY" in str(w.message)]
