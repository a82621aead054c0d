"""Synthetic images as DICOM Secondary Capture, marked as synthetic and free of any source tag."""

import hashlib
import math
import uuid
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)
from pydicom.valuerep import format_number_as_ds

from monai_gan_aug import __version__
from monai_gan_aug.io.image import Units

__all__ = ["SyntheticSeries", "encode_synthetic_dicom"]

IMPLEMENTATION_UID = UID("2.25.208744520386912547362110487539026841573")
LARGEST_LEVEL = 65535
DISPLAY_TYPES = {Units.DISPLAY8: np.dtype(np.uint8), Units.DISPLAY16: np.dtype(np.uint16)}
UUID_DIGITS = 39
PLACEHOLDERS = {
    "SOPInstanceUID": b"2.25." + b"1" * UUID_DIGITS,
    "InstanceNumber": b"2147483646",
    "RescaleIntercept": b"9.8765432109E-10",
    "RescaleSlope": b"1.2345678901E-10",
}
DEFAULT_DESCRIPTION = "Synthetic image drawn by a generative adversarial network; shows no person."


@dataclass(frozen=True)
class SyntheticSeries:
    """The study and series that synthetic images belong to; fresh for each instance.

    Args:
        study_uid: Study Instance UID.
        series_uid: Series Instance UID.
    """

    study_uid: str
    series_uid: str

    @classmethod
    def new(cls) -> "SyntheticSeries":
        """A study with one series, both with fresh identifiers."""
        return cls(str(generate_uid(prefix=None)), str(generate_uid(prefix=None)))


def encode_synthetic_dicom(
    pixels: npt.ArrayLike,
    *,
    units: Units,
    window: tuple[float, float] | None = None,
    description: str = DEFAULT_DESCRIPTION,
    series: SyntheticSeries | None = None,
    number: int = 1,
) -> bytes:
    r"""The bytes of the DICOM file of one synthetic image.

    The file is a Secondary Capture with SyntheticData (0008,001C) = YES, image type
    DERIVED\SECONDARY, a derivation description, this software as contributing equipment, fresh
    identifiers, an empty preamble, and no attribute of any source image.

    Args:
        pixels: ``(1, H, W)`` floating point for Hounsfield units; ``(1, H, W)`` or ``(3, H, W)``
            ``uint8``, or ``(1, H, W)`` ``uint16``, for display values.
        units: ``HU``, ``DISPLAY8`` or ``DISPLAY16``. Hounsfield units are stored in 65,536 levels
            between the smallest and the largest value; reading errs by at most one level.
        window: Centre and width to propose for display, in Hounsfield units.
        description: How the image came about; at most 1,024 characters.
        series: Study and series of the image; fresh ones by default.
        number: Instance number in the series.

    Raises:
        TypeError: If the type of ``pixels`` does not fit ``units``.
        ValueError: If shape, values, window or description cannot be stored.
    """
    pixels = np.asarray(pixels)
    _check(pixels, units, window, description)
    values = {"SOPInstanceUID": _fresh_uid(), "InstanceNumber": str(number)}
    if units is Units.HU:
        stored, values["RescaleIntercept"], values["RescaleSlope"] = _levels(pixels[0])
    else:
        stored = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)
    template = _template(
        series or SyntheticSeries.new(), description, units, window, stored.shape, stored.dtype
    )
    for keyword, value in values.items():
        placeholder = PLACEHOLDERS[keyword]
        template = template.replace(placeholder, value.ljust(len(placeholder)).encode())
    content = np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<")).tobytes()
    return template + content + bytes(len(content) % 2)


def _fresh_uid() -> str:
    """A UUID as UID (PS3.5 B.2), always of the same length."""
    while len(digits := str(uuid.uuid4().int)) < UUID_DIGITS:
        pass
    return f"2.25.{digits}"


@lru_cache(maxsize=8)
def _template(
    series: SyntheticSeries,
    description: str,
    units: Units,
    window: tuple[float, float] | None,
    shape: tuple[int, ...],
    kind: np.dtype[np.generic],
) -> bytes:
    """A file up to its pixels, with a placeholder of fixed length for what differs by image.

    pydicom builds it once per series; filling in placeholders takes a fiftieth of the time.
    """
    dataset = _identity(series, description)
    dataset.Modality = "CT" if units is Units.HU else "OT"
    if units is Units.HU:
        dataset.RescaleIntercept = PLACEHOLDERS["RescaleIntercept"].decode()
        dataset.RescaleSlope = PLACEHOLDERS["RescaleSlope"].decode()
        dataset.RescaleType = "HU"
        if window is not None:
            dataset.WindowCenter = format_number_as_ds(float(window[0]))
            dataset.WindowWidth = format_number_as_ds(float(window[1]))
    _set_pixels(dataset, np.zeros(shape, kind))
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    size = math.prod(shape) * kind.itemsize
    return stream.getvalue()[: -(size + size % 2)]


def _check(
    pixels: npt.NDArray[Any],
    units: Units,
    window: tuple[float, float] | None,
    description: str,
) -> None:
    if units is Units.NATIVE:
        raise ValueError("`units` must be HU, DISPLAY8 or DISPLAY16: native values have no scale.")
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3) or not 0 < max(pixels.shape) < 2**16:
        raise ValueError(f"`pixels` must have shape (1 or 3, H, W), got {pixels.shape}.")
    if units is Units.HU and pixels.dtype.kind != "f":
        raise TypeError(f"`pixels` in HU must be floating point, got {pixels.dtype}.")
    if units is not Units.HU and pixels.dtype != DISPLAY_TYPES[units]:
        raise TypeError(f"`pixels` must be {DISPLAY_TYPES[units]} for {units}, got {pixels.dtype}.")
    if pixels.shape[0] == 3 and units is not Units.DISPLAY8:
        raise ValueError("`pixels` with three channels must be DISPLAY8.")
    if units is Units.HU and not np.isfinite(pixels).all():
        raise ValueError("`pixels` must be finite, got NaN or infinity.")
    if window is not None and not (math.isfinite(window[0]) and 1 <= window[1] < math.inf):
        raise ValueError(
            f"`window` must be (center, width) with a width of 1 or more, got {window}."
        )
    if not 0 < len(description) <= 1024:
        raise ValueError(f"`description` must have 1 to 1,024 characters, got {len(description)}.")


def _identity(series: SyntheticSeries, description: str) -> Dataset:
    """Everything but the pixels: Patient, Study, Series, Equipment, SC and SOP Common modules."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = IMPLEMENTATION_UID
    dataset.file_meta.ImplementationVersionName = "MONAI_GAN_AUG"
    dataset.preamble = bytes(128)
    dataset.SOPInstanceUID = PLACEHOLDERS["SOPInstanceUID"].decode()
    dataset.InstanceNumber = PLACEHOLDERS["InstanceNumber"].decode()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SyntheticData = "YES"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.ConversionType = "SYN"
    dataset.DerivationDescription = description
    dataset.ContributingEquipmentSequence = [_equipment()]
    dataset.Manufacturer = "monai_gan_aug"
    dataset.PatientName = "Synthetic^Image"
    dataset.PatientID = f"SYNTHETIC-{_short_hash(series.study_uid)}"
    dataset.StudyInstanceUID = series.study_uid
    dataset.SeriesInstanceUID = series.series_uid
    dataset.SeriesNumber = 1
    dataset.BurnedInAnnotation = "NO"
    for empty in (
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
        "StudyID",
        "AccessionNumber",
        "ReferringPhysicianName",
        "Laterality",
        "PatientOrientation",
    ):
        setattr(dataset, empty, "")
    return dataset


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12].upper()


def _equipment() -> Dataset:
    purpose = Dataset()
    purpose.CodeValue = "109102"
    purpose.CodingSchemeDesignator = "DCM"
    purpose.CodeMeaning = "Processing Equipment"
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [purpose]
    equipment.Manufacturer = "monai_gan_aug"
    equipment.SoftwareVersions = __version__
    equipment.ContributionDescription = "Drew the image with a generative adversarial network"
    return equipment


def _levels(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint16], str, str]:
    """Levels, and the rescale intercept and slope that turn them into ``values``."""
    low, high = math.floor(values.min()), math.ceil(values.max())
    slope = format_number_as_ds((high - low) / LARGEST_LEVEL) if high > low else "1"
    intercept = format_number_as_ds(float(low))
    levels = np.rint((values.astype(np.float64) - float(intercept)) / float(slope))
    return np.clip(levels, 0, LARGEST_LEVEL).astype(np.uint16), intercept, slope


def _set_pixels(dataset: Dataset, stored: npt.NDArray[Any]) -> None:
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    if stored.ndim == 3:
        dataset.PlanarConfiguration = 0
    bits = 8 * stored.dtype.itemsize
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 0
    content = np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<")).tobytes()
    dataset.add_new("PixelData", "OW" if bits == 16 else "OB", content + bytes(len(content) % 2))
