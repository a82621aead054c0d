"""The datalist: which image belongs to which class, patient and split, and the split's hash.

The file is JSON in MONAI's decathlon style, so ``monai.data.load_decathlon_datalist`` reads it::

    {"schema": 1, "name": ..., "labels": {"0": "normal", "1": "pneumonia"},
     "training": [{"image": "a/1.png", "label": 0, "group": "5f…", "id": "c0ffee…"}, …],
     "validation": […], "test": […],
     "split": {"seed": 0, "grouping": "…", "key_fingerprint": "…", "sha256": "…"},
     "caveats": ["…"]}

A list of images whose classes nobody knows has the label ``null`` everywhere.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.frames import frame_name
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.files import FileRecord
from monai_gan_aug.records.parsing import JSON_SHAPE, JsonShape, Misfit

__all__ = ["NO_GROUPING", "NUMBERED", "SPLITS", "Datalist", "Entry", "SplitRecord"]

SPLITS = ("training", "validation", "test")
NO_GROUPING = "none"


def _names(numbered: dict[str, str]) -> tuple[str, ...]:
    if set(numbered) != set(map(str, range(len(numbered)))):
        raise Misfit(f"must be numbered from 0 without a gap, got {sorted(numbered)}")
    return tuple(numbered[str(position)] for position in range(len(numbered)))


NUMBERED = JsonShape(
    kind=dict[str, str],
    read=_names,
    write=lambda names: {str(position): name for position, name in enumerate(names)},
)
"""Class names as decathlon datalists have them: ``{"0": "normal", "1": "ill"}``."""


@dataclass(frozen=True)
class Entry:
    """One image.

    Args:
        image: Path relative to the data root, with ``/``.
        label: Index into the label names; nothing if nobody knows the class.
        group: Keyed hash of the patient; unique per image when there is no grouping.
        id: Content id of the image (:func:`monai_gan_aug.io.hashing.content_id`).
        frame: Which frame, page or slice of the file, from 0; ``None`` for a file of one image.
    """

    image: str
    label: int | None
    group: str
    id: str
    frame: int | None = None

    @property
    def name(self) -> str:
        """The file, with the frame if there is one."""
        return frame_name(self.image, self.frame)

    @property
    def known_label(self) -> int:
        """The label.

        Raises:
            DataError: If nobody knows the class.
        """
        if self.label is None:
            raise DataError(
                f"{self.image} has no class: list such images apart, with `prepare --unlabelled`."
            )
        return self.label


@dataclass(frozen=True)
class SplitRecord:
    """How the split came about.

    Args:
        seed: Seed of the split.
        grouping: Where patient ids came from (``"column patient_id"``, ``"DICOM PatientID"``,
            ``"none"``).
        key_fingerprint: Names the secret key of the patient hashes without revealing it; groups
            of two datalists compare only when it is the same.
        recipe: Fractions or patient numbers the split was asked for.
    """

    seed: int
    grouping: str
    key_fingerprint: str = ""
    recipe: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Datalist(FileRecord):
    """A labelled, split set of images; a group never spans splits.

    Args:
        labels: Class names; the position is the label.
        training: Entries the GAN and the classifier may learn from.
        validation: Entries for choices.
        test: Entries for the final number.
        split: How the split came about.
        name: Name of the data set, shown in reports.
        caveats: Sentences every report of this data set must repeat.

    Raises:
        DataError: If a group or an image is in two splits, a label is out of range, a split mixes
            images with and without a class, or there are fewer than two classes.
    """

    KIND = "a datalist"
    REMEDY = "make it with `prepare`"
    READS_UNNUMBERED = True
    SEAL = ("split", "sha256")

    labels: tuple[str, ...] = field(metadata={JSON_SHAPE: NUMBERED})
    training: tuple[Entry, ...]
    validation: tuple[Entry, ...]
    test: tuple[Entry, ...]
    split: SplitRecord
    name: str = "unnamed"
    caveats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            raise DataError(f"A datalist needs at least two classes, got {list(self.labels)}.")
        for entry in self.entries():
            if entry.label is not None and not 0 <= entry.label < len(self.labels):
                raise DataError(
                    f"{entry.image} has label {entry.label}, but there are {len(self.labels)} "
                    "label names: name every class in `labels`."
                )
        for split in SPLITS:
            if len({entry.label is None for entry in self.entries(split)}) > 1:
                raise DataError(
                    f"The {split} split mixes images with and without a class: list those without "
                    "apart, with `prepare --unlabelled`."
                )
        for attribute, what in (("group", "patients"), ("id", "identical images")):
            self._refuse_shared(attribute, what)

    def _refuse_shared(self, attribute: str, what: str) -> None:
        home: dict[str, str] = {}
        shared = set()
        for split in SPLITS:
            for entry in self.entries(split):
                value = getattr(entry, attribute)
                if home.setdefault(value, split) != split:
                    shared.add(value)
        if shared:
            shown = ", ".join(sorted(shared)[:5])
            raise DataError(
                f"{len(shared)} {what} are in more than one split ({shown}): "
                "split again by patient with `prepare`."
            )

    def entries(self, split: str | None = None) -> tuple[Entry, ...]:
        """Entries of one split, or of all three in order."""
        if split is None:
            return self.training + self.validation + self.test
        if split not in SPLITS:
            raise ValueError(f"`split` must be one of {SPLITS}, got {split!r}.")
        entries: tuple[Entry, ...] = getattr(self, split)
        return entries

    def groups(self, split: str | None = None) -> frozenset[str]:
        """Patient hashes of one split, or of all."""
        return frozenset(entry.group for entry in self.entries(split))

    def counts(self, split: str | None = None) -> dict[str, int]:
        """Images per class name; an image without a class counts in none."""
        counter = Counter(entry.label for entry in self.entries(split))
        return {name: counter[index] for index, name in enumerate(self.labels)}

    def group_counts(self, split: str | None = None) -> dict[str, int]:
        """Patients per class name (a patient with images of two classes counts in both)."""
        pairs: set[tuple[int | None, str]] = {
            (entry.label, entry.group) for entry in self.entries(split)
        }
        counter = Counter(label for label, _ in pairs)
        return {name: counter[index] for index, name in enumerate(self.labels)}

    @cached_property
    def sha256(self) -> str:
        """Hash of the labels and of who is where; paths do not enter it."""
        content = {
            split: sorted([e.id, e.label, e.group] for e in self.entries(split)) for split in SPLITS
        }
        return sha256_json({"labels": list(self.labels), **content})
