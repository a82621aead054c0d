"""File formats of synthetic images."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from monai_gan_aug.io.dicom_writing import SyntheticSeries, write_synthetic_dicom
from monai_gan_aug.io.image import Units
from monai_gan_aug.io.png import write_png
from monai_gan_aug.transforms.intensity import WindowIntensity, from_signed
from monai_gan_aug.transforms.windows import FILE_WINDOW, resolve_window

__all__ = ["OUTPUT_FORMATS", "ImageWriter", "image_writer"]

OUTPUT_FORMATS = ("png8", "png16", "dicom")

ImageWriter = Callable[[Path, Tensor, int], None]
"""Writes an image ``(C, H, W)`` in ``[-1, 1]`` under a path, as the n-th (from 1) of its set."""


def image_writer(output_format: str, recipe: Mapping[str, Any]) -> ImageWriter:
    """The writer of one set.

    Args:
        output_format: ``"png8"``, ``"png16"`` or ``"dicom"``. DICOM files of a set share a study
            and a series; they hold Hounsfield units if the generator learned from one window of
            a CT, and display values otherwise.
        recipe: Preprocessing recipe of the generator's training images.

    Raises:
        ValueError: If the format is unknown.

    Example:
        >>> image_writer("gif", {})
        Traceback (most recent call last):
            ...
        ValueError: `output_format` must be one of ('png8', 'png16', 'dicom'), got 'gif'.
    """
    if output_format not in OUTPUT_FORMATS:
        raise ValueError(f"`output_format` must be one of {OUTPUT_FORMATS}, got {output_format!r}.")
    if output_format != "dicom":
        return partial(_write_png, bits=16 if output_format == "png16" else 8)
    windows = recipe.get("windows") or []
    if recipe.get("channels") == 1 and len(windows) == 1 and windows[0] != FILE_WINDOW:
        window = resolve_window(windows[0], None)
        return partial(_write_hounsfield, window=window, series=SyntheticSeries.new())
    return partial(_write_display, series=SyntheticSeries.new())


def _write_png(path: Path, image: Tensor, number: int, *, bits: int) -> None:
    write_png(path, from_signed(image.numpy(), bits))


def _write_display(path: Path, image: Tensor, number: int, *, series: SyntheticSeries) -> None:
    pixels = from_signed(image.numpy(), 8)
    write_synthetic_dicom(path, pixels, units=Units.DISPLAY8, series=series, number=number)


def _write_hounsfield(
    path: Path, image: Tensor, number: int, *, window: tuple[float, float], series: SyntheticSeries
) -> None:
    share = (image.double().numpy() + 1) / 2
    pixels = np.asarray(WindowIntensity(*window).inverse(share), dtype=np.float32)
    write_synthetic_dicom(path, pixels, units=Units.HU, window=window, series=series, number=number)
