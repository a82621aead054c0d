"""Slices of DICOM series: put in order by position, checked for copies and gaps, made volumes."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.dicom.header import DicomHeader, read_frame_headers
from monai_gan_aug.io.frames import frame_name
from monai_gan_aug.io.image import ReadLimits, Units, display_name
from monai_gan_aug.io.reading import read_image

__all__ = ["Series", "SeriesSlice", "Volume", "arrange_series", "read_volume"]

TO_RAS = np.array([-1.0, -1.0, 1.0])
"""DICOM counts to left, posterior, superior; NIfTI and MONAI to right, anterior, superior."""
SAME_PLACE_MM = 0.01
GAP_FACTOR = 1.5
UNEVEN_SHARE = 0.1
MAX_VOXELS = 2**28


@dataclass(frozen=True)
class SeriesSlice:
    """One slice of a series.

    Args:
        name: The file, relative to the folder of the series.
        frame: Which frame of the file; ``None`` for a file of one image.
        height: Position in mm along the normal of the slices, growing to superior (or anterior,
            or right, whichever is nearest); ``None`` if the file does not say.
        position: Centre of the first pixel in mm to right, anterior, superior.
    """

    name: str
    frame: int | None
    height: float | None
    position: tuple[float, ...] | None

    @property
    def shown(self) -> str:
        """The name in messages."""
        return frame_name(display_name(self.name, "."), self.frame)


@dataclass(frozen=True)
class Series:
    """Parallel slices of one size and one series, in order of height.

    Args:
        slices: The slices; by name and frame where heights are not known.
        directions: Unit vectors along a row and along a column, shape ``(2, 3)``, to right,
            anterior, superior; ``None`` if not known.
        pixel_spacing: Millimetres between rows and between columns.
        copies: Pairs of slices at the same place.
        gaps: Neighbours that are farther apart than the others, and their distance in mm.
        spacing: Median distance of neighbouring places in mm; ``None`` for a single place.
    """

    slices: tuple[SeriesSlice, ...]
    directions: tuple[tuple[float, ...], tuple[float, ...]] | None
    pixel_spacing: tuple[float, float] | None
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
    found: dict[tuple[object, ...], list[tuple[SeriesSlice, DicomHeader]]] = {}
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
            found.setdefault(key, []).append((_slice(name, frame, header), header))
    return [_series(members) for members in found.values()], bad


def _slice(name: str, frame: int | None, header: DicomHeader) -> SeriesSlice:
    if header.position is None or header.orientation is None:
        return SeriesSlice(name, frame, None, None)
    position = TO_RAS * header.position
    row, column = _directions(header.orientation)
    normal = np.cross(row, column)
    normal *= np.sign(normal[np.abs(normal).argmax()])
    return SeriesSlice(name, frame, float(normal @ position), tuple(map(float, position)))


def _directions(orientation: tuple[float, ...]) -> npt.NDArray[np.floating]:
    """Shape ``(2, 3)``, to right, anterior, superior."""
    vectors = TO_RAS * np.reshape(orientation, (2, 3))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _series(members: list[tuple[SeriesSlice, DicomHeader]]) -> Series:
    header = members[0][1]
    slices = [piece for piece, _ in members]
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
    directions = None
    if header.orientation is not None:
        row, column = _directions(header.orientation)
        directions = tuple(map(float, row)), tuple(map(float, column))
    return Series(tuple(slices), directions, header.spacing, tuple(copies), tuple(gaps), spacing)


@dataclass(frozen=True)
class Volume:
    """A series as one array.

    Args:
        pixels: Shape ``(D, H, W)``, ``float32``, in ``units``.
        units: Meaning of the values.
        spacing: Millimetres between slices, rows and columns.
        affine: Shape ``(4, 4)``: from ``(d, h, w, 1)`` to mm to right, anterior, superior.
    """

    pixels: npt.NDArray[np.float32]
    units: Units
    spacing: tuple[float, float, float]
    affine: npt.NDArray[np.float64]


def read_volume(series: Series, root: str | Path, *, limits: ReadLimits | None = None) -> Volume:
    """Read a regular series of grey slices into one array.

    Raises:
        DataError: If the series has fewer than two places, copies, gaps, uneven distances or no
            pixel spacing, is too large, or mixes units.
        ImageReadError: If a slice cannot be read.
    """
    pieces = series.slices
    first, last = pieces[0].position, pieces[-1].position
    if series.directions is None or series.pixel_spacing is None or first is None or last is None:
        raise DataError(f"{pieces[0].shown} has no position or spacing: read its slices singly.")
    if findings := series.findings():
        raise DataError(
            f"The series of {pieces[0].shown} is no regular volume ({findings[0]}): remove copies, "
            "complete it, or read its slices singly."
        )
    if series.spacing is None or _uneven(pieces, series.spacing):
        raise DataError(
            f"The {len(pieces)} slices from {pieces[0].shown} on are not evenly spaced: read them "
            "singly."
        )
    images = None
    for index, piece in enumerate(pieces):
        image = read_image(
            Path(root) / piece.name, root=root, limits=limits or ReadLimits(), frame=piece.frame
        )
        if images is None:
            images = _room(len(pieces), image.pixels.shape, piece.shown)
            units = image.units
        if image.units is not units or image.pixels.shape[-2:] != images.shape[1:]:
            raise DataError(f"{piece.shown} has other units or sizes than the slices before it.")
        images[index] = image.pixels[0]
    if images is None:
        raise DataError("The series has no slices: name its files.")
    step = (np.array(last) - np.array(first)) / (len(pieces) - 1)
    rows, columns = series.pixel_spacing
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 3] = step, first
    affine[:3, 1] = np.array(series.directions[1]) * rows
    affine[:3, 2] = np.array(series.directions[0]) * columns
    return Volume(images, units, (float(np.linalg.norm(step)), rows, columns), affine)


def _uneven(pieces: tuple[SeriesSlice, ...], spacing: float) -> bool:
    steps = np.diff([piece.height for piece in pieces if piece.height is not None])
    return bool((np.abs(steps - spacing) > UNEVEN_SHARE * spacing).any())


def _room(slices: int, shape: tuple[int, ...], name: str) -> npt.NDArray[np.float32]:
    channels, rows, columns = shape
    if channels != 1:
        raise ImageReadError(name, "is in colour", "read its slices singly")
    if slices * rows * columns > MAX_VOXELS:
        raise DataError(
            f"The series of {name} has {slices} x {rows} x {columns} voxels, more than "
            f"{MAX_VOXELS}: read its slices singly."
        )
    return np.empty((slices, rows, columns), np.float32)
