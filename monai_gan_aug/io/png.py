"""PNG files that hold pixels and nothing else."""

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from monai_gan_aug.io.atomic import write_bytes

__all__ = ["encode_png", "write_png"]


def encode_png(pixels: npt.ArrayLike) -> bytes:
    """The bytes of a PNG file without metadata.

    Args:
        pixels: Shape ``(C, H, W)``: one channel of ``uint8`` or ``uint16``, or three of ``uint8``.

    Raises:
        TypeError: If the type is neither ``uint8`` nor ``uint16``.
        ValueError: If the shape is another one, or three channels are asked for in 16 bits, which
            Pillow cannot read back exactly.

    Example:
        >>> encode_png(np.zeros((1, 4, 4), np.uint16))[1:4]
        b'PNG'
    """
    pixels = np.asarray(pixels)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"`pixels` must be uint8 or uint16, got {pixels.dtype}.")
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3) or pixels.size == 0:
        raise ValueError(f"`pixels` must have shape (1 or 3, H, W), got {pixels.shape}.")
    if pixels.shape[0] == 3 and pixels.dtype == np.uint16:
        raise ValueError(
            "`pixels` with three channels must be uint8: PNG colour is written in 8 bits."
        )
    planes = pixels[0] if pixels.shape[0] == 1 else np.moveaxis(pixels, 0, -1)
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(planes)).save(stream, format="PNG")
    return stream.getvalue()


def write_png(path: str | Path, pixels: npt.ArrayLike) -> None:
    """Write ``pixels`` to ``path``, atomically; they read back exactly, nothing else.

    Args:
        path: Where to write; folders are made.
        pixels: As in :func:`encode_png`.

    Raises:
        TypeError, ValueError: As :func:`encode_png`.
        OSError: As :func:`monai_gan_aug.io.atomic.atomic_file`.
    """
    write_bytes(Path(path), encode_png(pixels))
