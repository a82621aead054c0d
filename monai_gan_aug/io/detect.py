"""The kind of a file, decided by its content; extensions are never looked at."""

import re
import zlib
from enum import Enum
from pathlib import Path
from typing import Literal

__all__ = ["ImageFormat", "detect_format", "media_storage_class"]

HEAD_BYTES = 1024
DICOM_MARK = slice(128, 132)
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
NIFTI_HEADER_BYTES = 348
NIFTI_MAGIC = (b"n+1\x00", b"ni1\x00")
BITMAP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
STORAGE_CLASS = re.compile(rb"\x02\x00\x02\x00UI..([0-9.]+)", re.DOTALL)


class ImageFormat(str, Enum):
    """Kinds of file that are told apart."""

    DICOM = "DICOM"
    DICOM_WITHOUT_PREAMBLE = "DICOM without preamble"
    DICOMDIR = "DICOMDIR"
    PNG = "PNG"
    JPEG = "JPEG"
    TIFF = "TIFF"
    BMP = "BMP"
    NIFTI = "NIfTI"
    NUMPY = "NumPy"
    UNKNOWN = "unknown"
    EMPTY = "empty"


SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", ImageFormat.PNG),
    (b"\xff\xd8\xff", ImageFormat.JPEG),
    (b"II*\x00", ImageFormat.TIFF),
    (b"MM\x00*", ImageFormat.TIFF),
    (b"II+\x00", ImageFormat.TIFF),
    (b"MM\x00+", ImageFormat.TIFF),
    (b"\x93NUMPY", ImageFormat.NUMPY),
)


def detect_format(path: str | Path) -> ImageFormat:
    """Kind of the file at ``path``, from its first kilobyte.

    A DICOM file without its 128-byte preamble carries no signature; it is recognised by a first
    element of group 0002 or 0008 with a plausible length.

    Raises:
        OSError: If the file cannot be opened.
    """
    path = Path(path)
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        return ImageFormat.EMPTY
    if head[DICOM_MARK] == b"DICM":
        is_directory = media_storage_class(head) == DICOMDIR_CLASS
        return ImageFormat.DICOMDIR if is_directory else ImageFormat.DICOM
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BITMAP_HEADER_SIZES:
        return ImageFormat.BMP
    if _is_nifti(head):
        return ImageFormat.NIFTI
    if _starts_like_dicom(head, path.stat().st_size):
        return ImageFormat.DICOM_WITHOUT_PREAMBLE
    return ImageFormat.UNKNOWN


def media_storage_class(head: bytes) -> str | None:
    """Media Storage SOP Class UID (0002,0002) in the first bytes of a DICOM file, if there."""
    match = STORAGE_CLASS.search(head)
    return match.group(1).decode() if match else None


def _is_nifti(head: bytes) -> bool:
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, HEAD_BYTES)
        except zlib.error:
            return False
    size = NIFTI_HEADER_BYTES.to_bytes(4, "little"), NIFTI_HEADER_BYTES.to_bytes(4, "big")
    return head[:4] in size and head[344:348] in NIFTI_MAGIC


def _starts_like_dicom(head: bytes, size: int) -> bool:
    if len(head) < 8 or head[:2] not in FIRST_GROUPS:
        return False
    order: Literal["little", "big"] = "little" if head[1] == 0 else "big"
    if head[4:6].isalpha() and head[4:6].isupper():
        return int.from_bytes(head[6:8], order) <= size
    return int.from_bytes(head[2:4], order) <= 0x0100 and (
        int.from_bytes(head[4:8], order) <= min(size - 8, 256)
    )
