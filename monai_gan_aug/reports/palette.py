"""The colours of a report, once for figures and page, each with its twin for dark screens.

Series colours follow Okabe and Ito (told apart with any common colour vision), darkened or
lightened until they reach a contrast of 3:1 on their background. A series is never told by its
colour alone: each has its own dash pattern.
"""

from typing import NamedTuple

__all__ = ["DASHES", "PALETTE", "SERIES", "Shade"]


class Shade(NamedTuple):
    """One colour as lower-case ``#rrggbb`` on light paper and on a dark screen."""

    light: str
    dark: str


PALETTE: dict[str, Shade] = {
    "paper": Shade("#ffffff", "#12181f"),
    "panel": Shade("#f4f6f8", "#1b232c"),
    "ink": Shade("#1b2733", "#e4eaf0"),
    "muted": Shade("#52606d", "#a5b2bf"),
    "rule": Shade("#d3dae1", "#34404c"),
    "band": Shade("#e6ecf2", "#27323d"),
    "link": Shade("#0b5cad", "#7cb8f2"),
    "helps": Shade("#0a6b52", "#4fcfa8"),
    "harms": Shade("#a83a00", "#ff9a63"),
    "neutral": Shade("#3f566e", "#a9bfd6"),
    "caution": Shade("#7a5700", "#e8c04a"),
    "series-1": Shade("#0072b2", "#56b4e9"),
    "series-2": Shade("#c24d00", "#ff9455"),
    "series-3": Shade("#007d5c", "#2fc99a"),
    "series-4": Shade("#9c4a80", "#e39cc8"),
    "series-5": Shade("#8a6800", "#e3c23b"),
    "series-6": Shade("#3f7fa6", "#9ad4f5"),
    "series-7": Shade("#6b6f76", "#b9bec5"),
}

SERIES = tuple(name for name in PALETTE if name.startswith("series-"))

DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (5, 2),
    (1.5, 1.5),
    (6, 2, 1.5, 2),
    (9, 3),
    (3, 1, 1, 1, 1, 1),
    (2, 4),
)
"""On and off lengths in line widths, one pattern per series; the first is solid."""
