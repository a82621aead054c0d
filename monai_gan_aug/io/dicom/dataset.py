"""Opening a DICOM file with bounded memory, without warnings that quote patient data."""

import logging
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, FileMetaDataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.scan import DamagedDataset, EndOfContent, keep_elements, walk_elements
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["COPY_AGAIN", "open_dataset", "quiet_pydicom"]

COPY_AGAIN = "copy it again from the source"
PREAMBLE_END = 132
HEADER_BYTES = 2**18
META_GROUP = 0x0002
TRANSFER_SYNTAX = 0x00020010
CHARACTER_SET = 0x00080005
EXECUTABLE_MARKS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")

logger = logging.getLogger(__name__)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Silence pydicom's warnings and log records, which quote the values they are about."""
    pydicom_logger = logging.getLogger("pydicom")
    was_disabled, pydicom_logger.disabled = pydicom_logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        pydicom_logger.disabled = was_disabled


def open_dataset(
    path: Path,
    name: str,
    limits: ReadLimits,
    keywords: Sequence[str],
    *,
    with_pixels: bool = True,
    allow_no_preamble: bool = False,
) -> Dataset:
    """Read the named elements of a DICOM file.

    Args:
        path: A file whose content was recognised as DICOM and whose size is within the limits.
        name: The file in messages.
        limits: Bounds the inflated size of a deflated data set.
        keywords: Elements to keep; everything else is skipped.
        with_pixels: Whether to go on to the pixel data.
        allow_no_preamble: Whether the 128-byte preamble may be missing.

    Raises:
        ImageReadError: If the structure of the file is damaged, or its encoding is not the one
            that its transfer syntax names.
    """
    with (
        quiet_pydicom(),
        refuse_bad_content(name, "is a damaged DICOM file", COPY_AGAIN),
        _refuse_damaged_dataset(name),
        path.open("rb") as stream,
    ):
        content = stream.read(HEADER_BYTES)
        if with_pixels or not _is_little_endian(content):
            content += stream.read()
        _warn_of_executable(content, name)
        try:
            return _parse(content, name, limits, keywords, with_pixels, allow_no_preamble)
        except EndOfContent:
            content += stream.read()
        return _parse(content, name, limits, keywords, with_pixels, allow_no_preamble)


@contextmanager
def _refuse_damaged_dataset(name: str) -> Iterator[None]:
    try:
        yield
    except DamagedDataset as error:
        raise ImageReadError(name, str(error), COPY_AGAIN) from None


def _is_little_endian(head: bytes) -> bool:
    """Whether the file is one that can be scanned here, and need not go through pydicom."""
    return head[128:PREAMBLE_END] == b"DICM" and ExplicitVRBigEndian.encode() not in head[:1024]


def _warn_of_executable(content: bytes, name: str) -> None:
    if content.startswith(EXECUTABLE_MARKS) and content[128:PREAMBLE_END] == b"DICM":
        logger.warning(
            "%s has an executable program in its preamble; its image is read, the preamble is not.",
            name,
        )


def _parse(
    content: bytes,
    name: str,
    limits: ReadLimits,
    keywords: Sequence[str],
    with_pixels: bool,
    allow_no_preamble: bool,
) -> Dataset:
    if content[128:PREAMBLE_END] != b"DICM":
        return _parse_with_pydicom(content, name, keywords, with_pixels, allow_no_preamble)
    syntax, start = _file_meta(content, name)
    if syntax == ExplicitVRBigEndian:
        return _parse_with_pydicom(content, name, keywords, with_pixels, False)
    if syntax == DeflatedExplicitVRLittleEndian:
        content, start = _inflate(content[start:], name, limits), 0
    implicit = syntax == ImplicitVRLittleEndian
    if implicit and content[start + 4 : start + 6].isalpha():
        raise _other_encoding(syntax, name)
    elements = keep_elements(content, start, implicit=implicit, wanted=_tags(tuple(keywords)))
    dataset = Dataset()
    dataset.update(elements)
    dataset.set_original_encoding(implicit, True)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


@lru_cache(maxsize=8)
def _tags(keywords: tuple[str, ...]) -> frozenset[int]:
    tags = {tag_for_keyword(keyword) for keyword in keywords}
    return frozenset(int(tag) for tag in tags if tag is not None) | {CHARACTER_SET}


def _file_meta(content: bytes, name: str) -> tuple[UID, int]:
    """The transfer syntax, and the position where the data set begins."""
    syntax = None
    position = PREAMBLE_END
    for element in walk_elements(content, PREAMBLE_END, implicit=False):
        if element.tag >> 16 != META_GROUP:
            break
        if element.tag == TRANSFER_SYNTAX:
            value = content[element.value : element.end]
            syntax = UID(value.decode("ascii", "replace").strip(" \0"))
        position = element.after
        if content[position : position + 2] != b"\x02\x00":
            break
    if not syntax:
        raise ImageReadError(name, "names no transfer syntax", "export it again")
    return syntax, position


def _inflate(deflated: bytes, name: str, limits: ReadLimits) -> bytes:
    """The data set of a deflated file, if it inflates within the limits."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    dataset = inflater.decompress(deflated, limits.max_inflated_bytes)
    if not inflater.eof and len(dataset) >= limits.max_inflated_bytes:
        raise ImageReadError(
            name,
            f"inflates to more than {limits.max_inflated_bytes} bytes",
            "remove it, or raise `max_inflated_bytes` if it is trusted",
        )
    if not inflater.eof:
        raise EndOfContent("ends in the middle of its deflated data set")
    return dataset


def _parse_with_pydicom(
    content: bytes, name: str, keywords: Sequence[str], with_pixels: bool, force: bool
) -> Dataset:
    """Big-endian files and files without a preamble, which are rare."""
    dataset = dcmread(
        BytesIO(content),
        force=force,
        specific_tags=[tag for tag in map(tag_for_keyword, keywords) if tag is not None],
        stop_before_pixels=not with_pixels,
    )
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        implicit, little = dataset.original_encoding
        if not little:
            syntax = ExplicitVRBigEndian
        else:
            syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
    if dataset.original_encoding != (syntax.is_implicit_VR, syntax.is_little_endian):
        raise _other_encoding(syntax, name)
    return dataset


def _other_encoding(syntax: UID, name: str) -> ImageReadError:
    return ImageReadError(
        name,
        f"is not encoded as its transfer syntax ({syntax.name}) says",
        "export it again",
    )
