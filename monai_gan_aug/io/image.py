"""What a file becomes when it is read: pixels, their units and the few facts kept beside them."""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DecodedImage", "DisplayCurve", "ReadLimits", "Units"]


class Units(str, Enum):
    """What a pixel value means, which decides how it is mapped to a network's range."""

    HU = "HU"
    """Hounsfield units of a CT, ``float32``."""
    DISPLAY8 = "display8"
    """Ready for a screen, 0 to 255, ``uint8``."""
    DISPLAY16 = "display16"
    """Ready for a screen, 0 to 65535, ``uint16``."""
    NATIVE = "native"
    """Rescaled values without an absolute scale (MR, CR, DX, PET, …), ``float32``."""


@dataclass(frozen=True)
class DisplayCurve:
    """A map from pixel values to brightness that is not a straight window.

    Args:
        first: Pixel value of the first level.
        step: Distance between levels, in pixel values.
        levels: Brightness in ``[0, 1]``, ``float32`` of shape ``(N,)``.
    """

    first: float
    step: float
    levels: npt.NDArray[np.float32]

    def __call__(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Brightness of ``pixels``, any shape, linear between levels and constant beyond them."""
        position = (pixels.astype(np.float64) - self.first) / self.step
        return np.interp(position, np.arange(len(self.levels)), self.levels).astype(np.float32)

    def mirrored(self, total: float) -> "DisplayCurve":
        """The curve of an image whose values ``v`` became ``total - v``, so brightness inverts."""
        last = self.first + self.step * (len(self.levels) - 1)
        return DisplayCurve(total - last, self.step, 1 - self.levels[::-1])


@dataclass(frozen=True)
class DecodedImage:
    """One two-dimensional image.

    Args:
        pixels: Shape ``(C, H, W)`` with one or three channels, rows from top to bottom as in
            pydicom's ``pixel_array`` and in Pillow; the type that ``units`` names.
        units: Meaning of the values.
        window: Centre and width that the file proposes for display, in the units of ``pixels``.
        modality: DICOM modality, if the file names one.
        spacing: Millimetres between rows and between columns, if known.
        curve: What the file proposes for display where that is no straight window: a lookup table
            or a sigmoid.
        pixel_aspect: Height of a pixel over its width where the file gives no spacing.
    """

    pixels: npt.NDArray[np.generic]
    units: Units
    window: tuple[float, float] | None = None
    modality: str | None = None
    spacing: tuple[float, float] | None = None
    curve: DisplayCurve | None = None
    pixel_aspect: float | None = None

    @property
    def aspect(self) -> float:
        """Height of a pixel over its width; 1 where nothing is known.

        Example:
            >>> flat = np.zeros((1, 2, 2), np.uint8)
            >>> DecodedImage(flat, Units.DISPLAY8, spacing=(2.0, 0.5)).aspect
            4.0
        """
        if self.spacing is not None:
            return self.spacing[0] / self.spacing[1]
        known = self.pixel_aspect is not None and 0 < self.pixel_aspect < math.inf
        return self.pixel_aspect if known and self.pixel_aspect is not None else 1.0


@dataclass(frozen=True)
class ReadLimits:
    """Sizes beyond which a file is refused before memory is taken for it.

    Args:
        max_pixels: Rows times columns.
        max_file_bytes: Size of the file.
        max_inflated_bytes: Size of a deflated DICOM data set once inflated.

    Raises:
        ValueError: If a limit is not positive.
    """

    max_pixels: int = 2**26
    max_file_bytes: int = 2**29
    max_inflated_bytes: int = 2**26

    def __post_init__(self) -> None:
        for limit, value in vars(self).items():
            if value < 1:
                raise ValueError(f"`{limit}` must be positive, got {value}.")
