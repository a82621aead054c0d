"""Small image sets with known labels and patients, and the lists that describe them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.records.datalist import SPLITS, Datalist, Entry, SplitRecord
from monai_gan_aug.records.provenance import (
    Provenance,
    SyntheticDatalist,
    SyntheticEntry,
    TrainingRecord,
)
from tests.drawing.pictures import draw_half, draw_noise

LABELS = ("normal", "ill")
TURNS = ("training", "training", "training", "training", "validation", "test")
"""The split of every patient, by number."""


@dataclass(frozen=True)
class DrawnImages:
    """A folder of images and the entries that describe it."""

    root: Path
    entries: tuple[Entry, ...]

    @property
    def datalist(self) -> Datalist:
        """Patients by number: two thirds train, the others validate and test."""
        parts: dict[str, list[Entry]] = {split: [] for split in SPLITS}
        for entry in self.entries:
            parts[TURNS[int(entry.group.split("-")[1]) % len(TURNS)]].append(entry)
        return Datalist(
            LABELS, **{k: tuple(v) for k, v in parts.items()}, split=SplitRecord(0, "test", "key")
        )


def draw_image_set(root: Path, patients: int = 6, images: int = 2, size: int = 16) -> DrawnImages:
    """Noise as ``<label>/p<patient>_<n>.png`` below ``root``."""
    entries = []
    for label, name in enumerate(LABELS):
        for patient in range(patients):
            for number in range(images):
                relative = f"{name}/p{patient}_{number}.png"
                seed = (label * 1000 + patient) * 100 + number
                path = draw_noise(root / relative, seed, size)
                entries.append(Entry(relative, label, f"{name}-{patient}", content_id(path)))
    return DrawnImages(root, tuple(entries))


def draw_datalist(
    folder: Path,
    draw: Callable[[Path, int], object],
    *,
    training: int,
    validation: int = 0,
    test: int = 0,
    labels: tuple[str, str] = ("benign", "malignant"),
    below: str = "",
) -> Path:
    """One image per patient of two classes in turn, and their ``datalist.json``; return its path.

    Args:
        folder: Where to.
        draw: Writes the image of a number to a path.
        training: Images that train.
        validation: Images that validate.
        test: Images that test.
        labels: What the classes are called.
        below: Folder of the images within ``folder``, with a slash at its end.
    """
    entries = []
    for index in range(training + validation + test):
        name = f"{below}{index}.png"
        draw(folder / name, index)
        entries.append(Entry(name, index % 2, f"patient {index}", content_id(folder / name)))
    Datalist(
        labels=labels,
        training=tuple(entries[:training]),
        validation=tuple(entries[training : training + validation]),
        test=tuple(entries[training + validation :]),
        split=SplitRecord(seed=0, grouping="made in the test"),
    ).save(folder / "datalist.json")
    return folder / "datalist.json"


def draw_halves(
    root: Path,
    patients: int,
    seed: int,
    *,
    first: int = 0,
    labels: tuple[str, str] = ("left", "right"),
    prefix: str = "p",
) -> Path:
    """Bright halves hard to tell apart, and ``labels.csv`` (path, label, patient); return ``root``.

    Patients are called by ``prefix`` and numbers from ``first`` on, and have one image each.
    """
    rng, rows = np.random.default_rng(seed), ["path,label,patient"]
    for number in range(patients):
        draw_half(root / f"{number}.png", number % 2, rng, contrast=(2, 20))
        rows.append(f"{number}.png,{labels[number % 2]},{prefix}{first + number}")
    (root / "labels.csv").write_text("\n".join(rows))
    return root


def training_record(
    datalist: Datalist, split: str = "training", recipe: dict[str, object] | None = None
) -> TrainingRecord:
    """What a network that saw one split of ``datalist`` says about it."""
    seen = datalist.entries(split)
    return TrainingRecord(
        datalist.sha256,
        datalist.split.key_fingerprint,
        tuple(sorted({entry.group for entry in seen})),
        tuple(sorted(entry.id for entry in seen)),
        datalist.labels,
        recipe or {},
    )


def write_synthetic_set(
    folder: Path,
    datalist: Datalist,
    draw: Callable[[Path, int, int], object],
    *,
    per_class: int,
    seed: int = 0,
    saw: str = "training",
) -> Path:
    """Images of a GAN that saw one split of ``datalist``, and their list; return its path.

    Args:
        folder: Where to.
        datalist: The real images.
        draw: Writes the image of a class and number to a path.
        per_class: Images of every class.
        seed: That of the sampling, as recorded.
        saw: The split.
    """
    entries: list[SyntheticEntry] = []
    for label in range(len(datalist.labels)):
        for number in range(per_class):
            name = f"images/{label}_{number}.png"
            draw(folder / name, label, number)
            entries.append(SyntheticEntry(name, label, content_id(folder / name)))
    provenance = Provenance("0" * 64, training_record(datalist, saw), seed)
    SyntheticDatalist(datalist.labels, tuple(entries), provenance).save(folder / "datalist.json")
    return folder / "datalist.json"
