"""How a DICOM file wants its grey values shown: windows, lookup tables, inversion, padding."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from monai_gan_aug.io.dicom.elements import integer, numbers, text
from monai_gan_aug.io.dicom.pixels import PixelLayout
from monai_gan_aug.io.image import DisplayCurve

__all__ = ["DISPLAY_TAGS", "display_curve", "display_window", "is_inverted", "padding_mask"]

DISPLAY_TAGS = (
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "PresentationLUTShape",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
)
SIGMOID_WIDTHS = 3
SIGMOID_LEVELS = 2049
"""A sigmoid is tabulated to three widths on either side, where it is within 1e-5 of its limits."""


def display_window(dataset: Dataset) -> tuple[float, float] | None:
    """Centre and width of the first window of the file as a LINEAR function, if it can be used."""
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if not centers or not widths or not math.isfinite(centers[0]):
        return None
    center, width = centers[0], widths[0]
    if text(dataset, "VOILUTFunction") == "LINEAR_EXACT":
        center, width = center + 0.5, width + 1
    return (center, width) if 1 < width < math.inf else None


def display_curve(dataset: Dataset, layout: PixelLayout) -> DisplayCurve | None:
    """The first VOI lookup table, or the sigmoid, that the file asks for instead of a window.

    References:
        DICOM PS3.3, C.11.2.1.1 (VOI LUT) and C.11.2.1.3.1 (SIGMOID).
    """
    if "VOILUTSequence" in dataset:
        items = list(dataset["VOILUTSequence"].value or [])
        if items:
            below_zero = layout.signed or min(numbers(dataset, "RescaleIntercept"), default=0) < 0
            return _lookup_table(items[0], below_zero)
    window = display_window(dataset)
    if window is None or text(dataset, "VOILUTFunction") != "SIGMOID":
        return None
    center, width = window
    reach = SIGMOID_WIDTHS * width
    values = np.linspace(-reach, reach, SIGMOID_LEVELS)
    levels = 1 / (1 + np.exp(-4 * values / width))
    return DisplayCurve(center - reach, 2 * reach / (SIGMOID_LEVELS - 1), levels.astype(np.float32))


def _lookup_table(item: Dataset, below_zero: bool) -> DisplayCurve:
    entries, first, bits = _integers(item["LUTDescriptor"].value)
    entries = entries or 2**16
    if below_zero and first >= 2**15:
        first -= 2**16
    data = item["LUTData"].value
    if isinstance(data, bytes) and len(data) < 2 * entries:
        levels = np.frombuffer(data, np.uint8)
    else:
        levels = np.array(_integers(data))
    if len(levels) < entries or not 1 <= bits <= 16:
        raise ValueError("The lookup table is shorter than its descriptor says.")
    share = levels[:entries].astype(np.float32) / np.float32(2**bits - 1)
    return DisplayCurve(float(first), 1.0, share.clip(0, 1))


def _integers(value: Any) -> list[int]:
    """Numbers of an element that is US, SS or, if nothing told them apart, plain bytes."""
    if isinstance(value, bytes):
        return [int(number) for number in np.frombuffer(value, "<u2")]
    return [int(number) for number in value]


def is_inverted(dataset: Dataset, layout: PixelLayout) -> bool:
    """Whether larger values are darker; MONOCHROME1 and an INVERSE shape say it together once."""
    shape = (text(dataset, "PresentationLUTShape") or "").upper()
    return layout.photometric == "MONOCHROME1" or shape == "INVERSE"


def padding_mask(
    dataset: Dataset, layout: PixelLayout, stored: npt.NDArray[Any]
) -> npt.NDArray[np.bool_] | None:
    """Where stored values are no image but padding; ``None`` if nowhere.

    References:
        DICOM PS3.3, C.7.5.1.1.2 (Pixel Padding Value and Pixel Padding Range Limit).
    """
    edges = [
        _as_stored(integer(dataset, keyword), layout)
        for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
    ]
    if edges[0] is None:
        return None
    low, high = sorted((edges[0], edges[0] if edges[1] is None else edges[1]))
    mask: npt.NDArray[np.bool_] = (
        (stored == low) if low == high else (stored >= low) & (stored <= high)
    )
    return mask if mask.any() and not mask.all() else None


def _as_stored(value: int | None, layout: PixelLayout) -> int | None:
    """A 16-bit number with the sign of the pixels, whichever sign it was written with."""
    if value is None:
        return None
    value %= 2**16
    return value - 2**16 if layout.signed and value >= 2**15 else value
