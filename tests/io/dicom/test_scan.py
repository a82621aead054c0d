"""The element walker, against pydicom's parser."""

import struct
import warnings
from pathlib import Path

import pydicom
import pytest

from monai_gan_aug.io.dicom.scan import (
    DamagedDataset,
    EndOfContent,
    keep_elements,
    walk_elements,
)

FILES = sorted((Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))
IMPLICIT_UNDER_AN_EXPLICIT_SYNTAX = "SC_rgb_jpeg.dcm"


def little_endian_files():
    for path in FILES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, force=True)
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        encoding = (syntax.is_implicit_VR, syntax.is_little_endian) if syntax else None
        sound = dataset.original_encoding == encoding and "truncated" not in path.name
        sound = sound and path.name != IMPLICIT_UNDER_AN_EXPLICIT_SYNTAX
        if dataset.preamble and sound and syntax.is_little_endian and not syntax.is_deflated:
            yield pytest.param(path, dataset, id=path.name)


@pytest.mark.parametrize(("path", "dataset"), list(little_endian_files()))
def test_finds_what_pydicom_finds(path, dataset):
    content = path.read_bytes()
    start = 132
    for element in walk_elements(content, 132, implicit=False):
        start = element.start
        if element.tag >> 16 != 2:
            break
        start = element.after
        if content[start : start + 2] != b"\x02\x00":
            break
    implicit = dataset.original_encoding[0]
    wanted = frozenset(int(element.tag) for element in dataset)
    found = keep_elements(content, start, implicit=implicit, wanted=wanted)
    before_pixels = {tag for tag in wanted if tag <= 0x7FE00010}
    assert set(map(int, found)) == before_pixels


def element(tag, vr, value, length=None):
    size = len(value) if length is None else length
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, size) + value


ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def nested(depth):
    opening = element(0x00081140, b"SQ", b"", 0xFFFFFFFF) + ITEM
    return opening * depth + (ITEM_END + SEQUENCE_END) * depth


def test_sequences_of_undefined_length_are_skipped_whole():
    content = nested(20) + element(0x00282000, b"OB", b"ab")
    kept = keep_elements(content, 0, implicit=False, wanted={0x00282000})
    assert kept[0x00282000].value == b"ab"


def test_nesting_is_bounded():
    with pytest.raises(DamagedDataset, match="deep"):
        list(walk_elements(nested(3000), 0, implicit=False))


@pytest.mark.parametrize(
    "content",
    [
        element(0x00282000, b"OB", b"ab", length=3),
        nested(2)[:-4],
        element(0x00282000, b"OB", b"")[:9],
    ],
    ids=["value", "sequence", "header"],
)
def test_content_must_not_end_early(content):
    with pytest.raises(EndOfContent):
        list(walk_elements(content, 0, implicit=False))


def test_implicit_content_is_no_explicit_content():
    with pytest.raises(DamagedDataset, match="value representation"):
        list(walk_elements(struct.pack("<HHI", 0x28, 0x10, 2) + b"ab", 0, implicit=False))
