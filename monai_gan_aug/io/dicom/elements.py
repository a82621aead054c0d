"""Values of DICOM elements straight from their bytes: quick, and nothing is quoted in a warning.

pydicom converts, validates and warns about each element it is asked for, which takes as long as
decoding an uncompressed slice. The few elements read here need a fraction of that.

Enhanced CT, MR and the like keep rescale, window, spacing and position of each frame in nested
sequences, the functional groups. :func:`frame_view` puts those of one frame at the top level, so
that everything else reads files of one frame and of several alike.
"""

from functools import lru_cache
from typing import Any

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from monai_gan_aug.errors import ImageReadError

__all__ = ["GROUP_TAGS", "frame_view", "integer", "numbers", "text", "texts"]

INTEGER_BYTES = {"US": 2, "UL": 4}
TEXTUAL_INTEGERS = frozenset({"NumberOfFrames"})
SHARED = "SharedFunctionalGroupsSequence"
PER_FRAME = "PerFrameFunctionalGroupsSequence"
GROUP_TAGS = (SHARED, PER_FRAME)
MACROS = (
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "PixelMeasuresSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
)


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """The values of an element as text, without padding; empty if it is absent or empty."""
    value = _element(dataset, keyword)
    if isinstance(value, RawDataElement):
        decoded = (value.value or b"").decode("latin-1").strip(" \0")
        return [part.strip(" \0") for part in decoded.split("\\")] if decoded else []
    if value is None or value == "":
        return []
    return [str(item) for item in value] if isinstance(value, MultiValue) else [str(value)]


def text(dataset: Dataset, keyword: str) -> str | None:
    """The first value of an element as text, or ``None``."""
    return next((value for value in texts(dataset, keyword) if value), None)


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """The values of a decimal string.

    Raises:
        ValueError: If one is not a number.
    """
    return [float(value) for value in texts(dataset, keyword) if value]


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value of a binary (16 or 32 bits) or textual integer, or ``None``.

    Raises:
        ValueError: If it is not an integer.
    """
    value = _element(dataset, keyword)
    if not isinstance(value, RawDataElement) or keyword in TEXTUAL_INTEGERS:
        number = text(dataset, keyword)
        return int(number) if number is not None else None
    if not value.value:
        return None
    width = INTEGER_BYTES.get(value.VR or "US", 2)
    if len(value.value) < width:
        raise ValueError(f"`{keyword}` has {len(value.value)} bytes, fewer than {width}.")
    return int.from_bytes(value.value[:width], "little" if value.is_little_endian else "big")


@lru_cache(maxsize=256)
def _tag(keyword: str) -> BaseTag | None:
    """The tag as pydicom keeps it, which it would make anew of a number each time."""
    number = tag_for_keyword(keyword)
    return None if number is None else Tag(number)


def _element(dataset: Dataset, keyword: str) -> Any:
    """The element as it was read, or its value if pydicom has converted it."""
    tag = _tag(keyword)
    if tag is None or tag not in dataset:
        return None
    element: Any = dataset.get_item(tag)
    return element if isinstance(element, RawDataElement) else element.value


def frame_view(dataset: Dataset, frame: int, name: str) -> Dataset:
    """``dataset`` with the functional groups of ``frame``, counted from 0, at its top level.

    Args:
        dataset: A data set that was read; it is not changed.
        frame: Which frame is meant.
        name: The file in messages.

    Raises:
        ImageReadError: If the file describes some frames, but not this one.
    """
    shared, per_frame = (_items(dataset, keyword) for keyword in GROUP_TAGS)
    if not shared and not per_frame:
        return dataset
    if per_frame and frame >= len(per_frame):
        raise ImageReadError(
            name, f"describes only {len(per_frame)} of its frames", "export it again"
        )
    view = Dataset()
    view.update(dataset)
    view.set_original_encoding(*dataset.original_encoding)
    view.file_meta = dataset.file_meta
    for group in (*shared[:1], *per_frame[frame : frame + 1]):
        for macro in MACROS:
            for item in _items(group, macro)[:1]:
                view.update(item)
    return view


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    return list(dataset[keyword].value or []) if keyword in dataset else []
