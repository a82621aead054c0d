"""NumPy ``.npy`` files as images.

====================================  ==========================================
Shape and type                        what it is
====================================  ==========================================
``(H, W)``                            one grey image
``(H, W, 3)``                         one RGB image
``(N, H, W)``, ``(N, H, W, 1 or 3)``  ``N`` frames
``(3, H, W)``                         refused: three slices, or channels first
``uint8``, ``bool``; ``uint16``       display values of 8 and of 16 bits
other integers, floating point        native values, ``float32``; finite
anything else                         refused; nothing is ever unpickled
====================================  ==========================================
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.frames import check_frame
from monai_gan_aug.io.image import DecodedImage, ReadLimits, Units
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["numpy_frames", "read_numpy"]

COPY_AGAIN = "copy it again from the source"
COLOUR = 3


def read_numpy(path: Path, name: str, limits: ReadLimits, frame: int | None) -> DecodedImage:
    """Read one image of an array; see :func:`monai_gan_aug.io.reading.read_image`."""
    with refuse_bad_content(name, "is a damaged NumPy file", COPY_AGAIN):
        frames = _open(path, name)
        _refuse_shape(frames, name, limits)
        check_frame(frame, len(frames), name)
        pixels = np.moveaxis(frames[frame or 0], -1, 0)
        return DecodedImage(*_values(pixels, name))


def numpy_frames(path: Path, name: str, limits: ReadLimits) -> int:
    """How many images an array holds, from its header.

    Raises:
        ImageReadError: If it is no array of images.
    """
    with refuse_bad_content(name, "is a damaged NumPy file", COPY_AGAIN):
        frames = _open(path, name)
        _refuse_shape(frames, name, limits)
        return len(frames)


def _open(path: Path, name: str) -> npt.NDArray[Any]:
    """The array as frames ``(N, H, W, C)``, memory-mapped."""
    array = np.lib.format.open_memmap(path, mode="r")
    shape = array.shape
    if len(shape) == 2:
        return array[None, ..., None]
    if len(shape) == 3 and shape[-1] == COLOUR:
        return array[None]
    if len(shape) == 3 and shape[0] != COLOUR:
        return array[..., None]
    if len(shape) == 4 and shape[-1] in (1, COLOUR):
        return array
    raise ImageReadError(
        name,
        f"has the shape {shape}, which is no image",
        "save it as (H, W), (H, W, 3), (N, H, W, 1) or (N, H, W, 3)",
    )


def _refuse_shape(frames: npt.NDArray[Any], name: str, limits: ReadLimits) -> None:
    _, rows, columns, _ = frames.shape
    if min(frames.shape) < 1:
        raise ImageReadError(name, f"has {rows} x {columns} pixels", COPY_AGAIN)
    if rows * columns > limits.max_pixels:
        raise ImageReadError(
            name,
            f"has {rows} x {columns} pixels, more than {limits.max_pixels}",
            "remove it, or raise `max_pixels` if it is trusted",
        )
    if frames.dtype.kind not in "iufb":
        raise ImageReadError(
            name, f"has values of type {frames.dtype}", "save it as integers or floating point"
        )


def _values(pixels: npt.NDArray[Any], name: str) -> tuple[npt.NDArray[Any], Units]:
    if pixels.dtype == np.bool_:
        return np.where(pixels, np.uint8(255), np.uint8(0)), Units.DISPLAY8
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
        units = Units.DISPLAY8 if pixels.dtype.itemsize == 1 else Units.DISPLAY16
        return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("=")), units
    values = np.ascontiguousarray(pixels, np.float32)
    if not np.isfinite(values).all():
        raise ImageReadError(name, "has values that are not finite", "export it again")
    return values, Units.NATIVE
