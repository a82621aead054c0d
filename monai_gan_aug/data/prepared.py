"""The images of a prepared datalist as a source, to split them again and again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monai_gan_aug.data.preparation import unlabelled_path
from monai_gan_aug.data.sources import Source, SourceRecord
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import Datalist, Entry

__all__ = ["PreparedSource"]

UNLABELLED = "unlabelled"


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
        found = (self._labelled, self._classless)
        self.sha256 = " ".join(one.sha256 for one in found if one is not None)

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
        """Patients per class to learn from and to choose by: as many as its smallest class has."""
        return {
            f"{part}_patients_per_class": min(self._labelled.group_counts(part).values())
            for part in ("training", "validation")
        }

    def _read(self, root: Path) -> Iterator[SourceRecord]:
        names = self._labelled.labels
        for entry in self._labelled.entries():
            label = names[entry.known_label]
            yield _record(entry, label)
        for entry in () if self._classless is None else self._classless.training:
            yield _record(entry, UNLABELLED)


def _record(entry: Entry, label: str) -> SourceRecord:
    return SourceRecord(entry.image, label, None, entry.name, entry.frame, entry.group)
