"""The header of a DICOM file, read without its pixels."""

import math
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import UID

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.dataset import COPY_AGAIN, open_dataset, quiet_pydicom
from monai_gan_aug.io.dicom.elements import GROUP_TAGS, frame_view, integer, numbers, text
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.names import display_name
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = [
    "DicomHeader",
    "pixel_spacing",
    "read_dicom_header",
    "read_frame_headers",
    "refuse_impossible_frames",
]

SMALLEST_FRAME_BYTES = 8


def _vector(dataset: Dataset, keyword: str, length: int) -> tuple[float, ...] | None:
    """The values of a decimal string if there are ``length`` finite ones."""
    values = numbers(dataset, keyword)
    return tuple(values) if len(values) == length and all(map(math.isfinite, values)) else None


def pixel_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """Millimetres between rows and between columns, if the file has both."""
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
        orientation: Image Orientation (Patient): directions of a row and of a column.
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
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
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
    "ImageOrientationPatient",
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
        position=_vector(dataset, "ImagePositionPatient", 3),
        orientation=_vector(dataset, "ImageOrientationPatient", 6),
        spacing=pixel_spacing(dataset),
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        bits_stored=integer(dataset, "BitsStored"),
        photometric=text(dataset, "PhotometricInterpretation"),
        frames=integer(dataset, "NumberOfFrames") or 1,
    )


def read_frame_headers(
    path: str | Path, *, root: str | Path | None = None, limits: ReadLimits | None = None
) -> list[tuple[int | None, DicomHeader]]:
    """Each frame of a file with its own header; frame ``None`` for a file of one image.

    Raises:
        ImageReadError: If the file cannot be opened, its structure is damaged, or its number of
            frames cannot be true.
    """
    path, name = Path(path), display_name(path, root)
    with quiet_pydicom(), refuse_bad_content(name, "has a header that cannot be read", COPY_AGAIN):
        tags = (*HEADER_TAGS, *GROUP_TAGS)
        dataset = open_dataset(path, name, limits or ReadLimits(), tags, with_pixels=False)
        header = _header(dataset)
        refuse_impossible_frames(header.frames, path, name)
        if header.frames == 1:
            return [(None, _header(frame_view(dataset, 0, name)))]
        frames = range(header.frames)
        return [(frame, _header(frame_view(dataset, frame, name))) for frame in frames]


def refuse_impossible_frames(frames: int, path: Path, name: str) -> None:
    """Refuse a number of frames that cannot fit into the file, before any list is made of it.

    Raises:
        ImageReadError: Naming the file.
    """
    size = path.stat().st_size
    if not 0 < frames * SMALLEST_FRAME_BYTES < size + SMALLEST_FRAME_BYTES:
        raise ImageReadError(name, f"says it has {frames} frames in {size} bytes", COPY_AGAIN)
