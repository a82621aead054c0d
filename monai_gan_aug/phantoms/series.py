"""Sets of head CT phantoms as DICOM series, one folder per class and patient."""

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from joblib import cpu_count  # type: ignore[import-untyped]
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from tqdm import tqdm

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import TEMPORARY_SUFFIX, atomic_file, remove_leftovers
from monai_gan_aug.phantoms.anatomy import PhantomPatient, draw_patient

__all__ = [
    "NEGATIVE_CLASS",
    "POSITIVE_CLASS",
    "PhantomPlan",
    "class_counts",
    "ct_dataset",
    "draw_patient",
    "write_phantom_series",
]

NEGATIVE_CLASS, POSITIVE_CLASS = "normal", "haemorrhage"
RESCALE_INTERCEPT = -1024
STUDY_DATE, STUDY_TIME = "20200101", "120000"


@dataclass(frozen=True)
class PhantomPlan:
    """What determines every byte of one patient's series.

    Attributes:
        seed: Seed of the whole set.
        number: Number of the patient within it, from 1.
        label: Class name.
        slices: Slices of the series.
        size: Rows and columns.
    """

    seed: int
    number: int
    label: str
    slices: int
    size: int

    @property
    def patient_id(self) -> str:
        """Such as ``PHANTOM0001``; the number says nothing about the class."""
        return f"PHANTOM{self.number:04d}"

    @property
    def paths(self) -> list[Path]:
        """Files of the series relative to the set's folder, lowest slice first."""
        folder = Path(self.label, self.patient_id)
        return [folder / f"{index + 1}.dcm" for index in range(self.slices)]

    def draw(self) -> PhantomPatient:
        """The patient."""
        positive = self.label == POSITIVE_CLASS
        return draw_patient((self.seed, self.number), positive, self.slices, self.size)

    def uid(self, *parts: str) -> str:
        """A UID that depends on the plan and ``parts`` alone."""
        return generate_uid(entropy_srcs=[repr(self), *parts])


def class_counts(patients: int, positive_fraction: float = 0.5) -> dict[str, int]:
    """Patients per class when ``positive_fraction`` of ``patients`` bleed.

    Raises:
        ValueError: If the fraction is not between 0 and 1 or leaves a class empty.

    Example:
        >>> class_counts(50, positive_fraction=0.1)
        {'normal': 45, 'haemorrhage': 5}
    """
    positive = round(patients * positive_fraction)
    if not 0 < positive < patients:
        raise ValueError(
            f"`positive_fraction` must leave a patient in either class, got {positive_fraction} "
            f"of {patients} patients."
        )
    return {NEGATIVE_CLASS: patients - positive, POSITIVE_CLASS: positive}


def write_phantom_series(
    out_dir: Path | str,
    n_patients: Mapping[str, int],
    *,
    slices: int = 3,
    size: int = 256,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> list[Path]:
    """Write ``<out_dir>/<class>/<patient>/<n>.dcm`` and return those paths relative to ``out_dir``.

    Every file is complete or absent, and its bytes depend only on the arguments that shape it
    (and the versions of NumPy, SciPy and pydicom), not on ``workers``. A run that was
    interrupted is repeated into the same folder.

    Args:
        out_dir: Folder of the set.
        n_patients: Patients per class, keys ``"normal"`` and ``"haemorrhage"``
            (see `class_counts`).
        slices: Slices per patient.
        size: Rows and columns, at least 32.
        seed: Seed of the set, not negative.
        workers: Processes that draw; ``None`` for one per core, 1 for none beside this one.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: If an argument is out of its range.
        DataError: If ``out_dir`` holds files of another set.
    """
    out_dir = Path(out_dir)
    plans = _plan(n_patients, slices, size, seed)
    _refuse_foreign_files(out_dir, plans)
    write = partial(_write_patient, out_dir)
    bar = tqdm(total=len(plans), desc="phantoms", unit="patient", disable=not progress)
    with bar:
        for _ in _map(write, plans, _worker_count(workers, len(plans))):
            bar.update()
    return [path for plan in plans for path in plan.paths]


def ct_dataset(plan: PhantomPlan, patient: PhantomPatient, index: int) -> Dataset:
    """Slice ``index`` (from 0, the lowest) as a CT Image Storage data set with its file header.

    References:
        DICOM PS3.3, A.3 (CT Image IOD) and C.7.6.2.1.1 (position and orientation).
    """
    dataset = _patient_and_study(plan)
    dataset.update(_equipment(patient))
    dataset.update(_geometry(plan, patient, index))
    dataset.update(_pixels(patient, index))
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = plan.uid("instance", str(index))
    dataset.InstanceNumber = index + 1
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _patient_and_study(plan: PhantomPlan) -> Dataset:
    dataset = Dataset()
    dataset.PatientName = f"Phantom^{plan.number:04d}"
    dataset.PatientID = plan.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = "O"
    dataset.QualityControlSubject = "YES"
    dataset.StudyInstanceUID = plan.uid("study")
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = STUDY_DATE
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = STUDY_TIME
    dataset.ContentDate, dataset.ContentTime = STUDY_DATE, STUDY_TIME
    dataset.ReferringPhysicianName = dataset.AccessionNumber = ""
    dataset.StudyID = f"{plan.number}"
    dataset.StudyDescription = "Computer-drawn head phantom, not a person"
    dataset.SeriesInstanceUID = plan.uid("series")
    dataset.SeriesNumber = dataset.AcquisitionNumber = 1
    dataset.SeriesDescription = "Axial head phantom"
    dataset.Modality = "CT"
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = plan.uid("frame of reference")
    dataset.PositionReferenceIndicator = "OM"
    return dataset


def _equipment(patient: PhantomPatient) -> Dataset:
    scanner, dataset = patient.scanner, Dataset()
    dataset.Manufacturer = "monai_gan_aug"
    dataset.ManufacturerModelName = "Head phantom"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = "1"
    dataset.KVP = 120
    dataset.ExposureTime = 1000
    dataset.XRayTubeCurrent = dataset.Exposure = round(scanner.exposure)
    dataset.GantryDetectorTilt = scanner.gantry_tilt
    dataset.SliceThickness = scanner.slice_thickness
    dataset.ReconstructionDiameter = scanner.field_of_view
    dataset.ConvolutionKernel = "STANDARD"
    return dataset


def _geometry(plan: PhantomPlan, patient: PhantomPatient, index: int) -> Dataset:
    scanner, dataset = patient.scanner, Dataset()
    tilt = np.deg2rad(scanner.gantry_tilt)
    down, towards_feet = float(np.cos(tilt)), -float(np.sin(tilt))
    corner = -patient.spacing * (plan.size - 1) / 2
    table = float(patient.levels[index])
    dataset.PixelSpacing = [f"{patient.spacing:.6f}"] * 2
    orientation = (1.0, 0.0, 0.0, 0.0, down, towards_feet)
    dataset.ImageOrientationPatient = [f"{cosine:.8f}" for cosine in orientation]
    position = (corner, corner * down, table + corner * towards_feet)
    dataset.ImagePositionPatient = [f"{place:.5f}" for place in position]
    dataset.SliceLocation = f"{table:.5f}"
    return dataset


def _pixels(patient: PhantomPatient, index: int) -> Dataset:
    hu, dataset = patient.hu[index], Dataset()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = hu.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope = RESCALE_INTERCEPT, 1
    dataset.RescaleType = "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 80
    dataset.PixelData = (hu.astype(np.int32) - RESCALE_INTERCEPT).astype("<u2").tobytes()
    return dataset


def _plan(n_patients: Mapping[str, int], slices: int, size: int, seed: int) -> list[PhantomPlan]:
    unknown = sorted(set(n_patients) - {NEGATIVE_CLASS, POSITIVE_CLASS})
    if unknown:
        raise ValueError(
            f"`n_patients` must have the keys {NEGATIVE_CLASS!r} and {POSITIVE_CLASS!r}, "
            f"got {unknown}."
        )
    if min(n_patients.values(), default=0) < 0 or sum(n_patients.values()) < 1:
        raise ValueError(f"`n_patients` must count at least one patient, got {dict(n_patients)}.")
    if slices < 1 or size < 32 or seed < 0:
        raise ValueError(
            f"Need `slices` >= 1, `size` >= 32 and `seed` >= 0, got {slices}, {size} and {seed}."
        )
    labels = [label for label in sorted(n_patients) for _ in range(n_patients[label])]
    order = np.random.default_rng(seed).permutation(len(labels))
    return [
        PhantomPlan(seed, number, labels[place], slices, size)
        for number, place in enumerate(order, start=1)
    ]


def _refuse_foreign_files(out_dir: Path, plans: list[PhantomPlan]) -> None:
    expected = {path for plan in plans for path in plan.paths}
    for label in (NEGATIVE_CLASS, POSITIVE_CLASS):
        for path in (out_dir / label).rglob("*"):
            name = path.relative_to(out_dir)
            if path.is_dir() or path.suffix == TEMPORARY_SUFFIX or name in expected:
                continue
            raise DataError(f"{name} belongs to another set: choose an empty folder.")


def _write_patient(out_dir: Path, plan: PhantomPlan) -> None:
    patient = plan.draw()
    for index, path in enumerate(plan.paths):
        if index == 0:
            remove_leftovers((out_dir / path).parent)
        with atomic_file(out_dir / path) as stream:
            ct_dataset(plan, patient, index).save_as(stream, enforce_file_format=True)


def _worker_count(workers: int | None, patients: int) -> int:
    if workers is not None and workers < 1:
        raise ValueError(f"`workers` must be at least 1, got {workers}.")
    return min(workers or cpu_count(), max(1, patients // 4))


def _map(write: partial[None], plans: list[PhantomPlan], workers: int) -> Iterator[None]:
    if workers == 1:
        yield from map(write, plans)
        return
    context = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield from pool.map(write, plans, chunksize=2)
        except BaseException:  # the full disk or the interrupt that stopped one stops them all
            pool.shutdown(wait=False, cancel_futures=True)
            raise
