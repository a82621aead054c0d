"""How the folder of a published data set looks after the user has downloaded and unpacked it.

The module of each system registers its own layout, which knows where labels and patients are, and
says exactly what is missing when the folder is another one. Nothing is downloaded here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai_gan_aug.data.sources import Source, SourceRecord, image_names
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.names import printable
from monai_gan_aug.io.tables import read_table
from monai_gan_aug.records.datalist import NO_GROUPING

__all__ = [
    "LAYOUTS",
    "ClassFolders",
    "Layout",
    "NumberedTable",
    "layout",
    "only_file",
    "register_layout",
    "require_folders",
]


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
        for name in image_names(root):
            by_stem.setdefault(Path(name).stem, []).append(name)
        columns = [c for c in (self.image, self.label, self.patient) if c is not None]
        for number, values in read_table(root / self.table, columns):
            where = f"{Path(self.table).name} row {number}"
            if isinstance(values, str):
                self._fault(f"{where} {values}.")
                continue
            stem, label, *patient = values
            names = by_stem.get(stem.zfill(self.digits), [])
            fault = self._row_fault(stem, label, patient, names)
            if fault:
                self._fault(f"{where} {fault}.")
            else:
                yield SourceRecord(names[0], self.labels[label], (*patient, None)[0], where)

    def _row_fault(
        self, stem: str, label: str, patient: Sequence[str], names: Sequence[str]
    ) -> str | None:
        if label not in self.labels:
            return f"has the label {printable(label)!r}, expected one of {list(self.labels)}"
        if patient and not patient[0]:
            return f"has no patient in column {self.patient}: fill the cell"
        if not names:
            return f"names {printable(stem)}, of which there is no image: unpack all images"
        if len(names) > 1:
            two = " and ".join(map(printable, names[:2]))
            return f"names {printable(stem)}, which is there {len(names)} times ({two}): keep one"
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
        for name in image_names(root):
            path = Path(name)
            label = self.labels.get(path.parent.name.lower())
            match = re.search(self.patient, path.stem)
            if label is None:
                self._fault(f"{printable(name)} is in none of the folders {list(self.labels)}.")
            elif match is None:
                self._fault(f"{printable(name)} does not name its patient as {self.patient}.")
            else:
                yield SourceRecord(name, label, match.group(1), printable(name))


Look = Callable[[Path], Layout]
LAYOUTS: dict[str, Look] = {}
FORMER_NAMES: dict[str, str] = {}


def register_layout(name: str, former: str | None = None) -> Callable[[Look], Look]:
    """Make the layout of a system known by name.

    Args:
        name: What ``prepare --published`` calls it.
        former: What earlier versions called it; refused by naming the new name.
    """

    def register(look: Look) -> Look:
        LAYOUTS[name] = look
        if former is not None:
            FORMER_NAMES[former] = name
        return look

    return register


def layout(name: str, folder: Path | str) -> Layout:
    """Look at an unpacked folder and say how it is prepared.

    Args:
        name: The name of a system that has registered its layout.
        folder: The folder with the unpacked download.

    Raises:
        ValueError: If the name is unknown or no longer in use.
        DataError: If the folder is not there or is not laid out as published.
    """
    if name in FORMER_NAMES:
        raise ValueError(f"The published set {name!r} is called {FORMER_NAMES[name]!r} now.")
    if name not in LAYOUTS:
        raise ValueError(f"`name` must be one of {sorted(LAYOUTS)}, got {name!r}.")
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder.name} is not a folder: give the folder of the unpacked archive.")
    return LAYOUTS[name](folder)


def only_file(folder: Path, pattern: str, what: str) -> str:
    """The one file below ``folder`` that matches ``pattern``, relative to it.

    Raises:
        DataError: If there is none or several; ``what`` names it.
    """
    matches = sorted(path.relative_to(folder).as_posix() for path in folder.rglob(pattern))
    if len(matches) != 1:
        raise DataError(
            f"{folder.name} must hold {what} ({pattern}) once, found {matches or 'none'}: "
            "unpack the download into it."
        )
    return matches[0]


def require_folders(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder that lacks some of ``names``, in lower case, at any depth below it.

    Raises:
        DataError: With what is missing and what is there.
    """
    present = {path.name.lower() for path in folder.rglob("*") if path.is_dir()}
    missing = [name for name in names if name not in present]
    if missing:
        raise DataError(
            f"{folder.name} lacks the folders {missing}, found {sorted(present)[:8]}: give the "
            "folder that holds the classes."
        )
