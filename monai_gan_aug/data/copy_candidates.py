"""Pairs of images worth a close look, found among many without comparing all of them.

Every image is described by the slow waves of a few windows: of the whole, of what a crop would
leave, and of its four quarters, so that a burned-in marker spoils one of them and not the rest.
Turning and mirroring an image only permutes its waves and changes their signs, so the eight
orientations cost nothing. The waves are weighted so that those count which differ between images
and hardly change when an image is turned a little, stretched or shifted (linear discriminant
analysis; the changes are simulated on the images themselves). The nearest descriptions are looked
up in cells.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["ORIENTATIONS", "SIDE", "Candidates", "find_candidates", "oriented"]

SIDE = 48
"""Side of the images that are compared."""
ORIENTATIONS = 8
INVERSE = np.array([0, 1, 2, 3, 4, 6, 5, 7])
"""Orientation that undoes each."""
WAVES = 12
"""Waves a side: the finest has a period of four pixels of the whole image."""
DIMENSIONS = 64
CROP, QUARTER = 44, 30
"""Sides of the windows that a crop and a quarter leave."""
SAMPLE = 1536
TURN, STRETCH, SHIFT = 5.0, 0.04, 0.02
"""Changes a description shall not notice: degrees, share of a side, share of a side."""
BLOCK = 8192
NONE = -2.0
"""Less than any product."""

Window = tuple[int, int, int]
"""First row, first column, side."""


def _windows(side: int) -> tuple[Window, ...]:
    rest = SIDE - side
    return tuple((y, x, side) for y in (0, rest) for x in (0, rest))


WHOLE: tuple[Window, ...] = ((0, 0, SIDE),)
CROPS: tuple[Window, ...] = (
    *WHOLE,
    ((SIDE - CROP) // 2, (SIDE - CROP) // 2, CROP),
    *_windows(CROP),
)
QUARTERS = _windows(QUARTER)


@dataclass(frozen=True)
class Candidates:
    """Pairs worth a close look.

    Args:
        turned: Positions of the images to be turned, ``(M,)``.
        other: Positions of the images they then look like, ``(M,)``.
        orientation: Number of the orientation (:func:`oriented`), ``(M,)``.
        window: Position in ``CROPS`` of the part of the other image, ``(M,)``.
    """

    turned: npt.NDArray[np.int64]
    other: npt.NDArray[np.int64]
    orientation: npt.NDArray[np.int64]
    window: npt.NDArray[np.int64]


def oriented(images: Tensor, orientation: int) -> Tensor:
    """Images ``(..., H, W)``, transposed from 4 on, rows reversed in 2 and 3, columns if odd.

    Example:
        >>> oriented(torch.tensor([[1, 2], [3, 4]]), 1).tolist()
        [[2, 1], [4, 3]]
    """
    if orientation & 4:
        images = images.transpose(-1, -2)
    axes = [axis for axis, bit in ((-2, 2), (-1, 1)) if orientation & bit]
    return images.flip(axes) if axes else images


def _turned_waves(waves: Tensor, orientation: int) -> Tensor:
    """Waves of the oriented images; shape ``(N, R, R, K, K)`` with ``R`` windows a side."""
    if orientation & 4:
        waves = waves.transpose(1, 2).transpose(3, 4)
    sign = (-1.0) ** torch.arange(WAVES)
    if orientation & 2:
        waves = waves.flip(1) * sign[:, None]
    if orientation & 1:
        waves = waves.flip(2) * sign
    return waves


def _taper(side: int) -> Tensor:
    """Shape ``(side,)``: nothing of the outer 6 %, where borders are; all from 20 % on."""
    place = (torch.arange(side) + 0.5) / side
    depth = torch.minimum(place, 1 - place)
    return (((depth - 0.06) / 0.14).clamp(0, 1) * math.pi / 2).sin() ** 2


def _cosines(side: int) -> Tensor:
    """Rows of the discrete cosine transform, type II, ``(WAVES, side)``."""
    place = (torch.arange(side) + 0.5) / side
    rows = torch.cos(math.pi * torch.arange(WAVES)[:, None] * place) * math.sqrt(2 / side)
    rows[0] /= math.sqrt(2)
    return rows


def _waves(images: Tensor, window: Window) -> Tensor:
    """Slow waves of a window of ``(N, SIDE, SIDE)``: ``(N, K, K)``, length 1, without the mean."""
    top, left, side = window
    part = images[:, top : top + side, left : left + side].float()
    taper = _taper(side)[:, None] * _taper(side)
    part = (part - (part * taper).sum((1, 2), keepdim=True) / taper.sum()) * taper
    cosines = _cosines(side)
    waves = cosines @ part @ cosines.T
    waves[:, 0, 0] = 0
    length: Tensor = waves.flatten(1).norm(dim=1)
    return waves / length[:, None, None].clamp_min(1e-6)


def _grid(images: Tensor, windows: Sequence[Window]) -> Tensor:
    """Waves of one or four windows as a square of windows, ``(N, R, R, K, K)``."""
    each = torch.stack([_waves(images, window) for window in windows], 1)
    across = math.isqrt(len(windows))
    return each.view(len(images), across, across, WAVES, WAVES)


def _second_moment(waves: Tensor) -> Tensor:
    """Mean product of waves, the same for all eight orientations, ``(K * K, K * K)``."""
    turned = [_turned_waves(waves, orientation) for orientation in range(ORIENTATIONS)]
    rows = torch.cat([part.reshape(-1, WAVES**2) for part in turned]).double()
    return rows.T @ rows / len(rows)


def _slightly_changed(images: Tensor, draw: torch.Generator) -> Tensor:
    def uniform(end: float) -> Tensor:
        return (2 * torch.rand(len(images), generator=draw) - 1) * end

    angle, tall, wide = uniform(math.radians(TURN)), 1 + uniform(STRETCH), 1 + uniform(STRETCH)
    rows = [wide * angle.cos(), -angle.sin(), uniform(2 * SHIFT)]
    rows += [angle.sin(), tall * angle.cos(), uniform(2 * SHIFT)]
    maps = torch.stack(rows, 1).view(-1, 2, 3)
    grid = torch.nn.functional.affine_grid(maps, [len(images), 1, SIDE, SIDE], align_corners=False)
    return torch.nn.functional.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def _projection(images: Tensor, windows: Sequence[Window]) -> Tensor:
    """Directions, ``(K * K, D)``, along which images differ most for what small changes do."""
    draw = torch.Generator().manual_seed(0)
    waves = _grid(images, windows)
    total = _second_moment(waves)
    within = torch.zeros_like(total)
    for _ in range(3):
        changed = _grid(_slightly_changed(images, draw), windows)
        within += _second_moment(changed - waves)
    frequency = torch.arange(WAVES).double()
    usual = 1 / (1 + frequency[:, None].hypot(frequency).flatten()) ** 2
    usual *= total.trace() / usual.sum()
    few = 50 / (50 + len(images))  # of few images, what is usual of pictures counts as well
    total = (1 - few) * total + few * usual.diag()
    within += 0.01 * within.diag().mean() * torch.eye(WAVES**2)
    whiten = torch.linalg.inv(torch.linalg.cholesky(within))
    gain, directions = torch.linalg.eigh(whiten @ total @ whiten.T)
    gain, directions = gain[-DIMENSIONS:], directions[:, -DIMENSIONS:]
    # between weighing directions by what they tell (power 0) and all alike (-1/2): of chests, which
    # differ in a few directions most of all, more copies come first this way
    projection: Tensor = whiten.T @ directions * gain.clamp_min(1) ** -0.25
    return projection.float()


def _described(waves: Tensor, projection: Tensor) -> Tensor:
    return torch.nn.functional.normalize(waves.reshape(len(waves), -1) @ projection, dim=1)


class _Index:
    """Rows of length 1 in cells, for approximate search of those with the largest product.

    Args:
        rows: Shape ``(M, D)``.
        sides: What each row belongs to, ``(M,)``; a query finds nothing of its own side.
        few: Up to this many rows, all of them are compared.
    """

    def __init__(self, rows: Tensor, sides: Tensor, few: int = 4096, probes: int = 8) -> None:
        self.centres = _centres(rows, max(1, round(math.sqrt(len(rows)))) if len(rows) > few else 1)
        self.probes = min(probes, len(self.centres))
        cell = _cells(rows, self.centres, 1)[:, 0]
        self.order = cell.argsort(stable=True)
        self.rows, self.sides = rows[self.order], sides[self.order]
        self.ends = torch.bincount(cell, minlength=len(self.centres)).cumsum(0).tolist()

    def nearest(self, queries: Tensor, sides: Tensor, keep: int) -> tuple[Tensor, Tensor]:
        """Products and positions of the ``keep`` best rows of each query; -1 for none."""
        cells = _cells(queries, self.centres, self.probes)
        asked = cells.flatten().argsort(stable=True)
        counts = torch.bincount(cells.flatten(), minlength=len(self.centres)).cumsum(0).tolist()
        best = torch.full((cells.numel(), keep), NONE)
        where = torch.full((cells.numel(), keep), -1)
        for number, (end, last) in enumerate(zip(self.ends, counts, strict=True)):
            begin, first = (self.ends[number - 1], counts[number - 1]) if number else (0, 0)
            for start in range(first, last if end > begin else first, BLOCK):
                slots = asked[start : min(start + BLOCK, last)]
                query = slots // self.probes
                products = queries[query] @ self.rows[begin:end].T
                products[sides[query][:, None] == self.sides[begin:end]] = NONE
                top = products.topk(min(keep, end - begin))
                rows = self.order[begin + top.indices].where(top.values > NONE, -1)
                best[slots, : rows.shape[1]], where[slots, : rows.shape[1]] = top.values, rows
        best, where = best.view(len(queries), -1), where.view(len(queries), -1)
        values, position = best.topk(keep)
        return values, where.gather(1, position)


def _cells(rows: Tensor, centres: Tensor, count: int) -> Tensor:
    """The nearest ``count`` centres of each row."""
    return torch.cat([(part @ centres.T).topk(count).indices for part in _blocks(rows)])


def _blocks(rows: Tensor) -> Iterator[Tensor]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


def _centres(rows: Tensor, count: int) -> Tensor:
    """Centres of cells by spherical k-means of a sample, ``(count, D)``."""
    sample = rows[:: max(1, len(rows) // (32 * count))]
    centres = sample[:: max(1, len(sample) // count)][:count].clone()
    for _ in range(6 if count > 1 else 0):
        cell = _cells(sample, centres, 1)[:, 0]
        sums = torch.zeros_like(centres).index_add_(0, cell, sample)
        lengths = sums.norm(dim=1, keepdim=True)
        centres = torch.where(lengths > 0, sums / lengths.clamp_min(1e-9), centres)
    return centres


def find_candidates(images: Tensor, sides: Tensor, *, keep: int = 8) -> Candidates:
    """The pairs of images most alike in some orientation, for a close look.

    Args:
        images: Shape ``(N, SIDE, SIDE)``, floating point, of comparable contrast.
        sides: Shape ``(N,)``; pairs of one side are not looked for.
        keep: Partners of each image by their whole, and as many by their quarters.
    """
    hits = [
        _hits(images, sides, CROPS, WHOLE, keep),
        _hits(images, sides, QUARTERS, QUARTERS, keep),
    ]
    turned, other, orientation, window, product = map(np.concatenate, zip(*hits, strict=True))
    # what was found twice, from both images or by whole and quarter, is looked at once
    back = np.where(turned > other, INVERSE[orientation], orientation)
    low, high = np.minimum(turned, other), np.maximum(turned, other)
    pair = (low * len(images) + high) * ORIENTATIONS + back
    by_quarter = np.arange(len(pair)) >= len(hits[0][0])
    order = np.lexsort((window, turned, -product, by_quarter, pair))
    best = order[np.r_[True, np.diff(pair[order]) > 0]] if len(order) else order
    return Candidates(turned[best], other[best], orientation[best], window[best])


Hits = tuple[npt.NDArray[Any], ...]


def _hits(
    images: Tensor, sides: Tensor, kept: Sequence[Window], asked: Sequence[Window], keep: int
) -> Hits:
    """Turned image, other image, orientation, window of the other image and product of each hit.

    Either one window of an image is looked up among several of the others, or each of several
    windows among the same window of the others.
    """
    count, same = len(images), kept == asked
    sample = images[:: max(1, count // SAMPLE)].float()
    projection = _projection(sample, asked)
    waves = torch.cat([_grid(part, asked) for part in _blocks(images)])
    described = [
        torch.cat([_described(_waves(part, window), projection) for part in _blocks(images)])
        for window in kept
    ]
    groups = [[rows] for rows in described] if same else [described]
    indices = [_Index(torch.cat(rows), sides.repeat(len(rows))) for rows in groups]
    hits: list[Hits] = []
    for start in range(0, count, BLOCK):
        block = waves[start : start + BLOCK]
        turned = torch.stack([_turned_waves(block, g) for g in range(ORIENTATIONS)])
        # (O, B, R, R, K, K) to one row for each orientation, image and sign
        queries = turned.flatten(2, 3).flatten(3)
        across = sides[start : start + BLOCK].repeat(2 * ORIENTATIONS)
        found = []
        for number, index in enumerate(indices):
            rows = torch.nn.functional.normalize(queries[:, :, number] @ projection, dim=2)
            rows = torch.cat([rows.flatten(0, 1), -rows.flatten(0, 1)])
            found.append(index.nearest(rows, across, 2 if same else 3))
        hits.append(_best(found, start, len(block), count, keep))
    return tuple(np.concatenate(parts) for parts in zip(*hits, strict=True))


def _best(
    found: Sequence[tuple[Tensor, Tensor]], start: int, block: int, count: int, keep: int
) -> Hits:
    """The ``keep`` hits of each query image with the largest products, summed over windows."""
    products = torch.cat([values for values, _ in found]).numpy()
    where = torch.cat([rows for _, rows in found]).numpy()
    row = np.arange(len(products)) % (2 * ORIENTATIONS * block)
    image, orientation, sign = (
        row % block,
        row // block % ORIENTATIONS,
        row // block // ORIENTATIONS,
    )
    shape = where.shape
    image, orientation, sign = (
        np.broadcast_to(part[:, None], shape)[where >= 0] for part in (image, orientation, sign)
    )
    product, where = products[where >= 0], where[where >= 0]
    other, window = where % count, where // count
    key = ((image * 2 + sign) * count + other) * ORIENTATIONS + orientation
    unique, inverse = np.unique(key, return_inverse=True)
    first = np.full(len(unique), -1)
    order = np.argsort(product, kind="stable")
    first[inverse[order]] = order  # the hit with the largest product of each
    total = np.bincount(inverse, product) if len(found) > 1 else product[first]
    order = np.lexsort((-total, image[first]))
    ranked = image[first][order]
    place = np.arange(len(ranked)) - np.searchsorted(ranked, ranked)
    chosen = first[order[place < keep]]
    windows = window if len(found) == 1 else np.zeros_like(window)
    return (
        start + image[chosen],
        other[chosen],
        orientation[chosen],
        windows[chosen],
        product[chosen],
    )
