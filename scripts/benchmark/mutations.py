"""Seeded, structure-aware damage to DICOM, PNG and JPEG files, for ``fuzz_reading.py``.

A mutation knows the structure it breaks: the value, length or representation of a chosen DICOM
element, a PNG chunk whose checksum is mended afterwards, a JPEG segment. A *harmless* mutation
changes bytes that do not mean pixels (patient names, comments, the preamble), so that the pixels
must come out unchanged.
"""

import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.uid import AllTransferSyntaxes

__all__ = ["Mutant", "mutate"]

NUMBERS = (0, 1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 31, 32, 64, 255, 4096, 32767, 32768, 65534, 65535)
TEXTS = (b"", b"0", b"-1", b"NaN", b"inf", b"1e999", b"9" * 16, b"\\", b"1\\", b"\xff\xfe", b"\0")
WORDS = (b"MONOCHROME1", b"PALETTE COLOR", b"RGB", b"YBR_FULL", b"YBR_FULL_422", b"ARGB", b"HU")
LENGTHS = (0, 1, 2, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
REPRESENTATIONS = (b"UN", b"SQ", b"OB", b"OW", b"US", b"SS", b"DS", b"UI", b"\0\0", b"zz")
LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
NAMING_TAGS = (0x00100010, 0x00100020, 0x00080090, 0x00080080, 0x00081010, 0x00104000, 0x00081030)
SHAPING_GROUPS = (0x0002, 0x0028, 0x7FE0)
PNG_SIGNATURE = 8


class Mutant(NamedTuple):
    """A damaged file.

    Args:
        content: Its bytes.
        kind: Name of the mutation.
        harmless: Whether the pixels must be those of the original.
    """

    content: bytes
    kind: str
    harmless: bool = False


class Element(NamedTuple):
    """Where one element of an uncompressed header lies."""

    tag: int
    vr: bytes
    start: int
    value: int
    length: int
    explicit: bool
    little: bool


def mutate(content: bytes, draw: np.random.Generator) -> Mutant:
    """Damage the bytes of one image file in a way that ``draw`` chooses."""
    if content[128:132] == b"DICM":
        kinds = DICOM_MUTATIONS
    elif content.startswith(b"\x89PNG"):
        kinds = PNG_MUTATIONS
    else:
        kinds = JPEG_MUTATIONS
    kind = kinds[draw.integers(len(kinds))]
    mutant = kind(content, draw)
    if mutant is not None and not mutant.harmless and draw.random() < 0.2:
        again = kinds[draw.integers(len(kinds))](mutant.content, draw)
        if again is not None:
            return Mutant(again.content, f"{mutant.kind}+{again.kind}")
    return mutant or _flip_bits(content, draw)


def _elements(content: bytes) -> list[Element]:
    """Top-level elements with their places in the file, found by pydicom."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(BytesIO(content), force=True)
            groups = [dataset.file_meta, dataset]
            if _is_deflated(dataset):
                groups = [dataset.file_meta]
            return [e for group in groups for e in _located(group, content)]
    except Exception:
        return []


def _is_deflated(dataset: Dataset) -> bool:
    return str(dataset.file_meta.get("TransferSyntaxUID", "")).endswith("1.2.1.99")


def _located(dataset: Dataset, content: bytes) -> list[Element]:
    found = []
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        if not isinstance(raw, RawDataElement) or not raw.value_tell:
            continue
        explicit, little = not raw.is_implicit_VR, raw.is_little_endian
        vr = (raw.VR or "UN").encode()
        head = 12 if explicit and vr in LONG else 8
        length = min(raw.length, len(content) - raw.value_tell)
        start = raw.value_tell - head
        found.append(Element(int(tag), vr, start, raw.value_tell, length, explicit, little))
    return found


def _choose(content: bytes, draw: np.random.Generator) -> Element | None:
    """An element, most often one that says how the pixels lie."""
    elements = _elements(content)
    shaping = [e for e in elements if e.tag >> 16 in SHAPING_GROUPS]
    pool = shaping if shaping and draw.random() < 0.8 else elements
    return pool[draw.integers(len(pool))] if pool else None


def _packed(element: Element, value: int, width: int) -> bytes:
    return (value & (256**width - 1)).to_bytes(width, "little" if element.little else "big")


def _replace(content: bytes, element: Element, value: bytes) -> bytes:
    """``content`` with another value, whose length field is mended."""
    value += b" " * (len(value) % 2)
    wide = not element.explicit or element.vr in LONG
    width, place = (4, element.value - 4) if wide else (2, element.value - 2)
    head = content[:place] + _packed(element, len(value), width)
    return head + value + content[element.value + element.length :]


def _header_number(content: bytes, draw: np.random.Generator) -> Mutant | None:
    numeric = [e for e in _elements(content) if e.vr in (b"US", b"SS", b"UL") or e.tag >> 16 == 40]
    numeric = [e for e in numeric if e.length in (2, 4, 6)]
    if not numeric:
        return None
    element = numeric[draw.integers(len(numeric))]
    old = int.from_bytes(content[element.value : element.value + 2], "little")
    value = int(draw.choice([*NUMBERS, old + 1, old - 1, old * 2, old // 2]))
    packed = _packed(element, value, 2)
    return Mutant(content[: element.value] + packed + content[element.value + 2 :], "number")


def _header_text(content: bytes, draw: np.random.Generator) -> Mutant | None:
    element = _choose(content, draw)
    if element is None or element.vr in LONG:
        return None
    if element.vr == b"UI":
        value = str(draw.choice(AllTransferSyntaxes)).encode()
        value += b"\0" * (len(value) % 2)
    else:
        options = [*TEXTS, *WORDS, b"2147483647", b"4294967295", draw.bytes(6)]
        value = options[draw.integers(len(options))]
    return Mutant(_replace(content, element, value), "text")


def _wrong_length(content: bytes, draw: np.random.Generator) -> Mutant | None:
    element = _choose(content, draw)
    if element is None:
        return None
    wide = not element.explicit or element.vr in LONG
    width = 4 if wide else 2
    value = int(
        draw.choice([*LENGTHS, element.length + 1, element.length + 2, element.length // 2])
    )
    place = element.value - width
    packed = _packed(element, value, width)
    return Mutant(content[:place] + packed + content[element.value :], "length")


def _representation(content: bytes, draw: np.random.Generator) -> Mutant | None:
    element = _choose(content, draw)
    if element is None or not element.explicit:
        return None
    vr = REPRESENTATIONS[draw.integers(len(REPRESENTATIONS))]
    place = element.start + 4
    return Mutant(content[:place] + vr + content[place + 2 :], "representation")


def _drop_or_repeat(content: bytes, draw: np.random.Generator) -> Mutant | None:
    element = _choose(content, draw)
    if element is None:
        return None
    end = element.value + element.length
    whole = content[element.start : end]
    if draw.random() < 0.6:
        return Mutant(content[: element.start] + content[end:], "dropped")
    return Mutant(content[:end] + whole * int(draw.integers(1, 4)) + content[end:], "repeated")


def _rename_patient(content: bytes, draw: np.random.Generator) -> Mutant | None:
    naming = [e for e in _elements(content) if e.tag in NAMING_TAGS and e.length > 0]
    if not naming:
        return None
    element = naming[draw.integers(len(naming))]
    letters = bytes(draw.integers(65, 91, element.length, dtype=np.uint8))
    if draw.random() < 0.5 and element.little:
        letters = bytes(draw.integers(65, 91, 2 * int(draw.integers(1, 30)), dtype=np.uint8))
    return Mutant(_replace(content, element, letters), "other patient", harmless=True)


def _preamble(content: bytes, draw: np.random.Generator) -> Mutant:
    head = b"MZ" + draw.bytes(126) if draw.random() < 0.5 else draw.bytes(128)
    return Mutant(head + content[128:], "preamble", harmless=True)


def _pixel_bytes(content: bytes, draw: np.random.Generator) -> Mutant | None:
    places = [e for e in _elements(content) if e.tag == 0x7FE00010]
    start = places[0].value if places else len(content) // 2
    place = int(draw.integers(start, max(start + 1, len(content))))
    size = int(draw.integers(1, 400))
    filling = (b"\0" * size, b"\xff" * size, draw.bytes(size), b"")[draw.integers(4)]
    keep_rest = draw.random() < 0.5
    rest = content[place + size :] if keep_rest else content[place:]
    return Mutant(content[:place] + filling + rest, "pixel bytes")


def _flip_bits(content: bytes, draw: np.random.Generator) -> Mutant:
    damaged = bytearray(content)
    reach = len(damaged) if draw.random() < 0.5 else min(len(damaged), 2000)
    for place in draw.integers(0, reach, int(draw.integers(1, 17))):
        damaged[place] ^= 1 << int(draw.integers(8))
    return Mutant(bytes(damaged), "bits")


def _cut(content: bytes, draw: np.random.Generator) -> Mutant:
    return Mutant(content[: int(draw.integers(0, len(content)))], "cut")


def _append(content: bytes, draw: np.random.Generator) -> Mutant:
    return Mutant(content + draw.bytes(int(draw.integers(1, 4000))), "appended")


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, place = [], PNG_SIGNATURE
    while place + 12 <= len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += 12 + size
    return chunks


def _assembled(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        check = zlib.crc32(kind + body)
        parts.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check))
    return b"".join(parts)


def _png_header(content: bytes, draw: np.random.Generator) -> Mutant | None:
    chunks = _chunks(content)
    if not chunks or len(chunks[0][1]) != 13:
        return None
    body = bytearray(chunks[0][1])
    if draw.random() < 0.5:
        place = int(draw.integers(2)) * 4
        body[place : place + 4] = int(draw.choice([0, 1, 7, 63, 65, 30000, 2**31 - 1])).to_bytes(
            4, "big"
        )
    else:
        body[int(draw.integers(8, 13))] = int(draw.choice([0, 1, 2, 3, 4, 6, 8, 16, 255]))
    return Mutant(_assembled([(chunks[0][0], bytes(body)), *chunks[1:]]), "png header")


def _png_body(content: bytes, draw: np.random.Generator) -> Mutant | None:
    """Damage inside a chunk, under a checksum that fits."""
    chunks = _chunks(content)
    if not chunks:
        return None
    number = int(draw.integers(len(chunks)))
    kind, body = chunks[number]
    damaged = _flip_bits(body, draw).content if body else draw.bytes(5)
    chunks[number] = (kind, damaged)
    return Mutant(_assembled(chunks), "png body")


def _png_order(content: bytes, draw: np.random.Generator) -> Mutant | None:
    chunks = _chunks(content)
    if not chunks:
        return None
    number = int(draw.integers(len(chunks)))
    moved = chunks.pop(number)
    for _ in range(int(draw.integers(0, 3))):
        chunks.insert(int(draw.integers(len(chunks) + 1)), moved)
    return Mutant(_assembled(chunks), "png order")


def _png_comment(content: bytes, draw: np.random.Generator) -> Mutant | None:
    chunks = _chunks(content)
    if not chunks or chunks[0][0] != b"IHDR":
        return None
    letters = bytes(draw.integers(65, 91, int(draw.integers(1, 300)), dtype=np.uint8))
    chunks.insert(1, (b"tEXt", b"Comment\0" + letters))
    return Mutant(_assembled(chunks), "png comment", harmless=True)


def _jpeg_comment(content: bytes, draw: np.random.Generator) -> Mutant:
    letters = bytes(draw.integers(65, 91, int(draw.integers(1, 300)), dtype=np.uint8))
    segment = b"\xff\xfe" + struct.pack(">H", len(letters) + 2) + letters
    return Mutant(content[:2] + segment + content[2:], "jpeg comment", harmless=True)


def _jpeg_segment(content: bytes, draw: np.random.Generator) -> Mutant | None:
    """Change a byte of one of the segments before the scan, or its length or kind."""
    places, place = [], 2
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != 0xDA:
        places.append(place)
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    if not places:
        return None
    damaged = bytearray(content)
    start = places[draw.integers(len(places))]
    damaged[min(len(damaged) - 1, start + int(draw.integers(1, 24)))] = int(draw.integers(256))
    return Mutant(bytes(damaged), "jpeg segment")


Mutation = Callable[[bytes, np.random.Generator], Mutant | None]
DICOM_MUTATIONS: tuple[Mutation, ...] = (
    *(_header_number, _header_number, _header_text, _wrong_length, _representation),
    *(_drop_or_repeat, _rename_patient, _preamble, _pixel_bytes, _flip_bits, _cut, _append),
)
PNG_MUTATIONS: tuple[Mutation, ...] = (
    *(_png_header, _png_body, _png_order, _png_comment, _flip_bits, _cut, _append),
)
JPEG_MUTATIONS: tuple[Mutation, ...] = (
    *(_jpeg_comment, _jpeg_segment, _pixel_bytes, _flip_bits, _cut, _append),
)
