"""What line figures share: styles, smoothing and short titles."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from monai_gan_aug.reports.palette import DASHES, PALETTE, SERIES

__all__ = ["POINTS", "line_style", "shorten", "smooth"]

POINTS = 100


def line_style(index: int) -> dict[str, Any]:
    """Colour and dash pattern of a series; no pair repeats within 49 series."""
    dashes = DASHES[(index + index // len(SERIES)) % len(DASHES)]
    return {
        "color": PALETTE[SERIES[index % len(SERIES)]].light,
        "linestyle": (0, dashes) if dashes else "solid",
    }


def smooth(
    steps: Sequence[float], values: Sequence[float | None], points: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Means of consecutive values, so a long record stays a light line.

    Args:
        steps: Where the values were recorded, in any order.
        values: As many values; ``None`` is left out.
        points: Most points to return.

    Returns:
        Mean step and mean value of each bin, both of shape ``(P,)`` with ``P <= points``.

    Example:
        >>> smooth([1, 2, 3, 4], [0.0, 2.0, None, 5.0], points=2)
        (array([1.5, 4. ]), array([1., 5.]))
    """
    pairs = sorted((s, v) for s, v in zip(steps, values, strict=True) if v is not None)
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    edges = np.linspace(0, len(table), min(points, len(table)) + 1).round().astype(int)
    means = [table[start:end].mean(axis=0) for start, end in pairwise(edges)]
    return tuple(np.array(means).reshape(-1, 2).T)  # type: ignore[return-value]


def shorten(title: str, length: int) -> str:
    """A title of at most ``length`` characters."""
    return title if len(title) <= length else f"{title[: length - 1]}\u2026"
