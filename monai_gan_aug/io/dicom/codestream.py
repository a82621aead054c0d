"""The size that a compressed frame says it has, read without decoding it."""

from struct import Struct, error

__all__ = ["codestream_shape", "is_lossless_jpeg", "jpeg_samples"]

JPEG_START = b"\xff\xd8"
JPEG_2000_START = b"\xff\x4f\xff\x51"
FRAME_HEADERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
"""Start-of-frame markers of JPEG (ITU-T T.81, B.1.1.3) and JPEG-LS (ITU-T T.87, C.1.1)."""
JPEG_LS = 0xF7
LOSSLESS_HEADERS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
SEGMENT = Struct(">BBH")
FRAME_SIZE = Struct(">BHHB")
IMAGE_AREA = Struct(">IIII")


def codestream_shape(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns of a JPEG, JPEG-LS or JPEG 2000 frame; ``None`` for any other.

    Example:
        >>> codestream_shape(b"not compressed") is None
        True
    """
    try:
        if frame.startswith(JPEG_2000_START):
            right, bottom, left, top = IMAGE_AREA.unpack_from(frame, 8)
            return bottom - top, right - left
        header = _jpeg_frame_header(frame)
    except error:
        return None
    return None if header is None else header[1:3]


def jpeg_samples(frame: bytes) -> tuple[int, int] | None:
    """Samples per pixel and bits per sample of a JPEG or JPEG-LS frame; ``None`` for any other.

    Example:
        >>> jpeg_samples(b"not compressed") is None
        True
    """
    try:
        header = _jpeg_frame_header(frame)
    except error:
        return None
    return None if header is None else (header[3], header[0])


def is_lossless_jpeg(frame: bytes) -> bool | None:
    """Whether a JPEG frame is coded without loss; ``None`` for JPEG-LS and any other.

    Example:
        >>> is_lossless_jpeg(b"not compressed") is None
        True
    """
    try:
        header = _jpeg_frame_header(frame)
    except error:
        return None
    return None if header is None or header[4] == JPEG_LS else header[4] in LOSSLESS_HEADERS


def _jpeg_frame_header(frame: bytes) -> tuple[int, int, int, int, int] | None:
    """Bits per sample, rows, columns, samples per pixel and marker."""
    if not frame.startswith(JPEG_START):
        return None
    position = len(JPEG_START)
    while True:
        mark, kind, length = SEGMENT.unpack_from(frame, position)
        if mark != 0xFF:
            return None
        if kind in FRAME_HEADERS:
            bits, rows, columns, samples = FRAME_SIZE.unpack_from(frame, position + 4)
            return bits, rows, columns, samples, kind
        position += 1 if kind == 0xFF else 2 + length
