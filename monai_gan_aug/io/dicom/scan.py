"""The elements of a little-endian DICOM data set, found without building what is not needed.

Walking over a header in place takes a quarter of the time of parsing it, cannot recurse, and
notices every length that points beyond the end of the file.
"""

from collections.abc import Collection, Iterator
from struct import Struct
from typing import NamedTuple

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag

__all__ = ["DamagedDataset", "EndOfContent", "ScannedElement", "keep_elements", "walk_elements"]

UNDEFINED_LENGTH = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
LONG_LENGTH = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
DEEPEST = 128
EXPLICIT = Struct("<HH2sH")
IMPLICIT = Struct("<HHI")
LENGTH = Struct("<I")


class DamagedDataset(ValueError):
    """The bytes are no data set in the encoding that was named; the text is a clause saying why."""


class EndOfContent(DamagedDataset):
    """A length points beyond the bytes there are."""


class ScannedElement(NamedTuple):
    """Where one element is.

    Args:
        tag: Group and element number as one integer.
        vr: Value representation, or ``None`` in implicit encoding.
        length: Length as written; 0xFFFFFFFF if undefined.
        start: Position of the tag.
        value: Position of the value.
        end: Position after the value, without the delimiter of an undefined length.
        after: Position of the next element.
    """

    tag: int
    vr: str | None
    length: int
    start: int
    value: int
    end: int
    after: int


def walk_elements(
    content: bytes, position: int, *, implicit: bool, with_pixels: bool = True
) -> Iterator[ScannedElement]:
    """The elements of the outermost level, in the order of the file.

    Args:
        content: The bytes of the file.
        position: Where the first element begins.
        implicit: Whether value representations are left out.
        with_pixels: Whether to go on to the pixel data and what follows them.

    Raises:
        EndOfContent: If an element does not end within ``content``.
        DamagedDataset: If the bytes are not in this encoding, or nest too deep.
    """
    size = len(content)
    while position + 8 <= size:
        tag, vr, length, value = _element_header(content, position, implicit)
        if tag == PIXEL_DATA and not with_pixels:
            return
        if length == UNDEFINED_LENGTH:
            after = _end_of_sequence(content, value, implicit or vr == b"UN")
            end = after - 8
        else:
            after = end = value + length
        if after > size:
            raise EndOfContent("ends in the middle of an element")
        yield ScannedElement(
            tag, None if vr is None else vr.decode("ascii"), length, position, value, end, after
        )
        position = after


def keep_elements(
    content: bytes, position: int, *, implicit: bool, wanted: Collection[int]
) -> dict[BaseTag, DataElement | RawDataElement]:
    """The wanted elements as pydicom keeps unread ones, up to the pixel data.

    Raises:
        DamagedDataset: As :func:`walk_elements`.
    """
    kept: dict[BaseTag, DataElement | RawDataElement] = {}
    with_pixels = PIXEL_DATA in wanted
    for element in walk_elements(content, position, implicit=implicit, with_pixels=with_pixels):
        if element.tag in wanted:
            tag = BaseTag(element.tag)
            kept[tag] = RawDataElement(
                tag,
                element.vr,
                element.length,
                content[element.value : element.end],
                element.value,
                implicit,
                True,
            )
        if element.tag == PIXEL_DATA:
            break
    return kept


def _element_header(
    content: bytes, position: int, implicit: bool
) -> tuple[int, bytes | None, int, int]:
    """Tag, value representation, length and position of the value."""
    if implicit:
        group, number, length = IMPLICIT.unpack_from(content, position)
        return group << 16 | number, None, length, position + 8
    group, number, vr, length = EXPLICIT.unpack_from(content, position)
    if vr in LONG_LENGTH:
        if position + 12 > len(content):
            raise EndOfContent("ends in the middle of an element")
        return group << 16 | number, vr, LENGTH.unpack_from(content, position + 8)[0], position + 12
    if not (vr.isalpha() and vr.isupper()):
        raise DamagedDataset(
            "has an element without the value representation that its transfer syntax asks for"
        )
    return group << 16 | number, vr, length, position + 8


def _end_of_sequence(content: bytes, position: int, implicit: bool) -> int:
    """Position after the delimiter that closes a sequence (or fragments) of undefined length."""
    size = len(content)
    open_levels = [implicit]
    while open_levels:
        if position + 8 > size:
            raise EndOfContent("ends in the middle of a sequence")
        group, number, length = IMPLICIT.unpack_from(content, position)
        tag = group << 16 | number
        if tag in (ITEM_END, SEQUENCE_END):
            open_levels.pop()
            position += 8
            continue
        nested_implicit, value = open_levels[-1], position + 8
        if tag != ITEM:
            _, vr, length, value = _element_header(content, position, nested_implicit)
            nested_implicit = nested_implicit or vr == b"UN"
        if length != UNDEFINED_LENGTH:
            position = value + length
            continue
        open_levels.append(nested_implicit)
        if len(open_levels) > DEEPEST:
            raise DamagedDataset(f"has sequences nested more than {DEEPEST} deep")
        position = value
    return position
