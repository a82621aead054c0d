"""DICOM images: Hounsfield units, display values or native values, and the header of a file."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels import apply_modality_lut
from pydicom.uid import UID, SecondaryCaptureImageStorage

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom_dataset import COPY_AGAIN, open_dataset, quiet_pydicom
from monai_gan_aug.io.dicom_elements import integer, numbers, text
from monai_gan_aug.io.dicom_pixels import (
    COLOUR,
    PALETTE,
    PIXEL_TAGS,
    PixelLayout,
    decode_pixels,
    pixel_layout,
)
from monai_gan_aug.io.image import DecodedImage, ReadLimits, Units, display_name
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["DicomHeader", "read_dicom", "read_dicom_header"]

IMAGE_TAGS = (
    *PIXEL_TAGS,
    "SOPClassUID",
    "Modality",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTSequence",
    "PixelSpacing",
    "ImagerPixelSpacing",
)
NOT_HOUNSFIELD = frozenset(
    {"OD", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT", "IED", "IMP", "MEV"}
)
"""Rescale types (PS3.3 C.11.1.1.2) of a CT whose values are no Hounsfield units."""


def read_dicom(
    path: Path, name: str, limits: ReadLimits, *, allow_raw: bool, allow_no_preamble: bool
) -> DecodedImage:
    """Read one single-frame DICOM image; see :func:`monai_gan_aug.io.reading.read_image`.

    Hounsfield units are a physical scale and are never inverted. Any other MONOCHROME1 image is
    inverted once, its window with it, so that larger values are always brighter.
    """
    dataset = open_dataset(path, name, limits, IMAGE_TAGS, allow_no_preamble=allow_no_preamble)
    with quiet_pydicom(), refuse_bad_content(name, "has a damaged image header", COPY_AGAIN):
        if "PixelData" not in dataset:
            raise ImageReadError(
                name, "is DICOM without an image", "leave it out of the image folder"
            )
        layout = pixel_layout(dataset, name, limits)
        stored = decode_pixels(dataset, layout, name)
        if layout.photometric in COLOUR or layout.photometric == PALETTE:
            pixels, units, window = *_colour(stored, layout, name), None
        else:
            pixels, units, window = _grey(dataset, stored, layout, name, allow_raw)
        return DecodedImage(
            pixels=pixels,
            units=units,
            window=window,
            modality=text(dataset, "Modality"),
            spacing=_spacing(dataset),
        )


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
    dataset: Dataset, stored: npt.NDArray[Any], layout: PixelLayout, name: str, allow_raw: bool
) -> tuple[npt.NDArray[Any], Units, tuple[float, float] | None]:
    window = _window(dataset)
    rescale = _rescale(dataset, name)
    units = _grey_units(dataset, layout, rescale, window, name, allow_raw)
    if units in (Units.DISPLAY8, Units.DISPLAY16):
        display = stored.astype(np.uint8 if units is Units.DISPLAY8 else np.uint16)
        if layout.photometric == "MONOCHROME1":
            display = np.invert(display)
        return display[None], units, None
    if rescale is None and "ModalityLUTSequence" in dataset:
        values = apply_modality_lut(stored, dataset).astype(np.float32)
        low, high = float(values.min()), float(values.max())
    else:
        slope, intercept = rescale or (1.0, 0.0)
        values = stored.astype(np.float32)
        if slope != 1:
            values *= np.float32(slope)
        values += np.float32(intercept)
        low, high = (edge * slope + intercept for edge in layout.stored_range)
    if units is Units.NATIVE and layout.photometric == "MONOCHROME1":
        values = np.float32(low + high) - values
        window = None if window is None else (low + high + 1 - window[0], window[1])
    return values[None], units, window


def _grey_units(
    dataset: Dataset,
    layout: PixelLayout,
    rescale: tuple[float, float] | None,
    window: tuple[float, float] | None,
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
    if unscaled and window is None and not layout.signed and "VOILUTSequence" not in dataset:
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


def _window(dataset: Dataset) -> tuple[float, float] | None:
    """The first window of the file, if it can be used."""
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if not centers or not widths or not math.isfinite(centers[0]) or not 1 < widths[0] < math.inf:
        return None
    return centers[0], widths[0]


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        values = numbers(dataset, keyword)
        if len(values) == 2 and all(0 < value < math.inf for value in values):
            return values[0], values[1]
    return None


@dataclass(frozen=True)
class DicomHeader:
    """The few facts of a DICOM header that preparing and inspecting need.

    ``patient_id`` identifies a person: hash it before it is stored or shown.

    Args:
        patient_id: Patient ID, not yet hashed.
        study_uid: Study Instance UID.
        series_uid: Series Instance UID.
        instance_uid: SOP Instance UID.
        sop_class: Name of the SOP class.
        transfer_syntax: Name of the transfer syntax.
        modality: Modality.
        body_part: Body Part Examined.
        position: Image Position (Patient) in mm.
        spacing: Millimetres between rows and columns.
        rows: Image height; ``None`` if there is no image.
        columns: Image width.
        bits_stored: Bits a sample uses.
        photometric: Photometric Interpretation.
        frames: Number of frames.
    """

    patient_id: str | None
    study_uid: str | None
    series_uid: str | None
    instance_uid: str | None
    sop_class: str | None
    transfer_syntax: str | None
    modality: str | None
    body_part: str | None
    position: tuple[float, float, float] | None
    spacing: tuple[float, float] | None
    rows: int | None
    columns: int | None
    bits_stored: int | None
    photometric: str | None
    frames: int


HEADER_TAGS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "PatientID",
    "BodyPartExamined",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "ImagePositionPatient",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "Rows",
    "Columns",
    "BitsStored",
    "PhotometricInterpretation",
    "NumberOfFrames",
)


def read_dicom_header(
    path: str | Path,
    *,
    root: str | Path | None = None,
    limits: ReadLimits | None = None,
    allow_no_preamble: bool = False,
) -> DicomHeader:
    """Read the header of a DICOM file and stop before its pixels.

    Raises:
        ImageReadError: If the file cannot be opened or its structure is damaged.
    """
    name = display_name(path, root)
    with (
        quiet_pydicom(),
        refuse_bad_content(name, "has a header that cannot be read", COPY_AGAIN),
    ):
        dataset = open_dataset(
            Path(path),
            name,
            limits or ReadLimits(),
            HEADER_TAGS,
            with_pixels=False,
            allow_no_preamble=allow_no_preamble,
        )
        return _header(dataset)


def _header(dataset: Dataset) -> DicomHeader:
    position = numbers(dataset, "ImagePositionPatient")
    sop_class, syntax = text(dataset, "SOPClassUID"), dataset.file_meta.get("TransferSyntaxUID")
    patient = dataset.get("PatientID")  # by pydicom, which decodes the file's character set
    return DicomHeader(
        patient_id=str(patient).strip() or None if patient is not None else None,
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        instance_uid=text(dataset, "SOPInstanceUID"),
        sop_class=UID(sop_class).name if sop_class else None,
        transfer_syntax=syntax.name if syntax else None,
        modality=text(dataset, "Modality"),
        body_part=text(dataset, "BodyPartExamined"),
        position=(position[0], position[1], position[2]) if len(position) == 3 else None,
        spacing=_spacing(dataset),
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        bits_stored=integer(dataset, "BitsStored"),
        photometric=text(dataset, "PhotometricInterpretation"),
        frames=integer(dataset, "NumberOfFrames") or 1,
    )
