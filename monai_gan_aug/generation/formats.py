"""File formats of synthetic images."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from monai_gan_aug.io.dicom.writing import SyntheticSeries, encode_synthetic_dicom
from monai_gan_aug.io.image import Units
from monai_gan_aug.io.nifti import encode_nifti
from monai_gan_aug.io.png import encode_png
from monai_gan_aug.transforms.intensity import WindowIntensity, from_signed
from monai_gan_aug.transforms.windows import FILE_WINDOW, resolve_window

__all__ = ["OUTPUT_FORMATS", "ImageEncoder", "image_encoder"]

OUTPUT_FORMATS = {"png8": ".png", "png16": ".png", "dicom": ".dcm", "nifti": ".nii"}
"""Names of the formats, and the ending of their files."""

ImageEncoder = Callable[[Tensor, int], bytes]
"""Makes a file of an image ``(C, H, W)`` in ``[-1, 1]``, the n-th (from 1) of its set."""


def image_encoder(output_format: str, recipe: Mapping[str, Any]) -> ImageEncoder:
    """The encoder of one set; it may be called from several threads.

    Args:
        output_format: A key of :data:`OUTPUT_FORMATS`. DICOM and NIfTI hold Hounsfield units if
            the generator learned from one window of a CT, and display values otherwise; DICOM
            files of a set share a study and a series; NIfTI is for images of one channel.
        recipe: Preprocessing recipe of the generator's training images.

    Raises:
        ValueError: If the format is unknown.

    Example:
        >>> image_encoder("gif", {})
        Traceback (most recent call last):
            ...
        ValueError: `output_format` must be one of png8, png16, dicom, nifti, got 'gif'.
    """
    if output_format not in OUTPUT_FORMATS:
        names = ", ".join(OUTPUT_FORMATS)
        raise ValueError(f"`output_format` must be one of {names}, got {output_format!r}.")
    if output_format.startswith("png"):
        return partial(_png, bits=16 if output_format == "png16" else 8)
    windows = recipe.get("windows") or []
    window = None
    if recipe.get("channels") == 1 and len(windows) == 1 and windows[0] != FILE_WINDOW:
        window = resolve_window(windows[0], None)
    if output_format == "nifti":
        return partial(_nifti, window=window)
    return partial(_dicom, window=window, series=SyntheticSeries.new())


def _png(image: Tensor, number: int, *, bits: int) -> bytes:
    return encode_png(from_signed(image.numpy(), bits))


def _nifti(image: Tensor, number: int, *, window: tuple[float, float] | None) -> bytes:
    if window is None:
        return encode_nifti(from_signed(image.numpy(), 16))
    return encode_nifti(_hounsfield(image, window))


def _dicom(
    image: Tensor, number: int, *, window: tuple[float, float] | None, series: SyntheticSeries
) -> bytes:
    place: dict[str, Any] = {"series": series, "number": number}
    if window is None:
        pixels = from_signed(image.numpy(), 8)
        return encode_synthetic_dicom(pixels, units=Units.DISPLAY8, **place)
    pixels = _hounsfield(image, window)
    return encode_synthetic_dicom(pixels, units=Units.HU, window=window, **place)


def _hounsfield(image: Tensor, window: tuple[float, float]) -> npt.NDArray[np.float32]:
    share = (image.double().numpy() + 1) / 2
    return np.asarray(WindowIntensity(*window).inverse(share), dtype=np.float32)
