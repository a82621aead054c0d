"""DICOM images: Hounsfield units, display values or native values."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import SecondaryCaptureImageStorage

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.dataset import COPY_AGAIN, open_dataset, quiet_pydicom
from monai_gan_aug.io.dicom.display import (
    DISPLAY_TAGS,
    display_curve,
    display_window,
    is_inverted,
    padding_mask,
)
from monai_gan_aug.io.dicom.elements import GROUP_TAGS, frame_view, numbers, text
from monai_gan_aug.io.dicom.header import pixel_spacing
from monai_gan_aug.io.dicom.pixels import (
    COLOUR,
    PALETTE,
    PIXEL_TAGS,
    PixelLayout,
    decode_pixels,
    pixel_layout,
)
from monai_gan_aug.io.image import DecodedImage, ReadLimits, Units
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["read_dicom"]

IMAGE_TAGS = (
    *PIXEL_TAGS,
    *DISPLAY_TAGS,
    *GROUP_TAGS,
    "SOPClassUID",
    "Modality",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "ModalityLUTSequence",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "PixelAspectRatio",
)
LARGEST_VALUE = float(np.finfo(np.float32).max)
NOT_HOUNSFIELD = frozenset(
    {"OD", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT", "IED", "IMP", "MEV"}
)
"""Rescale types (PS3.3 C.11.1.1.2) of a CT whose values are no Hounsfield units."""


def read_dicom(
    path: Path,
    name: str,
    limits: ReadLimits,
    *,
    allow_raw: bool = False,
    allow_no_preamble: bool = False,
    frame: int | None = None,
) -> DecodedImage:
    """Read one DICOM image or one frame; see :func:`monai_gan_aug.io.reading.read_image`.

    Hounsfield units are a physical scale and are never inverted. Any other image whose larger
    values are darker (MONOCHROME1, or an INVERSE presentation) is inverted once, its window with
    it. Padding pixels get the smallest value of the others. Overlays are left out.
    """
    if frame is None:
        dataset = open_dataset(path, name, limits, IMAGE_TAGS, allow_no_preamble=allow_no_preamble)
    else:
        dataset = _open_for_frames(path, path.stat().st_mtime_ns, name, limits, allow_no_preamble)
    with quiet_pydicom(), refuse_bad_content(name, "has a damaged image header", COPY_AGAIN):
        if "PixelData" not in dataset:
            raise ImageReadError(
                name, "is DICOM without an image", "leave it out of the image folder"
            )
        layout = pixel_layout(dataset, name, limits, frame)
        dataset = frame_view(dataset, layout.frame, name)
        stored = decode_pixels(dataset, layout, name)
        facts: dict[str, Any] = {
            "modality": text(dataset, "Modality"),
            "spacing": pixel_spacing(dataset),
            "pixel_aspect": _pixel_aspect(dataset),
        }
        if layout.photometric in COLOUR or layout.photometric == PALETTE:
            pixels, units = _colour(stored, layout, name)
            return DecodedImage(pixels, units, **facts)
        return _grey(dataset, stored, layout, name, allow_raw, facts)


@lru_cache(maxsize=1)
def _open_for_frames(
    path: Path, modified: int, name: str, limits: ReadLimits, allow_no_preamble: bool
) -> Dataset:
    """The file whose frames are being read one after the other, kept until another one comes."""
    return open_dataset(path, name, limits, IMAGE_TAGS, allow_no_preamble=allow_no_preamble)


def _colour(
    stored: npt.NDArray[Any], layout: PixelLayout, name: str
) -> tuple[npt.NDArray[Any], Units]:
    """RGB of shape ``(3, H, W)`` over the whole range of 8 or 16 bits."""
    if stored.dtype.itemsize > 2 or layout.signed:
        raise ImageReadError(
            name, f"has colour samples of type {stored.dtype}", "export them in 8 or 16 bits"
        )
    planes = np.ascontiguousarray(np.moveaxis(stored, -1, 0))
    if layout.photometric == PALETTE:
        if planes.dtype == np.uint8:
            return planes, Units.DISPLAY8
        return (planes >> 8).astype(np.uint8), Units.DISPLAY8
    if layout.bits_stored == 8:
        return planes.astype(np.uint8, copy=False), Units.DISPLAY8
    largest = 2**layout.bits_stored - 1
    units, scale, kind = (
        (Units.DISPLAY8, 255, np.uint8)
        if layout.bits_stored < 8
        else (Units.DISPLAY16, 65535, np.uint16)
    )
    return (planes.astype(np.uint32) * scale // largest).astype(kind), units


def _grey(
    dataset: Dataset,
    stored: npt.NDArray[Any],
    layout: PixelLayout,
    name: str,
    allow_raw: bool,
    facts: dict[str, Any],
) -> DecodedImage:
    window, curve = display_window(dataset), display_curve(dataset, layout)
    rescale = _rescale(dataset, name)
    plain = window is None and curve is None
    units = _grey_units(dataset, layout, rescale, plain, name, allow_raw)
    padding = padding_mask(dataset, layout, stored)
    inverted = units is not Units.HU and is_inverted(dataset, layout)
    if units in (Units.DISPLAY8, Units.DISPLAY16):
        values = stored.astype(np.uint8 if units is Units.DISPLAY8 else np.uint16)
        values = np.invert(values) if inverted else values
    else:
        values, total = _modality_values(dataset, stored, layout, rescale)
        if not math.isfinite(total):
            raise ImageReadError(
                name, "has a rescale slope or intercept too large for any image", "export it again"
            )
        if inverted:
            values = np.float32(total) - values
            window = None if window is None else (total + 1 - window[0], window[1])
            curve = None if curve is None else curve.mirrored(total)
    if padding is not None:
        values[padding] = values[~padding].min()
    return DecodedImage(values[None], units, window, curve=curve, **facts)


def _modality_values(
    dataset: Dataset,
    stored: npt.NDArray[Any],
    layout: PixelLayout,
    rescale: tuple[float, float] | None,
) -> tuple[npt.NDArray[np.float32], float]:
    """Values after rescale or modality lookup table, and the sum that inverts them."""
    if rescale is None and "ModalityLUTSequence" in dataset:
        values = apply_modality_lut(stored, dataset).astype(np.float32)
        return values, float(values.min()) + float(values.max())
    slope, intercept = rescale or (1.0, 0.0)
    values = stored.astype(np.float32)
    if slope != 1:
        values *= np.float32(slope)
    values += np.float32(intercept)
    edges = [edge * slope + intercept for edge in layout.stored_range]
    return values, sum(edges) if max(map(abs, edges)) <= LARGEST_VALUE else math.inf


def _grey_units(
    dataset: Dataset,
    layout: PixelLayout,
    rescale: tuple[float, float] | None,
    plain: bool,
    name: str,
    allow_raw: bool,
) -> Units:
    kind = (text(dataset, "RescaleType") or "").upper()
    modality = text(dataset, "Modality")
    if rescale is not None and (kind == "HU" or (modality == "CT" and kind not in NOT_HOUNSFIELD)):
        return Units.HU
    if modality == "CT" and rescale is None and not allow_raw and not _is_capture(dataset):
        raise ImageReadError(
            name,
            "is a CT without rescale slope and intercept, so its values are not Hounsfield units",
            "export it with them, or pass `allow_raw` to use the stored values",
        )
    unscaled = rescale in (None, (1.0, 0.0)) and "ModalityLUTSequence" not in dataset
    if unscaled and plain and not layout.signed:
        if layout.bits_stored == 8:
            return Units.DISPLAY8
        if layout.bits_stored == 16 and layout.bits_allocated == 16 and _is_capture(dataset):
            return Units.DISPLAY16
    return Units.NATIVE


def _is_capture(dataset: Dataset) -> bool:
    return (text(dataset, "SOPClassUID") or "").startswith(SecondaryCaptureImageStorage)


def _rescale(dataset: Dataset, name: str) -> tuple[float, float] | None:
    """Slope and intercept, or ``None`` if the file has neither."""
    values = [numbers(dataset, k) for k in ("RescaleSlope", "RescaleIntercept")]
    if not values[0] and not values[1]:
        return None
    if len(values[0]) != 1 or len(values[1]) != 1:
        raise ImageReadError(
            name, "has only half of rescale slope and intercept", "export it with both"
        )
    slope, intercept = values[0][0], values[1][0]
    if not math.isfinite(slope) or slope == 0 or not math.isfinite(intercept):
        raise ImageReadError(
            name,
            f"has the rescale slope {slope} and intercept {intercept}, which lose the image",
            "export it again with finite values and a slope other than 0",
        )
    return slope, intercept


def _pixel_aspect(dataset: Dataset) -> float | None:
    """Height of a pixel over its width, from Pixel Aspect Ratio (vertical, horizontal)."""
    values = numbers(dataset, "PixelAspectRatio")
    return values[0] / values[1] if len(values) == 2 and min(values) > 0 else None
