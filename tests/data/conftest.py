"""Small image sets with known labels and patients, drawn for each test."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.data.pooling import LabelledSource, Pool, PoolingRules, pool_entries
from monai_gan_aug.data.preparation import prepare
from monai_gan_aug.data.sources import Source
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.records.datalist import SPLITS, Datalist, Entry, SplitRecord
from monai_gan_aug.records.provenance import (
    Provenance,
    SyntheticDatalist,
    SyntheticEntry,
    TrainingRecord,
)
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

LABELS = ("normal", "ill")


@dataclass(frozen=True)
class ImageSet:
    """A folder of images and the entries that describe it."""

    root: Path
    entries: tuple[Entry, ...]

    @property
    def datalist(self) -> Datalist:
        """Patients by number: two thirds train, the others validate and test."""
        parts = {split: [] for split in SPLITS}
        for entry in self.entries:
            number = int(entry.group.split("-")[1])
            parts[
                ("training", "training", "training", "training", "validation", "test")[number % 6]
            ].append(entry)
        return Datalist(
            LABELS, **{k: tuple(v) for k, v in parts.items()}, split=SplitRecord(0, "test", "key")
        )


def write_noise(path: Path, seed: int, size: int = 16, channels: int = 1) -> Path:
    """Save noise that no other seed gives."""
    shape = (size, size) if channels == 1 else (size, size, channels)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def image_set(tmp_path) -> Callable[..., ImageSet]:
    """Make ``<label>/<patient>_<n>.png`` below a new root."""

    def make(patients: int = 6, images: int = 2, size: int = 16) -> ImageSet:
        root = tmp_path / "images"
        entries = []
        for label, name in enumerate(LABELS):
            for patient in range(patients):
                for number in range(images):
                    relative = f"{name}/p{patient}_{number}.png"
                    seed = (label * 1000 + patient) * 100 + number
                    path = write_noise(root / relative, seed, size)
                    entries.append(Entry(relative, label, f"{name}-{patient}", content_id(path)))
        return ImageSet(root, tuple(entries))

    return make


@pytest.fixture
def noise() -> Callable[..., Path]:
    """:func:`write_noise`."""
    return write_noise


@pytest.fixture
def recipe() -> PreprocessingRecipe:
    """Keeps the 16-pixel images of these tests as they are."""
    return PreprocessingRecipe(size=16, channels=1)


@pytest.fixture
def synthetic_list(tmp_path) -> Callable[..., Path]:
    """Write synthetic noise images and their datalist, made by a GAN of ``datalist``."""

    def make(datalist: Datalist, per_class: int = 4, seed: int = 10**6, saw: str = "training"):
        folder = tmp_path / f"synthetic-{seed}"
        entries = []
        for label in range(len(datalist.labels)):
            for number in range(per_class):
                path = write_noise(
                    folder / f"images/{label}_{number}.png", seed + 1000 * label + number
                )
                relative = path.relative_to(folder).as_posix()
                entries.append(SyntheticEntry(relative, label, content_id(path)))
        seen = datalist.entries(saw)
        record = TrainingRecord(
            datalist.sha256,
            datalist.split.key_fingerprint,
            tuple(sorted({e.group for e in seen})),
            tuple(sorted(e.id for e in seen)),
            datalist.labels,
        )
        synthetic = SyntheticDatalist(
            datalist.labels, tuple(entries), Provenance("0" * 64, record, seed)
        )
        synthetic.save(folder / "datalist.json")
        return folder / "datalist.json"

    return make


@pytest.fixture
def root(image_set):
    """Eight patients per class with two images each, ``<class>/p<patient>_<n>.png``."""
    images = image_set(patients=8)
    for path in (images.root / "ill").iterdir():
        path.rename(path.with_name(f"p1{path.name[1:]}"))
    return images.root


@pytest.fixture
def pooled(tmp_path) -> Callable[..., Pool]:
    """Pool a source; keywords are those of what names it and of the rules."""

    def run(source: Source, root: Path, **settings) -> Pool:
        return pool_entries(*_images_and_rules(source, root, tmp_path, settings))

    return run


@pytest.fixture
def prepared(tmp_path) -> Callable[..., Datalist]:
    """Prepare a source; keywords are those of what names it, of the rules, and of `prepare`."""

    def run(source: Source, root: Path, out: Path, **settings) -> Datalist:
        ours = {f.name for cls in (LabelledSource, PoolingRules) for f in fields(cls)}
        ours = {name: settings.pop(name) for name in ours & settings.keys()}
        ours.setdefault("on_duplicates", "refuse")
        images, rules = _images_and_rules(source, root, tmp_path, ours)
        return prepare(images, out, rules=rules, **settings)

    return run


def _images_and_rules(source, root, folder, settings):
    """A key of its own and no progress bars."""
    rules = {f.name for f in fields(PoolingRules)} & settings.keys()
    named = {name: value for name, value in settings.items() if name not in rules}
    images = LabelledSource(source, root, **{"key_file": folder / "key", **named})
    return images, PoolingRules(progress=False, **{name: settings[name] for name in rules})
