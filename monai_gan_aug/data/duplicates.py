"""Images that are in a set twice: byte for byte, or as near copies.

Near copies are found by the correlation of small grey versions, all pairs of them, exactly, in time
and memory that allow for 10⁵ images. Cropped, turned and mirrored copies are not found that way:
:mod:`monai_gan_aug.data.copies` finds them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from monai_gan_aug.data.decoding import decode_images
from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.io.names import printable
from monai_gan_aug.records.datalist import Entry

__all__ = [
    "SAME_LOOK",
    "Pair",
    "Thumbnail",
    "Thumbnails",
    "correlated_pairs",
    "find_identical",
    "merge_groups",
    "read_thumbnails",
]

Pair = tuple[int, int]
SAME_LOOK = 0.995
"""Correlation of thumbnails from which two images count as copies."""
SKETCH = 48
SAMPLE = 4096
ROUNDING = 1e-5
SAME = 1e-6
CANDIDATES_AT_ONCE = 2**13
FULL_PRODUCT_SHARE = 1 / 16
"""Share of candidates from which one product of whole blocks is quicker than pair by pair."""
MAX_PAIRS = 1_000_000


@dataclass(frozen=True)
class Thumbnail:
    """A decoder that keeps a grey image of ``size`` by ``size`` pixels, ``float32``, stretched.

    Args:
        size: Edge length.
        enlarging: How smaller images are enlarged: in blocks, or smoothly.
    """

    size: int = 24
    enlarging: Image.Resampling = Image.Resampling.BOX

    def __call__(self, image: DecodedImage) -> np.ndarray:
        """The thumbnail, shape ``(size, size)``; all NaN if the image is constant."""
        pixels = image.pixels
        if pixels.min() == pixels.max():
            return np.full((self.size, self.size), np.nan, dtype=np.float32)
        grey = pixels[0] if len(pixels) == 1 else pixels.mean(axis=0, dtype=np.float32)
        air = Image.fromarray(grey.astype(np.float32).clip(-1024, None))  # CT padding is below
        smaller = min(air.size) < self.size
        how = self.enlarging if smaller else Image.Resampling.BOX
        return np.asarray(air.resize((self.size, self.size), how))


THUMBNAIL = Thumbnail()


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


def read_thumbnails(
    entries: Sequence[Entry],
    root: Path,
    *,
    thumbnail: Thumbnail = THUMBNAIL,
    workers: int | None = None,
    progress: bool = True,
) -> Thumbnails:
    """Read every image once, small; bad images are recorded, not raised."""
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


def correlated_pairs(
    vectors: npt.NDArray[np.floating],
    threshold: float,
    *,
    rows: Sequence[int] | None = None,
    block: int = 2048,
) -> list[Pair]:
    """All pairs of rows whose Pearson correlation reaches ``threshold``.

    Every pair is looked at, but most of them in a few dimensions only: with the strongest
    directions of all vectors as basis, and the length of what they leave of each vector as one
    coordinate more, the product of two such sketches is never below the correlation (Cauchy and
    Schwarz). Only pairs whose sketches reach the threshold are compared in full.

    Time grows with the square of the number of rows: about half a minute on one core for 10⁵ smooth
    images, several times as long if all of them are alike or pure noise.

    Args:
        vectors: Shape ``(N, F)``; a row of one value correlates with nothing.
        threshold: In ``(0, 1]``.
        rows: Which rows to compare, all of them if not given; pairs are positions in this list.
        block: Rows compared at a time; memory beside one copy of ``vectors`` grows with its square.

    Returns:
        Pairs ``(i, j)`` with ``i < j``, in order.

    Raises:
        ValueError: If ``threshold`` is out of its range.
        DataError: If a million pairs and more correlate, which no list could be made of.

    Example:
        >>> correlated_pairs(np.array([[0.0, 1, 2], [2, 1, 0], [1, 2, 3.001]]), 0.99)
        [(0, 2)]
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"`threshold` must lie in (0, 1], got {threshold}.")
    unit = _unit(np.array(vectors if rows is None else vectors[list(rows)], dtype=np.float32))
    sketch = _sketch(unit)
    pairs: list[Pair] = []
    for top in range(0, len(unit), block):
        for left in range(top, len(unit), block):
            a, b = slice(top, top + block), slice(left, left + block)
            close = sketch[a] @ sketch[b].T >= threshold - ROUNDING
            if top == left:
                close = np.triu(close, k=1)
            for above, beside in _confirmed(close, unit[a], unit[b], threshold - SAME):
                pairs += zip((above + top).tolist(), (beside + left).tolist(), strict=True)
                _refuse_too_many(len(pairs))
    return sorted(pairs)


def _refuse_too_many(pairs: int) -> None:
    if pairs > MAX_PAIRS:
        raise DataError(
            f"More than {MAX_PAIRS} pairs of images look the same, so the images are nearly all "
            "alike: remove the copies, or look at their intensities with `inspect --sheet`."
        )


def _unit(unit: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows without their mean, of length 1, in place; all zero where there is nothing else."""
    unit -= unit.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("nf,nf->n", unit, unit))
    unit /= np.maximum(lengths, 1e-12)[:, None]
    return unit


def _sketch(unit: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Shape ``(N, SKETCH + 1)``; products are upper bounds of the correlation, up to rounding."""
    if unit.shape[1] <= SKETCH + 1:
        return unit
    sample = unit[:: max(1, len(unit) // SAMPLE)]
    basis = np.linalg.eigh(sample.T @ sample)[1][:, -SKETCH:]
    sketch = np.empty((len(unit), SKETCH + 1), np.float32)
    np.matmul(unit, basis, out=sketch[:, :-1])
    # a little more than what is left, so that rounding never makes the bound too small
    left = np.einsum("nf,nf->n", unit, unit) - np.einsum("nf,nf->n", *[sketch[:, :-1]] * 2)
    sketch[:, -1] = np.sqrt(np.maximum(left, 0) + ROUNDING / 10)
    return sketch


def _confirmed(
    close: npt.NDArray[np.bool_],
    a: npt.NDArray[np.float32],
    b: npt.NDArray[np.float32],
    threshold: float,
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Rows of ``a`` and of ``b`` that correlate, of the candidates in ``close``."""
    candidates = np.count_nonzero(close)
    if candidates > FULL_PRODUCT_SHARE * close.size:
        rows, columns = np.nonzero(close & (a @ b.T >= threshold))
        yield rows, columns
    elif candidates:
        rows, columns = np.nonzero(close)
        for start in range(0, candidates, CANDIDATES_AT_ONCE):
            some = slice(start, start + CANDIDATES_AT_ONCE)
            products = np.einsum("pf,pf->p", a[rows[some]], b[columns[some]])
            same = products >= threshold
            yield rows[some][same], columns[some][same]
