"""Copies of images that were mirrored, turned, inverted, cropped, shifted, framed or marked.

A search in two steps. Descriptions of windows propose pairs
(:mod:`~monai_gan_aug.data.copy_candidates`); each pair is then laid on each other as well as an
affine map can, and counts as a copy only if the fine detail of one is that of the other nearly
everywhere (:mod:`~monai_gan_aug.data.registration`). What images of different patients
share, the body part, is coarse, and explains no detail.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from monai_gan_aug.data.copy_candidates import (
    CROPS,
    ORIENTATIONS,
    SIDE,
    find_candidates,
    oriented,
)
from monai_gan_aug.data.registration import Agreement, agreement, plausible, register

__all__ = ["Pair", "find_copies", "find_copies_between"]

FINEST, FINE = 0.80, 0.94
"""Least agreement of the finest detail and of detail half as fine."""
SURE = 0.87
"""Agreement of the finest detail that needs nothing else."""
FIRST_FINEST, FIRST_FINE = 0.75, 0.88
"""The same at half the size, where it only saves time."""
EDGE = 4
"""Pixels a side that do not decide about contrast: a border may lie there."""
OVERLAP = 0.6
"""Least part of the blocks that both images fill."""
DETAIL = 0.05
"""Least part of the detail that must stand out of the noise."""
BLOCK = 1024
ORIENTATION_WORDS = (
    "",
    "mirrored",
    "mirrored",
    "turned by 180°",
    "mirrored and turned by 90°",
    "turned by 90°",
    "turned by 90°",
    "mirrored and turned by 90°",
)


@dataclass(frozen=True, order=True)
class Pair:
    """Two images of which one is a copy of the other.

    Args:
        first: Position of an image.
        second: Position of the other one.
        kind: How they differ, such as ``"mirrored, cropped or framed"``; ``"same look"`` if nothing
            of that kind was needed.
        similarity: Correlation of their fine detail once they lie on each other, in ``(0, 1]``.
    """

    first: int
    second: int
    kind: str
    similarity: float


def find_copies(
    images: npt.NDArray[np.generic], *, sides: Sequence[int] | None = None, keep: int = 4
) -> list[Pair]:
    """Pairs of images of which one is a copy of the other, changed as a whole or in a corner.

    Found are the eight orientations, inversion, turns of up to 5 degrees, crops of up to a tenth of
    a side, shifts, frames, markers, re-encoding, and these together. The order of the images
    does not matter. Of an image with more than ``keep`` copies, not every pair is named.

    Args:
        images: Grey images of any contrast, ``(N, H, W)``; they are compared at 48 by 48 pixels.
            Images that are constant, or hold NaN, are copies of nothing.
        sides: Pairs on the same side, such as those of one patient, are not looked for. Every image
            is a side of its own if not given.
        keep: Partners of each image that are looked at closely, by its whole and by its quarters.

    Returns:
        Pairs with ``first < second``, in order.

    Raises:
        ValueError: If shapes do not fit.
    """
    if images.ndim != 3:
        raise ValueError(f"`images` must have the shape (N, H, W), got {images.shape}.")
    own = np.arange(len(images)) if sides is None else np.unique(sides, return_inverse=True)[1]
    if len(own) != len(images):
        raise ValueError(f"`sides` must name {len(images)} sides, got {len(own)}.")
    prepared, usable = _prepared(images)
    # in an order that only content decides: cells and samples must not depend on that of the files
    usable = usable[np.argsort([_digest(prepared[row]) for row in usable], kind="stable")]
    if len(usable) < 2:
        return []
    with torch.no_grad():
        pairs = _confirmed(prepared[usable], torch.from_numpy(own[usable]), keep)
    named = {}
    for pair in pairs:
        first, second = sorted((int(usable[pair.first]), int(usable[pair.second])))
        named[first, second] = Pair(first, second, pair.kind, pair.similarity)
    return sorted(named.values())


def find_copies_between(
    images: npt.NDArray[np.generic], others: npt.NDArray[np.generic], *, keep: int = 4
) -> list[Pair]:
    """Pairs of one image, at ``first``, and one of the others, at ``second``; as `find_copies`."""
    count = len(images)
    together = np.concatenate((_resized(images), _resized(others)))
    sides = [0] * count + [1] * len(others)
    found = find_copies(together, sides=sides, keep=keep)
    return [Pair(p.first, p.second - count, p.kind, p.similarity) for p in found]


def _digest(image: Tensor) -> bytes:
    return hashlib.sha256(image.numpy().tobytes()).digest()


def _resized(images: npt.NDArray[np.generic]) -> npt.NDArray[np.float16 | np.float32]:
    """Images of ``SIDE`` pixels; shrunk by area, enlarged by cubic curves."""
    if images.shape[1:] == (SIDE, SIDE):
        return images.astype(np.float32, copy=False)
    parts = []
    for start in range(0, len(images), BLOCK):
        part = torch.from_numpy(images[start : start + BLOCK].astype(np.float32))[:, None]
        how = "bicubic" if min(images.shape[1:]) < SIDE else "area"
        parts.append(interpolate(part, (SIDE, SIDE), mode=how)[:, 0].numpy())
    return np.concatenate(parts) if parts else np.zeros((0, SIDE, SIDE), np.float32)


def _prepared(images: npt.NDArray[np.generic]) -> tuple[Tensor, npt.NDArray[np.intp]]:
    """Images stretched to ``[0, 1]`` without the outermost 1 %, and which of them show anything."""
    resized = _resized(images)
    out = torch.zeros(len(images), SIDE, SIDE, dtype=torch.float16)
    usable = []
    for start in range(0, len(images), BLOCK):
        part = resized[start : start + BLOCK].astype(np.float32).reshape(-1, SIDE * SIDE)
        good = np.asarray(np.isfinite(part).all(1))
        part = np.where(good[:, None], part, 0)
        inner = part.reshape(-1, SIDE, SIDE)[:, EDGE:-EDGE, EDGE:-EDGE]  # no border decides
        low, high = (np.asarray(np.percentile(inner, at, axis=(1, 2))) for at in (1, 99))
        shows = good & np.asarray(high - low > 1e-6 * np.abs(part).max(1))
        stretched = (part - low[:, None]) / np.where(shows, high - low, 1)[:, None]
        small = torch.from_numpy(stretched.clip(0, 1).reshape(-1, SIDE, SIDE))
        out[start : start + BLOCK] = small.half()
        usable.append(start + np.flatnonzero(shows))
    return out, np.concatenate(usable) if usable else np.zeros(0, np.intp)


def _confirmed(images: Tensor, sides: Tensor, keep: int) -> list[Pair]:
    """The best of each pair of candidates that are copies."""
    candidates = find_candidates(images, sides, keep=keep)
    windows = _maps_of_windows()
    best: dict[tuple[int, int], Pair] = {}
    for start in range(0, len(candidates.turned), BLOCK):
        rows = slice(start, start + BLOCK)
        turned = torch.from_numpy(candidates.turned[rows])
        other = torch.from_numpy(candidates.other[rows])
        orientation = torch.from_numpy(candidates.orientation[rows])
        fixed = _oriented_each(images[turned].float(), orientation)
        moving = images[other].float()
        maps = windows[torch.from_numpy(candidates.window[rows])]
        for row, kind, similarity in _copies_among(fixed, moving, maps, orientation):
            first, second = sorted((int(turned[row]), int(other[row])))
            known = best.get((first, second))
            if known is None or similarity > known.similarity:
                best[first, second] = Pair(first, second, kind, similarity)
    return list(best.values())


def _copies_among(
    fixed: Tensor, moving: Tensor, maps: Tensor, orientation: Tensor
) -> list[tuple[int, str, float]]:
    """Row, kind and similarity of the pairs that are copies: half as large first, then in full."""
    small_fixed, small_moving = avg_pool2d(fixed, 2), avg_pool2d(moving, 2)
    maps = register(small_fixed, small_moving, maps, steps=5)
    seen = agreement(small_fixed, small_moving, maps)
    promising = (seen.finest >= FIRST_FINEST) & (seen.fine >= FIRST_FINE)
    rows = torch.nonzero(plausible(maps) & promising & (seen.overlap >= OVERLAP)).flatten()
    if not len(rows):
        return []
    fixed, moving, maps = fixed[rows], moving[rows], maps[rows]
    maps = register(fixed, moving, maps, steps=3)
    seen = agreement(fixed, moving, maps)
    good = plausible(maps) & _agree(seen)
    return [
        (
            int(rows[row]),
            _kind(maps[row], int(orientation[rows[row]]), seen, row),
            round(float(seen.finest[row]), 4),
        )
        for row in torch.nonzero(good).flatten().tolist()
    ]


def _agree(seen: Agreement) -> Tensor:
    detailed = (seen.overlap >= OVERLAP) & (seen.detail >= DETAIL)
    both = (seen.finest >= FINEST) & (seen.fine >= FINE)
    return detailed & (both | (seen.finest >= SURE))


def _kind(maps: Tensor, orientation: int, seen: Agreement, row: int) -> str:
    linear, offset = maps[:, :2], maps[:, 2]
    angle = math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    sizes = torch.linalg.svdvals(linear)
    words = [ORIENTATION_WORDS[orientation]]
    words += ["inverted"] * bool(seen.inverted[row])
    words += ["turned a little"] * (abs(angle) > 0.7)
    scaled = bool((sizes - 1).abs().max() > 0.012)
    words += ["cropped or framed"] * scaled
    words += ["shifted"] * (not scaled and bool(offset.abs().max() > 0.012))
    # what noise and re-encoding cost is spread over all blocks, what a marker costs is not
    spread, local = 1 - seen.finest[row], seen.finest[row] - seen.everywhere[row]
    words += ["covered in part"] * bool(local > 0.03 + 0.3 * spread)
    return ", ".join(word for word in words if word) or "same look"


def _oriented_each(images: Tensor, orientation: Tensor) -> Tensor:
    for number in range(1, ORIENTATIONS):
        rows = orientation == number
        if rows.any():
            images[rows] = oriented(images[rows], number)
    return images


def _maps_of_windows() -> Tensor:
    """Maps from the whole to each window, ``(windows, 2, 3)``."""
    rows = []
    for top, left, side in CROPS:
        size = side / SIDE
        rows.append(
            [[size, 0, (2 * left + side) / SIDE - 1], [0, size, (2 * top + side) / SIDE - 1]]
        )
    return torch.tensor(rows)
