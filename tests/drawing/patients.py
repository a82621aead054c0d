"""Made-up patients as image sets in memory, which tests turn into generators good and bad."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.records.provenance import (
    Provenance,
    SyntheticDatalist,
    SyntheticEntry,
    TrainingRecord,
)

SIDE = 24
LABELS = ("dark", "bright")


def draw_anatomy(count: int, seed: int) -> torch.Tensor:
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


def one_each(images: torch.Tensor, name: str, labels: torch.Tensor | None = None) -> ImageSet:
    """An image set with one patient per image; without labels, of two classes in turn."""
    names = tuple(f"{name}-{i}" for i in range(len(images)))
    labels = torch.arange(len(images)) % 2 if labels is None else labels
    return ImageSet(images, labels, names, names)


def draw_patients() -> SimpleNamespace:
    """Training, held-out and further images of three groups of sixty patients."""
    names = ("training", "held_out", "others")
    return SimpleNamespace(
        **{name: one_each(draw_anatomy(60, seed), name) for seed, name in enumerate(names)}
    )


def write_unseen(folder: Path, images: ImageSet, **settings: object) -> Path:
    """A synthetic datalist that names the images, without their files; return its path."""
    entries = tuple(
        SyntheticEntry(f"images/{i}.png", int(label), images.ids[i])
        for i, label in enumerate(images.labels)
    )
    record = TrainingRecord("5f", "key", (), (), LABELS)
    provenance = Provenance("c0", record, 0, {"images": len(entries), **settings})
    SyntheticDatalist(LABELS, entries, provenance).save(folder / "datalist.json")
    return folder / "datalist.json"


class HeldImages:
    """An image set in the place of :class:`CachedImages` or :class:`SyntheticImages`.

    Args:
        images: The set.
        path: Its synthetic datalist, if it is a generated one.
    """

    def __init__(self, images: ImageSet, path: Path | None = None) -> None:
        self.held = images
        self.label_names = LABELS
        self.recipe = SimpleNamespace(to_dict=lambda: {"size": SIDE})
        self.datalist = None
        self.lists = [] if path is None else [SyntheticDatalist.load(path)]
        self.synthetic = self.lists[0] if self.lists else None
        self.know_classes = all(datalist.knows_classes for datalist in self.lists)
