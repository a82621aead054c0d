"""Images that are in a set twice: byte for byte, or as near copies.

Near copies are found by the correlation of small grey versions, all pairs of them. Copies that were
cropped, turned or mirrored are not found.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from monai_gan_aug.data.decoding import decode_images
from monai_gan_aug.data.paths import printable
from monai_gan_aug.data.similarity import correlated_pairs
from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.records.datalist import Entry

__all__ = [
    "Thumbnail",
    "Thumbnails",
    "find_identical",
    "find_near_duplicates",
    "merge_groups",
    "read_thumbnails",
]

Pair = tuple[int, int]


@dataclass(frozen=True)
class Thumbnail:
    """A decoder that keeps a grey image of ``size`` by ``size`` pixels, ``float32``, stretched.

    Args:
        size: Edge length.
    """

    size: int = 24

    def __call__(self, image: DecodedImage) -> np.ndarray:
        """The thumbnail, shape ``(size, size)``; all NaN if the image is constant."""
        pixels = image.pixels
        if pixels.min() == pixels.max():
            return np.full((self.size, self.size), np.nan, dtype=np.float32)
        grey = pixels[0] if len(pixels) == 1 else pixels.mean(axis=0, dtype=np.float32)
        air = Image.fromarray(grey.astype(np.float32).clip(-1024, None))  # CT padding is below
        return np.asarray(air.resize((self.size, self.size), Image.Resampling.BOX))


@dataclass(frozen=True)
class Thumbnails:
    """Small versions of many images.

    Args:
        vectors: Shape ``(N, F)``, ``float32``; zeros for a bad image.
        units: Meaning of each file's values; ``None`` for a bad image.
        bad: Why an image is bad, by position.
    """

    vectors: np.ndarray
    units: tuple[Units | None, ...]
    bad: Mapping[int, ImageReadError]


def find_identical(entries: Sequence[Entry]) -> list[Pair]:
    """Positions of images with the same content, each paired with the first of its kind."""
    first: dict[str, int] = {}
    pairs = []
    for position, entry in enumerate(entries):
        original = first.setdefault(entry.id, position)
        if original != position:
            pairs.append((original, position))
    return pairs


def find_near_duplicates(
    entries: Sequence[Entry],
    root: Path,
    *,
    threshold: float = 0.995,
    workers: int | None = None,
    progress: bool = True,
) -> list[Pair]:
    """Positions of images that look the same, identical ones included.

    Args:
        entries: Images.
        root: Folder their paths are relative to.
        threshold: Correlation from which two images count as copies, in ``(0, 1]``.
        workers: Decoding processes; ``None`` for one per core.
        progress: Whether to show a progress bar.

    Returns:
        Pairs ``(i, j)`` with ``i < j``.

    Raises:
        ImageReadError: If an image cannot be read or is constant.
    """
    thumbnails = read_thumbnails(entries, root, workers=workers, progress=progress)
    for error in thumbnails.bad.values():
        raise error
    return correlated_pairs(thumbnails.vectors, threshold)


def read_thumbnails(
    entries: Sequence[Entry],
    root: Path,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> Thumbnails:
    """Read every image once, small; bad images are recorded, not raised."""
    thumbnail = Thumbnail()
    vectors = np.zeros((len(entries), thumbnail.size**2), dtype=np.float32)
    bad: dict[int, ImageReadError] = {}
    units: list[Units | None] = []
    results = decode_images(
        entries,
        root,
        thumbnail,
        workers=workers,
        progress=progress,
        description="looking for copies",
    )
    for position, decoded in enumerate(results):
        units.append(decoded.units)
        if decoded.pixels is None:
            name = printable(entries[position].name)
            bad[position] = decoded.error or ImageReadError(name, "is bad", "remove it")
        elif np.isnan(decoded.pixels).any():
            name = printable(entries[position].name)
            bad[position] = ImageReadError(name, "has one value everywhere", "remove it")
        else:
            vectors[position] = decoded.pixels.ravel()
    return Thumbnails(vectors, tuple(units), bad)


def merge_groups(entries: Sequence[Entry], pairs: Sequence[Pair]) -> tuple[Entry, ...]:
    """The entries with the groups of every pair joined (and of pairs of pairs, and so on).

    Example:
        >>> a, b = Entry("a.png", 0, "g1", "1"), Entry("b.png", 0, "g2", "2")
        >>> [entry.group for entry in merge_groups([a, b], [(0, 1)])]
        ['g1', 'g1']
    """
    neighbours: dict[str, set[str]] = defaultdict(set)
    for i, j in pairs:
        neighbours[entries[i].group].add(entries[j].group)
        neighbours[entries[j].group].add(entries[i].group)
    name: dict[str, str] = {}
    for group in sorted(neighbours):
        if group in name:
            continue
        waiting = [group]
        while waiting:
            member = waiting.pop()
            if member not in name:
                name[member] = group
                waiting.extend(neighbours[member])
    return tuple(replace(entry, group=name.get(entry.group, entry.group)) for entry in entries)
