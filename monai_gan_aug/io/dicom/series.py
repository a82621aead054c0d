"""Slices of DICOM series: put in order by position, checked for copies and gaps."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.header import DicomHeader, read_frame_headers
from monai_gan_aug.io.frames import frame_name
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.names import display_name

__all__ = ["Series", "SeriesSlice", "arrange_series"]

TO_RAS = np.array([-1.0, -1.0, 1.0])
"""DICOM counts to left, posterior, superior; NIfTI and MONAI to right, anterior, superior."""
SAME_PLACE_MM = 0.01
GAP_FACTOR = 1.5


@dataclass(frozen=True)
class SeriesSlice:
    """One slice of a series.

    Args:
        name: The file, relative to the folder of the series.
        frame: Which frame of the file; ``None`` for a file of one image.
        height: Position in mm along the normal of the slices, growing to superior (or anterior,
            or right, whichever is nearest); ``None`` if the file does not say.
    """

    name: str
    frame: int | None
    height: float | None

    @property
    def shown(self) -> str:
        """The name in messages."""
        return frame_name(display_name(self.name, "."), self.frame)


@dataclass(frozen=True)
class Series:
    """Parallel slices of one size and one series, in order of height.

    Args:
        slices: The slices; by name and frame where heights are not known.
        copies: Pairs of slices at the same place.
        gaps: Neighbours that are farther apart than the others, and their distance in mm.
        spacing: Median distance of neighbouring places in mm; ``None`` for a single place.
    """

    slices: tuple[SeriesSlice, ...]
    copies: tuple[tuple[str, str], ...]
    gaps: tuple[tuple[str, str, float], ...]
    spacing: float | None

    def findings(self) -> list[str]:
        """What is irregular, one sentence each; empty for a regular series."""
        shown = [f"{b} lies where {a} does." for a, b in self.copies]
        shown += [
            f"Between {a} and {b} are {mm:.1f} mm, elsewhere {self.spacing:.1f} mm."
            for a, b, mm in self.gaps
        ]
        unknown = sum(piece.height is None for piece in self.slices)
        if unknown and len(self.slices) > 1:
            shown.append(f"{unknown} slices from {self.slices[0].shown} on have no position.")
        return shown

    def heights(self) -> list[float]:
        """Place of each slice from 0 (first) to 1 (last); by order where heights are not known."""
        known = [piece.height for piece in self.slices if piece.height is not None]
        if len(known) < len(self.slices) or len(known) < 2 or known[-1] <= known[0]:
            last = max(len(self.slices) - 1, 1)
            return [n / last if len(self.slices) > 1 else 0.5 for n in range(len(self.slices))]
        return [(height - known[0]) / (known[-1] - known[0]) for height in known]


def arrange_series(
    names: Iterable[str], root: str | Path, *, limits: ReadLimits | None = None
) -> tuple[list[Series], list[ImageReadError]]:
    """Sort DICOM files into series of parallel slices; headers only, a few numbers kept of each.

    A series whose slices differ in direction or size (a localizer, say) becomes several.

    Args:
        names: Files relative to ``root``; multi-frame files count with every frame.
        root: Folder the names are relative to.
        limits: Sizes beyond which a file is refused.

    Returns:
        The series in the order of their first file, and the files that cannot be read.
    """
    root = Path(root)
    members: dict[tuple[object, ...], list[SeriesSlice]] = {}
    bad = []
    for name in names:
        try:
            headers = read_frame_headers(root / name, root=root, limits=limits)
        except ImageReadError as error:
            bad.append(error)
            continue
        for frame, header in headers:
            directions = header.orientation and tuple(round(x, 3) for x in header.orientation)
            key = (header.series_uid or name, directions, header.rows, header.columns)
            members.setdefault(key, []).append(_slice(name, frame, header))
    return [_series(slices) for slices in members.values()], bad


def _slice(name: str, frame: int | None, header: DicomHeader) -> SeriesSlice:
    if header.position is None or header.orientation is None:
        return SeriesSlice(name, frame, None)
    position = TO_RAS * header.position
    row, column = _directions(header.orientation)
    normal = np.cross(row, column)
    # heights grow to superior, anterior or right, whichever way the slices were acquired
    normal *= np.sign(normal[np.abs(normal).argmax()])
    return SeriesSlice(name, frame, float(normal @ position))


def _directions(orientation: tuple[float, ...]) -> npt.NDArray[np.floating]:
    """Shape ``(2, 3)``, to right, anterior, superior."""
    vectors = TO_RAS * np.reshape(orientation, (2, 3))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: npt.NDArray[np.floating] = vectors / np.where(lengths > 0, lengths, 1)
    return units


def _series(slices: list[SeriesSlice]) -> Series:
    known = all(piece.height is not None for piece in slices)
    slices.sort(key=lambda s: (s.height if known else 0, s.name, s.frame or 0))
    copies, gaps, steps = [], [], []
    if known:
        pairs = [(a, b, float(b.height or 0) - float(a.height or 0)) for a, b in pairwise(slices)]
        copies = [(a.shown, b.shown) for a, b, mm in pairs if mm < SAME_PLACE_MM]
        steps = [(a, b, mm) for a, b, mm in pairs if mm >= SAME_PLACE_MM]
    spacing = float(np.median([mm for *_, mm in steps])) if steps else None
    if spacing is not None:
        gaps = [(a.shown, b.shown, mm) for a, b, mm in steps if mm > GAP_FACTOR * spacing]
    return Series(tuple(slices), tuple(copies), tuple(gaps), spacing)
