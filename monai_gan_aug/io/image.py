"""What a file becomes when it is read: pixels, their units and the few facts kept beside them."""

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["DecodedImage", "ReadLimits", "Units", "display_name"]


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
class DecodedImage:
    """One two-dimensional image.

    Args:
        pixels: Shape ``(C, H, W)`` with one or three channels, rows from top to bottom as in
            pydicom's ``pixel_array`` and in Pillow; the type that ``units`` names.
        units: Meaning of the values.
        window: Centre and width that the file proposes for display, in the units of ``pixels``.
        modality: DICOM modality, if the file names one.
        spacing: Millimetres between rows and between columns, if known.
    """

    pixels: npt.NDArray[np.generic]
    units: Units
    window: tuple[float, float] | None = None
    modality: str | None = None
    spacing: tuple[float, float] | None = None


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


def display_name(path: str | Path, root: str | Path | None = None) -> str:
    """The name of a file in messages: relative to ``root`` or bare, always printable.

    Example:
        >>> display_name("/data/a/1.dcm", "/data"), display_name("/data/a/1.dcm")
        ('a/1.dcm', '1.dcm')
    """
    path = Path(path)
    if root is not None and path.is_relative_to(root):
        name = path.relative_to(root).as_posix()
    else:
        name = path.name
    return os.fsencode(name).decode("utf-8", "backslashreplace")
