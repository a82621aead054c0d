"""Which slices of series, volumes and multi-frame files a 2-D training set takes, by rule."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.detect import ImageFormat, detect_format
from monai_gan_aug.io.dicom.series import arrange_series
from monai_gan_aug.io.frames import PLANES, Plane
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.io.names import printable, resolve_inside
from monai_gan_aug.io.reading import list_frames, read_image

__all__ = ["SliceRule", "choose_slices"]

SHOWN_FINDINGS = 20
DISPLAY = frozenset({Units.DISPLAY8, Units.DISPLAY16})
Choice = dict[str, list[int | None]]
Member = tuple[str, int | None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SliceRule:
    """Rules that a slice must meet, all of them. The plain rule takes every slice.

    Args:
        every: Take every n-th of the places that ``region`` leaves, in order.
        region: Part of the series along its normal, from 0 (inferior, posterior or left end) to 1.
        plane: Plane of the slices of NIfTI volumes; DICOM series keep the one they have.
        content: Smallest and largest pixel value, in HU for CT, that ``share`` counts.
        share: Smallest part of the pixels that must lie within ``content``.

    Raises:
        ValueError: If a rule is out of its range.

    Example:
        >>> SliceRule(every=2, region=(0.5, 1)).chosen([0, 0.25, 0.5, 0.75, 1])
        [2, 4]
    """

    every: int = 1
    region: Sequence[float] = (0.0, 1.0)
    plane: Plane = "axial"
    content: Sequence[float] | None = None
    share: float = 0.05

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"`every` must be positive, got {self.every}.")
        if len(self.region) != 2 or not 0 <= self.region[0] < self.region[1] <= 1:
            raise ValueError(f"`region` must be 0 <= from < to <= 1, got {list(self.region)}.")
        if self.plane not in PLANES:
            raise ValueError(f"`plane` must be one of {list(PLANES)}, got {self.plane!r}.")
        if self.content is not None and (
            len(self.content) != 2 or not self.content[0] < self.content[1]
        ):
            raise ValueError(f"`content` must be (low, high), got {list(self.content)}.")
        if not 0 < self.share <= 1:
            raise ValueError(f"`share` must lie in (0, 1], got {self.share}.")

    def chosen(self, heights: Sequence[float]) -> list[int]:
        """Positions to take of slices at ``heights`` from 0 to 1, in order; one at each place."""
        low, high = self.region
        inside = [i for i, height in enumerate(heights) if low <= height <= high]
        places = [i for i in inside if i == 0 or heights[i] != heights[i - 1]]
        return places[:: self.every]

    def shows_content(self, image: DecodedImage) -> bool:
        """Whether enough pixels lie within ``content``; true without that rule.

        Raises:
            DataError: If the image holds display values, which have no scale to compare.
        """
        if self.content is None:
            return True
        if image.units in DISPLAY:
            raise DataError("Display values have no scale: leave `content` out of the slice rule.")
        low, high = self.content
        pixels: npt.NDArray[Any] = image.pixels
        return float(np.mean((pixels >= low) & (pixels <= high))) >= self.share


def choose_slices(
    names: Sequence[str], root: Path, rule: SliceRule, fault: Callable[[str], None]
) -> Choice:
    """The frames to take of each file; ``None`` stands for a file of one image.

    DICOM files are put in order by series first; what is irregular about a series is logged.

    Args:
        names: Files relative to ``root``.
        root: Data root.
        rule: The rule.
        fault: Told about files that cannot be read.

    Returns:
        Frames by file; files of which nothing is taken are missing.
    """
    taken: Choice = {}
    for members, heights in _stacks(names, root, rule, fault):
        places = [members[i] for i in rule.chosen(heights)]
        for name, frame in _with_content(places, root, rule, fault):
            taken.setdefault(name, []).append(frame)
    return taken


def _stacks(
    names: Sequence[str], root: Path, rule: SliceRule, fault: Callable[[str], None]
) -> Iterable[tuple[list[Member], list[float]]]:
    """Slices that belong together, in order, with their heights from 0 to 1."""
    dicom = []
    for name in dict.fromkeys(names):
        try:
            path = resolve_inside(root, name)
            if detect_format(path) is ImageFormat.DICOM:
                dicom.append(name)
                continue
            frames = list_frames(path, plane=rule.plane, root=root.resolve())
        except (ImageReadError, OSError) as error:
            fault(_clause(error, name))
            continue
        yield [(name, frame) for frame in frames or [None]], _evenly(len(frames or [None]))
    series, bad = arrange_series(dicom, root)
    for problem in bad:
        fault(str(problem))
    _log_findings([finding for stack in series for finding in stack.findings()])
    for stack in series:
        yield [(piece.name, piece.frame) for piece in stack.slices], stack.heights()


def _clause(error: Exception, name: str) -> str:
    return str(error) if isinstance(error, ImageReadError) else f"{printable(name)} cannot be read."


def _log_findings(findings: list[str]) -> None:
    for finding in findings[:SHOWN_FINDINGS]:
        logger.warning("Series: %s", finding)
    if len(findings) > SHOWN_FINDINGS:
        logger.warning("Series: … and %d more findings.", len(findings) - SHOWN_FINDINGS)


def _evenly(count: int) -> list[float]:
    return [index / (count - 1) for index in range(count)] if count > 1 else [0.5]


def _with_content(
    members: list[Member], root: Path, rule: SliceRule, fault: Callable[[str], None]
) -> Iterable[Member]:
    for name, frame in members:
        try:
            if rule.content is None or rule.shows_content(
                read_image(resolve_inside(root, name), root=root.resolve(), frame=frame)
            ):
                yield name, frame
        except ImageReadError as error:
            fault(str(error))
