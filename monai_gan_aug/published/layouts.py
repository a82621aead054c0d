"""The published data sets, as a folder looks after the user has downloaded and unpacked it.

Each layout knows where labels and patients are, and says exactly what is missing when the folder
is another one. Nothing is downloaded here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai_gan_aug.data.sources import FolderSource, JsonPerImageSource, Source, SourceRecord
from monai_gan_aug.data.sources import image_names as images_below
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.names import printable
from monai_gan_aug.io.tables import read_table
from monai_gan_aug.records.datalist import NO_GROUPING

__all__ = ["LAYOUTS", "ClassFolders", "Layout", "NumberedTable", "layout"]


@dataclass(frozen=True)
class Layout:
    """How to prepare one published data set.

    Args:
        root: Data root, the folder or one inside it; the datalist's paths are relative to it.
        source: Where labels and patients come from.
        expected: Number of images the publication states.
        group: ``"none"`` if the publication gives no patient.
        caveats: Sentences every report must repeat.
    """

    root: Path
    source: Source
    expected: int
    group: str | None = None
    caveats: tuple[str, ...] = ()


@dataclass
class NumberedTable(Source):
    """A table that names images by their number or stem, without folder or suffix.

    Args:
        table: The table, relative to the data root.
        image: Column of the stem, by name, or by position in a table without a header.
        label: Column of the class.
        patient: Column of the patient, or nothing if there is none.
        labels: Class name for every value of the label column.
        digits: Pad the stem with zeros to this many digits.
    """

    table: str
    image: str | int
    label: str | int
    patient: str | int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    digits: int = 0

    @property
    def grouping(self) -> str | None:
        """The patient column, in words."""
        return NO_GROUPING if self.patient is None else f"column {self.patient}"

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        by_stem: dict[str, list[str]] = {}
        for name in images_below(root):
            by_stem.setdefault(Path(name).stem, []).append(name)
        columns = [c for c in (self.image, self.label, self.patient) if c is not None]
        for number, values in read_table(root / self.table, columns):  # type: ignore[arg-type]
            where = f"{Path(self.table).name} row {number}"
            if isinstance(values, str):
                self._fault(f"{where} {values}.")
                continue
            stem, label, *patient = values
            found = by_stem.get(stem.zfill(self.digits), [])
            fault = self._row_fault(stem, label, patient, found)
            if fault:
                self._fault(f"{where} {fault}.")
            else:
                yield SourceRecord(found[0], self.labels[label], (*patient, None)[0], where)

    def _row_fault(
        self, stem: str, label: str, patient: Sequence[str], found: Sequence[str]
    ) -> str | None:
        if label not in self.labels:
            return f"has the label {printable(label)!r}, expected one of {list(self.labels)}"
        if patient and not patient[0]:
            return f"has no patient in column {self.patient}: fill the cell"
        if not found:
            return f"names {printable(stem)}, of which there is no image: unpack all images"
        if len(found) > 1:
            names = " and ".join(map(printable, found[:2]))
            return f"names {printable(stem)}, which is there {len(found)} times ({names}): keep one"
        return None


@dataclass
class ClassFolders(Source):
    """The folder that holds an image is its class, at any depth.

    Args:
        labels: Class name for every such folder, spelled in lower case.
        patient: Regular expression whose first group, searched in the file name, is the patient.
    """

    labels: Mapping[str, str]
    patient: str

    @property
    def grouping(self) -> str | None:
        """The pattern, in words."""
        return f"pattern {self.patient} in the file name"

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        for name in images_below(root):
            path = Path(name)
            label = self.labels.get(path.parent.name.lower())
            found = re.search(self.patient, path.stem)
            if label is None:
                self._fault(f"{printable(name)} is in none of the folders {list(self.labels)}.")
            elif found is None:
                self._fault(f"{printable(name)} does not name its patient as {self.patient}.")
            else:
                yield SourceRecord(name, label, found.group(1), printable(name))


def _isic2016(folder: Path) -> Layout:
    table = _only(folder, "*Part3*GroundTruth*.csv", "the ground truth of part 3")
    return Layout(
        folder,
        NumberedTable(
            table, image=0, label=1, labels={"benign": "benign", "malignant": "malignant"}
        ),
        expected=900,
        group=NO_GROUPING,
        caveats=("ISIC 2016 names no patients: images of one patient may be on both sides.",),
    )


def _siim_isic(folder: Path) -> Layout:
    tables = sorted(folder.glob("*.csv"))
    for table in tables:
        header = table.read_text(encoding="utf-8-sig", errors="replace").split("\n", 1)[0]
        columns = [cell.strip().strip('"') for cell in header.split(",")]
        image = next((name for name in ("image_name", "dcm_name") if name in columns), None)
        if image and "target" in columns:
            patient = "patient_id" if "patient_id" in columns else None
            return Layout(
                folder,
                NumberedTable(
                    table.name, image, "target", patient, {"0": "benign", "1": "malignant"}
                ),
                expected=33_126 if image == "image_name" else 22_922,
                group=None if patient else NO_GROUPING,
                caveats=() if patient else (f"{table.name} names no patients.",),
            )
    if any(folder.rglob("*.json")):
        source = JsonPerImageSource(label="meta.clinical.benign_malignant", patient=NO_GROUPING)
        caveat = "The metadata name no patients: images of one patient may be on both sides."
        return Layout(folder, source, expected=22_922, group=NO_GROUPING, caveats=(caveat,))
    seen = [table.name for table in tables]
    raise DataError(
        f"{folder.name} holds neither a table with the columns image_name (or dcm_name) and "
        f"target, nor one JSON file per image; tables found: {seen}. Put train.csv into the folder."
    )


def _head_ct(folder: Path) -> Layout:
    table = _only(folder, "labels.csv", "the table of labels")
    return Layout(
        folder,
        NumberedTable(
            table,
            image="id",
            label="hemorrhage",
            labels={"0": "normal", "1": "haemorrhage"},
            digits=3,
        ),
        expected=200,
        group=NO_GROUPING,
        caveats=("The set names no patients; each slice is taken for a patient of its own.",),
    )


def _bone_xray(folder: Path) -> Layout:
    labels = {"fractured": "fractured", "not fractured": "not fractured"}
    _require_folders(folder, labels)
    return Layout(
        folder,
        ClassFolders(labels, patient=r"^(.+?)(?:-rotated\d+)*(?:\s*\(\d+\))*$"),
        expected=10_580,
        caveats=(
            "Patients are file names without their endings of rotation: turned copies of one image "
            "stay together, but two images of one patient may not.",
            "The source's own folders (train, val, test) were ignored: copies cross them.",
        ),
    )


def _malaria(folder: Path) -> Layout:
    inner = folder / "cell_images"
    root = inner if inner.is_dir() else folder
    if (root / "cell_images").is_dir():
        raise DataError(
            f"{root.name} holds a second folder cell_images, a copy of the whole set that some "
            "archives contain: remove the inner one."
        )
    _require_folders(root, {"parasitized": "", "uninfected": ""})
    return Layout(root, FolderSource(patient_pattern=r"^(C\d+(?:P\d+)?)"), expected=27_558)


LAYOUTS = {
    "isic2016": _isic2016,
    "siim_isic": _siim_isic,
    "head_ct": _head_ct,
    "bone_xray": _bone_xray,
    "malaria": _malaria,
}


def layout(name: str, folder: Path | str) -> Layout:
    """Look at an unpacked folder and say how it is prepared.

    Args:
        name: A key of :data:`LAYOUTS`.
        folder: The folder with the unpacked download.

    Raises:
        ValueError: If the name is unknown.
        DataError: If the folder is not there or is not laid out as published.
    """
    if name not in LAYOUTS:
        raise ValueError(f"`name` must be one of {list(LAYOUTS)}, got {name!r}.")
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder.name} is not a folder: give the folder of the unpacked archive.")
    return LAYOUTS[name](folder)


def _only(folder: Path, pattern: str, what: str) -> str:
    found = sorted(folder.rglob(pattern))
    if len(found) != 1:
        names = [path.relative_to(folder).as_posix() for path in found]
        raise DataError(
            f"{folder.name} must hold {what} ({pattern}) once, found {names or 'none'}: "
            "unpack the download into it."
        )
    return found[0].relative_to(folder).as_posix()


def _require_folders(folder: Path, names: Mapping[str, str]) -> None:
    present = {path.name.lower() for path in folder.rglob("*") if path.is_dir()}
    missing = [name for name in names if name not in present]
    if missing:
        raise DataError(
            f"{folder.name} lacks the folders {missing}, found {sorted(present)[:8]}: give the "
            "folder that holds the classes."
        )
