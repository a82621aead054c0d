"""Where images, labels and patients come from: folders, tables, JSON files, headers, `prepare`.

Every source lists :class:`SourceRecord` of a data root. Faults are raised, or with
``on_error="skip"`` collected in ``faults``; they name the file relative to the root, or the row.
"""

import json
import logging
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from monai_gan_aug.data.slices import SliceRule, choose_slices
from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.dicom.header import read_dicom_header
from monai_gan_aug.io.frames import frame_name
from monai_gan_aug.io.names import printable, resolve_inside
from monai_gan_aug.io.tables import is_formula, read_table
from monai_gan_aug.io.walking import walk_files
from monai_gan_aug.records.datalist import NO_GROUPING, Datalist, Entry

__all__ = [
    "CsvSource",
    "DicomTreeSource",
    "FolderSource",
    "JsonPerImageSource",
    "PreparedSource",
    "Source",
    "SourceRecord",
    "unlabelled_path",
]

UNLABELLED = "unlabelled"
LARGEST_SHARE = 0.3
"""What :class:`PreparedSource` calls the class of images that have none."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceRecord:
    """One image as its source describes it.

    Args:
        image: Path relative to the data root, with ``/``.
        label: Class name.
        patient: Patient id in the clear, or ``None``; never leaves this process.
        where: What a message about this image names: the file, or the row of a table.
        frame: Which frame of the file; ``None`` for a file of one image.
        group: Keyed hash of the patient, from a source that knows no more.
    """

    image: str
    label: str
    patient: str | None = field(default=None, repr=False)
    where: str = ""
    frame: int | None = None
    group: str | None = None


@dataclass
class Source(ABC):
    """Base of all sources.

    Args:
        on_error: ``"raise"`` at the first fault, or ``"skip"`` and collect it in ``faults``.
        slices: Which frames of multi-frame files, slices of volumes and slices of DICOM series
            to use, one image each; without it every file must be one image, and all are used.
    """

    on_error: Literal["raise", "skip"] = field(default="raise", kw_only=True)
    slices: SliceRule | None = field(default=None, kw_only=True)
    faults: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.on_error not in ("raise", "skip"):
            raise ValueError(f"`on_error` must be 'raise' or 'skip', got {self.on_error!r}.")

    @property
    @abstractmethod
    def grouping(self) -> str | None:
        """Where patient ids come from, ``"none"`` if expressly nowhere, ``None`` if not said."""

    @property
    def caveats(self) -> tuple[str, ...]:
        """Sentences every report of its images must repeat."""
        return ()

    @property
    def key_fingerprint(self) -> str | None:
        """Which secret key hashed its ``group``, if its records have one."""
        return None

    @abstractmethod
    def _read(self, root: Path) -> Iterator[SourceRecord]:
        """Records in a stable order; faults go to :meth:`_fault`."""

    def records(self, root: Path) -> list[SourceRecord]:
        """Every labelled image below ``root``.

        Raises:
            DataError: At a fault, unless faults are skipped, or if there is no image at all.
        """
        root = Path(root)
        if not root.is_dir():
            raise DataError(f"The data root {root.name} is not a folder: give the images' folder.")
        self.faults = []
        seen: dict[tuple[str, int | None], SourceRecord] = {}
        for record in self._sliced(root):
            place = record.image, record.frame
            if place in seen:
                self._fault(f"{record.where} is listed twice: keep one of the two.")
            else:
                seen[place] = record
        if not seen:
            faults = f" Faults: {len(self.faults)}, first: {self.faults[0]}" if self.faults else ""
            raise DataError(
                f"No labelled image was found below {root.name}: look at its folders and at the "
                f"settings of the source.{faults}"
            )
        return list(seen.values())

    def _sliced(self, root: Path) -> Iterable[SourceRecord]:
        if self.slices is None:
            return self._read(root)
        records = list(self._read(root))
        frames = choose_slices([r.image for r in records], root, self.slices, self._fault)
        return [
            replace(record, frame=frame, where=frame_name(record.where, frame))
            for record in records
            for frame in frames.get(record.image, ())
        ]

    def _fault(self, message: str) -> None:
        if self.on_error == "raise":
            raise DataError(message)
        self.faults.append(message)


@dataclass
class FolderSource(Source):
    """One folder per class directly below the root; deeper folders belong to their class.

    Args:
        patient_pattern: Regular expression, searched in the path below the class folder; its
            first group (or the whole match) is the patient. ``"none"`` if there is no patient id.

    Example:
        >>> FolderSource(patient_pattern=r"(C[0-9]+)").grouping
        'pattern (C[0-9]+) in the file name'
    """

    patient_pattern: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            re.compile(self.patient_pattern or "")
        except re.error as error:
            raise ValueError(
                f"`patient_pattern` must be a regular expression, got {self.patient_pattern!r} "
                f"({error})."
            ) from error

    @property
    def grouping(self) -> str | None:
        """The pattern, in words."""
        if self.patient_pattern in (None, NO_GROUPING):
            return self.patient_pattern
        return f"pattern {self.patient_pattern} in the file name"

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        for name in image_names(root):
            label, _, rest = name.partition("/")
            if rest:
                patient = self._patient(name, rest)
                yield SourceRecord(name, label, patient, printable(name))

    def _patient(self, name: str, rest: str) -> str | None:
        if self.patient_pattern in (None, NO_GROUPING):
            return None
        match = re.search(self.patient_pattern or "", rest)
        if match is None:
            self._fault(f"{printable(name)} does not match `patient_pattern`: widen the pattern.")
            return None
        return match.group(1) if match.re.groups else match.group()


@dataclass
class CsvSource(Source):
    """A table with a header and one row per image.

    Args:
        csv: The table, relative to the data root.
        image: Column of the image path, relative to the data root.
        label: Column of the class name.
        patient: Column of the patient id, or ``"none"`` if there is none.
    """

    csv: str = "labels.csv"
    image: str = "image"
    label: str = "label"
    patient: str | None = None

    @property
    def grouping(self) -> str | None:
        """The patient column, in words."""
        if self.patient in (None, NO_GROUPING):
            return self.patient
        return f"column {self.patient}"

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        columns = [self.image, self.label]
        if self.grouping not in (None, NO_GROUPING):
            columns.append(str(self.patient))
        for number, values in read_table(root / self.csv, columns):
            where = f"{Path(self.csv).name} row {number}"
            if isinstance(values, str):
                self._fault(f"{where} {values}.")
                continue
            image, label, *patient = values
            fault = self._row_fault(root, image, label, patient)
            if fault:
                self._fault(f"{where} {fault}.")
            else:
                yield SourceRecord(image, label, patient[0] if patient else None, where)

    def _row_fault(self, root: Path, image: str, label: str, patient: list[str]) -> str | None:
        if not label:
            return "has no label: fill the cell or remove the row"
        if any(_is_formula(value) for value in (image, label)):
            return "holds a formula: store plain values"
        if patient and not patient[0]:
            return f"has no patient in column {self.patient}: fill the cell, or group by 'none'"
        try:
            path = resolve_inside(root, image)
        except DataError as error:
            return f"is refused, {str(error).removesuffix('.')}"
        if not path.is_file():
            return f"names {printable(image)}, which does not exist: correct the path"
        return None


@dataclass
class JsonPerImageSource(Source):
    """A folder with one JSON file per image of the same name, as ISIC archives have.

    Args:
        label: Dotted key of the class name, such as ``"meta.clinical.benign_malignant"``.
        patient: Dotted key of the patient id, or ``"none"`` if there is none.
        descriptions: Folder of the JSON files, relative to the data root.
        images: Folder of the images, relative to the data root.
    """

    label: str = "label"
    patient: str | None = None
    descriptions: str = "."
    images: str = "."

    @property
    def grouping(self) -> str | None:
        """The patient key, in words."""
        if self.patient in (None, NO_GROUPING):
            return self.patient
        return f"key {self.patient}"

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        by_stem: dict[str, list[str]] = {}
        for name in image_names(root):
            if Path(self.images) in (Path(), *Path(name).parents):
                by_stem.setdefault(Path(name).stem, []).append(name)
        for path in sorted(resolve_inside(root, self.descriptions).rglob("*.json")):
            where = printable(path.relative_to(root.resolve()).as_posix())
            matching = by_stem.get(path.stem, [])
            if len(matching) != 1:
                self._fault(f"{where} belongs to {len(matching)} images, not to one: rename them.")
                continue
            try:
                content = json.loads(path.read_text(encoding="utf-8-sig"))
                label = _dotted(content, self.label)
                grouped = self.grouping not in (None, NO_GROUPING)
                patient = _dotted(content, str(self.patient)) if grouped else None
            except (ValueError, LookupError) as error:
                self._fault(f"{where} is not usable ({error}): correct or remove it.")
                continue
            yield SourceRecord(matching[0], label, patient, where)


@dataclass
class DicomTreeSource(Source):
    """DICOM files; patients come from the header, labels from the folders or from a table.

    Args:
        csv: Table of labels, relative to the data root; ``None`` for one folder per class.
        image: Column of the image path.
        label: Column of the class name.
    """

    csv: str | None = None
    image: str = "image"
    label: str = "label"

    @property
    def grouping(self) -> str | None:
        """The header field."""
        return "DICOM PatientID"

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        labels: Source = FolderSource(on_error=self.on_error)
        if self.csv is not None:
            labels = CsvSource(self.csv, self.image, self.label, on_error=self.on_error)
        for record in labels._read(root):
            try:
                header = read_dicom_header(resolve_inside(root, record.image), root=root.resolve())
            except ImageReadError as error:
                self._fault(str(error))
                continue
            patient = (header.patient_id or "").strip()
            if patient:
                yield SourceRecord(record.image, record.label, patient, record.where)
            else:
                self._fault(f"{record.where} has no PatientID: use a table with a patient column.")
        self.faults += labels.faults


def image_names(root: Path) -> Iterator[str]:
    """Relative names of the images below ``root``, in a fixed order; what is skipped is counted."""
    skipped: Counter[str] = Counter()
    for file in walk_files(root):
        if file.skip is None:
            yield file.name.as_posix()
        else:
            skipped[file.skip] += 1
    if skipped:
        counts = ", ".join(f"{number} x {reason}" for reason, number in sorted(skipped.items()))
        logger.info("Not images: %s.", counts)


def _dotted(content: Any, key: str) -> str:
    """The value at ``a.b.c``, as text."""
    for part in key.split("."):
        if not isinstance(content, dict) or part not in content:
            raise LookupError(f"there is no key {key}")
        content = content[part]
    if isinstance(content, dict | list) or content is None or not str(content).strip():
        raise LookupError(f"key {key} holds no single value")
    return str(content).strip()


def _is_formula(value: str) -> bool:
    """Names such as ``-1.png`` and ``+a`` are none here: files may be called so."""
    return is_formula(value) and not re.fullmatch(r"[+-][\w.,-]*", value)


@dataclass
class PreparedSource(Source):
    """What ``prepare`` found: its images, classes, patients and caveats, whatever their split.

    Images that ``prepare --unlabelled`` listed apart come with the label :attr:`unlabelled`.

    Args:
        datalist: File that ``prepare`` wrote.

    Raises:
        DataError: If it is missing, not a datalist, or was edited.
    """

    datalist: str
    sha256: str = field(default="", init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.datalist:
            raise DataError("`datalist` is not given: name the file that `prepare` wrote.")
        self._labelled = Datalist.load(Path(self.datalist))
        beside = unlabelled_path(self.datalist)
        self._classless = Datalist.load(beside) if beside.is_file() else None
        lists = (self._labelled, self._classless)
        self.sha256 = " ".join(datalist.sha256 for datalist in lists if datalist is not None)

    @property
    def grouping(self) -> str:
        """Where the patient ids came from when it was prepared."""
        return self._labelled.split.grouping

    @property
    def key_fingerprint(self) -> str:
        """Which secret key hashed the patients."""
        return self._labelled.split.key_fingerprint

    @property
    def caveats(self) -> tuple[str, ...]:
        """What was skipped, left out or merged when it was prepared."""
        return self._labelled.caveats

    @property
    def classes(self) -> list[str]:
        """Class names, by label."""
        return list(self._labelled.labels)

    @property
    def unlabelled(self) -> str | None:
        """The label of images without a class, if there are any."""
        return UNLABELLED if self._classless is not None else None

    @property
    def split(self) -> dict[str, int]:
        """Patients per class to learn from and to choose by: as many as its smallest class has.

        To learn from, no more than 30 % of that class: a study draws its training sets from one
        pool again and again, and more seeds do not average away what they have in common.
        """
        training, validation = (
            min(self._labelled.group_counts(part).values()) for part in ("training", "validation")
        )
        smallest = min(self._labelled.group_counts().values())
        return {
            "training_patients_per_class": min(training, max(1, int(LARGEST_SHARE * smallest))),
            "validation_patients_per_class": validation,
        }

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        names = self._labelled.labels
        for entry in self._labelled.entries():
            yield _record(entry, names[entry.known_label])
        for entry in () if self._classless is None else self._classless.training:
            yield _record(entry, UNLABELLED)


def unlabelled_path(out: Path | str) -> Path:
    """Where the unlabelled images of the datalist at ``out`` are listed.

    Example:
        >>> unlabelled_path("ct/datalist.json").name
        'datalist.unlabelled.json'
    """
    return Path(out).with_suffix(".unlabelled.json")


def _record(entry: Entry, label: str) -> SourceRecord:
    return SourceRecord(entry.image, label, None, entry.name, entry.frame, entry.group)
