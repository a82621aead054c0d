"""Small images of made-up patients, which tests turn into generators good and bad."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.records.provenance import (
    Provenance,
    SyntheticDatalist,
    SyntheticEntry,
    TrainingRecord,
)

SIDE = 24


def anatomy(count, seed):
    """Images ``(count, 1, 24, 24)`` in ``[-1, 1]``: one common disc, and blobs of every patient."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    images = np.repeat(0.5 * (np.hypot(y - 0.5, x - 0.5) < 0.4)[None], count, axis=0)
    for image in images:
        for _ in range(6):
            centre, width = draw.uniform(0.15, 0.85, 2), draw.uniform(0.04, 0.12)
            height = draw.uniform(-0.5, 0.5)
            square = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
            image += height * np.exp(-square / (2 * width**2))
    return torch.from_numpy(images - 0.4).float().clamp(-1, 1)[:, None]


def as_set(images, name, labels=None):
    """An image set with one patient per image."""
    rows = tuple(f"{name}-{i}" for i in range(len(images)))
    labels = torch.arange(len(images)) % 2 if labels is None else labels
    return ImageSet(images, labels, rows, rows)


@pytest.fixture(scope="session")
def patients():
    """Training, held-out and further images of three groups of patients."""
    names = ("training", "held_out", "others")
    return SimpleNamespace(
        **{name: as_set(anatomy(60, seed), name) for seed, name in enumerate(names)}
    )


@pytest.fixture
def write_set(tmp_path):
    """Write a synthetic datalist that names images without files; return its path."""

    def write(images, **settings):
        entries = tuple(
            SyntheticEntry(f"images/{i}.png", int(label), images.ids[i])
            for i, label in enumerate(images.labels)
        )
        record = TrainingRecord("5f", "key", (), (), ("dark", "bright"))
        made = SyntheticDatalist(
            ("dark", "bright"),
            entries,
            Provenance("c0", record, 0, {"images": len(entries), **settings}),
        )
        made.save(tmp_path / "datalist.json")
        return tmp_path / "datalist.json"

    return write


class Source:
    """An image set in the place of :class:`CachedImages` or :class:`SyntheticImages`."""

    def __init__(self, images, path=None):
        self.held = images
        self.label_names = ("dark", "bright")
        self.recipe = SimpleNamespace(to_dict=lambda: {"size": SIDE})
        self.datalist = None
        self.lists = [] if path is None else [SyntheticDatalist.load(path)]
        self.synthetic = self.lists[0] if self.lists else None
        self.know_classes = all(one.knows_classes for one in self.lists)


@pytest.fixture
def source():
    """The class that stands in for data sets."""
    return Source
