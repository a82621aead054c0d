"""Soft-edged shapes and smooth random fields, in millimetres, from which phantoms are drawn."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ANGLES",
    "Array",
    "HeadFrame",
    "SmoothFields",
    "along_levels",
    "angular_distance",
    "blend",
    "ellipse_depth",
    "harmonics",
    "soft_inside",
    "stroke_depth",
]

Array = NDArray[np.floating[Any]]

ANGLES: Array = np.linspace(-np.pi, np.pi, 4096, endpoint=False, dtype=np.float32)
"""Directions at which every table around the head is sampled: 0 is the patient's left, pi/2 the
back. A table is looked up by index, which is an order of magnitude cheaper than interpolating."""

LOWEST_LEVEL, HIGHEST_LEVEL = -12.0, 64.0


@dataclass(frozen=True)
class HeadFrame:
    """Where each pixel of one slice lies in the head.

    Attributes:
        x: Millimetres to the patient's left of the middle of the head, shape ``(H, W)``.
        y: Millimetres behind the middle of the head, shape ``(H, W)``.
        radius: Distance to the middle, shape ``(H, W)``.
        direction: Index into `ANGLES`, shape ``(H, W)``.
        level: Millimetres above the foramina of Monro.
        edge: Width over which an edge is spread, in millimetres (one pixel).
    """

    x: Array
    y: Array
    radius: Array
    direction: NDArray[np.int32]
    level: float
    edge: float

    @classmethod
    def of_slice(
        cls, size: int, spacing: float, level: float, roll: float, centre: tuple[float, float]
    ) -> "HeadFrame":
        """Frame of a square slice whose head is turned by ``roll`` radians and off ``centre``."""
        axis = ((np.arange(size) - (size - 1) / 2) * spacing).astype(np.float32)
        across, down = axis[None, :] - np.float32(centre[0]), axis[:, None] - np.float32(centre[1])
        cosine, sine = np.float32(np.cos(roll)), np.float32(np.sin(roll))
        x, y = cosine * across + sine * down, cosine * down - sine * across
        turns = np.arctan2(y, x) * np.float32(len(ANGLES) / (2 * np.pi))
        direction = (turns + len(ANGLES) / 2).astype(np.int32) % len(ANGLES)
        return cls(x, y, np.sqrt(x * x + y * y), direction, level, spacing)

    def turned(self, arc: Array) -> NDArray[np.int32]:
        """Directions after moving every pixel ``arc`` millimetres around the middle."""
        turns = arc * np.float32(len(ANGLES) / (2 * np.pi)) / np.maximum(self.radius, 15)
        return (self.direction + turns.astype(np.int32)) % len(ANGLES)


@dataclass(frozen=True)
class SmoothFields:
    """Random fields that vary smoothly within a slice and from level to level.

    Attributes:
        weights: Spline weights, shape ``(fields, levels, knots, knots)``.
    """

    weights: Array

    @classmethod
    def draw(
        cls, rng: np.random.Generator, fields: int, knots: int, levels: int = 6
    ) -> "SmoothFields":
        """Fields of about unit standard deviation with ``knots`` knots along each axis."""
        shape = (fields, levels, knots, knots)
        return cls(2 * rng.standard_normal(shape, dtype=np.float32))

    def at(self, level: float, size: int) -> Array:
        """Values in the slice at ``level`` millimetres, shape ``(fields, size, size)``."""
        last = self.weights.shape[1] - 1
        place = (level - LOWEST_LEVEL) / (HIGHEST_LEVEL - LOWEST_LEVEL) * last
        lower = int(np.clip(np.floor(place), 0, last - 1))
        share = np.float32(np.clip(place - lower, 0, 1))
        weights = (1 - share) * self.weights[:, lower] + share * self.weights[:, lower + 1]
        basis = _spline_basis(weights.shape[-1], size)
        # einsum rather than matmul: its sum has one order, however many threads BLAS would use
        rows = np.einsum("ik,nkl->nil", basis, weights)
        values: Array = np.einsum("nil,jl->nij", rows, basis)
        return values


@lru_cache(maxsize=16)
def _spline_basis(knots: int, size: int) -> Array:
    place = (np.arange(size) + 0.5) / size * (knots - 3) + 1
    away = np.abs(place[:, None] - np.arange(knots)[None, :])
    near, far = 2 / 3 - away**2 + away**3 / 2, (2 - away) ** 3 / 6
    return np.where(away < 1, near, np.where(away < 2, far, 0)).astype(np.float32)


def soft_inside(depth: Array, width: float) -> Array:
    """Share of each pixel that is inside an edge ``depth`` millimetres away, in ``[0, 1]``.

    Example:
        >>> soft_inside(np.float32([-1, 0, 1]), 1.0)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    share: Array = np.clip(depth / np.float32(width) + np.float32(0.5), 0, 1)
    return share


def blend(image: Array, value: Array | float, share: Array) -> Array:
    """``image`` with ``share`` (0..1) of each pixel replaced by ``value``."""
    return image + (np.asarray(value, dtype=np.float32) - image) * share


def ellipse_depth(
    x: Array, y: Array, centre: tuple[float, float], radii: tuple[float, float], turn: float = 0.0
) -> Array:
    """Approximate distance to the edge of an ellipse in millimetres, positive inside."""
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    across, down = x - np.float32(centre[0]), y - np.float32(centre[1])
    u = (cosine * across + sine * down) / np.float32(radii[0])
    v = (cosine * down - sine * across) / np.float32(radii[1])
    return (1 - np.sqrt(u * u + v * v)) * np.float32(min(radii))


def stroke_depth(x: Array, y: Array, points: Array) -> Array:
    """Distance to the edge of a tapered brush stroke in millimetres, positive inside.

    Args:
        x: Coordinates, any shape.
        y: Coordinates, same shape.
        points: Rows of ``(x, y, radius)``, shape ``(N, 3)``; where the radius is negative the
            stroke leaves no trace.
    """
    depth = np.full(np.shape(x), -1e3, dtype=np.float32)
    for (x0, y0, r0), (x1, y1, r1) in pairwise(np.asarray(points, dtype=np.float32)):
        dx, dy = x1 - x0, y1 - y0
        across, down = x - x0, y - y0
        along = np.clip((across * dx + down * dy) / (dx * dx + dy * dy), 0, 1)
        across, down = across - along * dx, down - along * dy
        depth = np.maximum(depth, r0 + along * (r1 - r0) - np.sqrt(across**2 + down**2))
    return depth


def along_levels(level: float, levels: tuple[float, ...], values: tuple[float, ...]) -> float:
    """``values`` known at ``levels``, interpolated at ``level``; constant beyond the ends.

    Example:
        >>> along_levels(5.0, (0, 10), (2, 4))
        3.0
    """
    return float(np.interp(level, levels, values))


def harmonics(rng: np.random.Generator, orders: range, amplitude: float) -> Array:
    """Random periodic table over `ANGLES` whose parts fall off as one over their order."""
    table = np.zeros_like(ANGLES)
    for order in orders:
        strength, phase = rng.normal() * amplitude / order, rng.uniform(-np.pi, np.pi)
        table += np.float32(strength) * np.cos(order * ANGLES + np.float32(phase))
    return table


def angular_distance(angle: float) -> Array:
    """Unsigned angle from ``angle`` to every entry of `ANGLES`, in radians."""
    turned = (ANGLES - np.float32(angle) + np.pi) % (2 * np.pi) - np.pi
    distance: Array = np.abs(turned).astype(np.float32)
    return distance
