"""From a decoded image to the small integer image a network trains on, as one hashable recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from monai.data.meta_tensor import MetaTensor

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.transforms.channels import ToGrey, ToRGB
from monai_gan_aug.transforms.intensity import ScalePercentile, WindowIntensity
from monai_gan_aug.transforms.shape import CenterSquareCrop, Letterbox, ResizeArea
from monai_gan_aug.transforms.windows import FILE_WINDOW, WINDOWS, check_window, resolve_window

__all__ = ["Fit", "PreprocessingRecipe"]

Fit = Literal["letterbox", "stretch", "crop"]
Anisotropy = Literal["resample", "refuse", "ignore"]
SQUARE_TOLERANCE = 0.01

LARGEST = {8: 2**8 - 1, 16: 2**16 - 1}
DISPLAY_LARGEST = {Units.DISPLAY8: LARGEST[8], Units.DISPLAY16: LARGEST[16]}


def own_affine(image: DecodedImage) -> torch.Tensor:
    """Spacing of ``image`` as the affine of a MetaTensor; no position, which a file may not give.

    Returns:
        Shape ``(4, 4)``, from indices (row, column, 0) to millimetres from the first pixel, or to
        widths of pixels where the file gives no spacing.
    """
    height, width = image.spacing or (image.aspect, 1.0)
    return torch.diag(torch.tensor([height, width, 1.0, 1.0], dtype=torch.float64))


@dataclass(frozen=True)
class PreprocessingRecipe:
    """Intensity first (window, percentiles or display range), then shape, then quantisation.

    Hounsfield units are windowed; display values keep their range; anything else uses the file's
    window if ``"file"`` is asked for and there is one, and its percentiles 0.5 and 99.5 otherwise.
    A JPEG whose sides are multiples of ``16 * size`` is decoded at a reduced scale, which changes
    grey levels by half of one on average and by three at most in photographs.

    Args:
        size: Side of the square result.
        channels: 1 or 3.
        windows: For Hounsfield units: names, pairs ``(center, width)`` or ``"file"``. One window
            serves all channels; several give one channel each.
        fit: ``"letterbox"`` pads the shorter side with black, ``"stretch"`` changes the aspect,
            ``"crop"`` keeps the central square.
        bits: 8 or 16 per channel.
        anisotropy: Pixels that are not square, by the spacing of the file: ``"resample"`` keeps
            the true shape, ``"refuse"`` raises, ``"ignore"`` takes them for square. With the fit
            ``"stretch"`` there is no shape to keep.

    Raises:
        ValueError: If a setting is out of its range.

    Example:
        >>> recipe = PreprocessingRecipe(size=2, windows=["brain"])
        >>> image = DecodedImage(np.full((1, 4, 4), 39.5, np.float32), Units.HU)
        >>> recipe(image).tolist()
        [[[128, 128], [128, 128]]]
    """

    size: int = 64
    channels: int = 1
    windows: Sequence[str | Sequence[float]] = ()
    fit: Fit = "letterbox"
    bits: int = 8
    anisotropy: Anisotropy = "resample"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"`size` must be positive, got {self.size}.")
        if self.channels not in (1, 3):
            raise ValueError(f"`channels` must be 1 or 3, got {self.channels}.")
        if self.fit not in get_args(Fit):
            raise ValueError(f"`fit` must be one of {get_args(Fit)}, got {self.fit!r}.")
        if self.anisotropy not in get_args(Anisotropy):
            raise ValueError(
                f"`anisotropy` must be one of {get_args(Anisotropy)}, got {self.anisotropy!r}."
            )
        if self.bits not in LARGEST:
            raise ValueError(f"`bits` must be 8 or 16, got {self.bits}.")
        if isinstance(self.windows, str):
            raise ValueError(
                f"`windows` must be a list, got {self.windows!r}: write [{self.windows}]."
            )
        windows = tuple(check_window(window) for window in self.windows)
        if len(windows) > 1 and len(windows) != self.channels:
            raise ValueError(
                f"Several `windows` give one channel each, got {len(windows)} for "
                f"{self.channels} channels."
            )
        object.__setattr__(self, "windows", windows)

    def __call__(self, image: DecodedImage) -> npt.NDArray[Any]:
        """Shape ``(channels, size, size)``, ``uint8`` or ``uint16``.

        Raises:
            DataError: If Hounsfield units come without a window, or a window is missing in the
                file.
        """
        small = self._shape(self._intensity(image), self._aspect(image))
        convert = ToRGB() if self.channels == 3 else ToGrey()
        values = np.asarray(convert(small))
        levels = np.rint(values * np.float32(LARGEST[self.bits]))
        return levels.astype(np.uint8 if self.bits == 8 else np.uint16)

    def affine(self, image: DecodedImage) -> npt.NDArray[np.float64]:
        """Where the pixels of the result lie, in millimetres from the first pixel of ``image``.

        Where the file gives no spacing, in widths of its pixels.

        Returns:
            Shape ``(4, 4)``, from indices (row, column, 0) of the result.

        Raises:
            DataError: If the pixels are not square and ``anisotropy`` is ``"refuse"``.

        Example:
            >>> blank = np.zeros((1, 8, 8), np.uint8)
            >>> image = DecodedImage(blank, Units.DISPLAY8, spacing=(0.5, 0.5))
            >>> PreprocessingRecipe(size=4).affine(image).diagonal()
            array([1., 1., 1., 1.])
        """
        # A blank image takes the way of the pixels, so the two cannot come apart.
        blank = MetaTensor(torch.zeros(1, *image.pixels.shape[-2:]), affine=own_affine(image))
        shaped: MetaTensor = self._shape(blank, self._aspect(image))
        return np.asarray(shaped.affine, dtype=np.float64)

    def _intensity(self, image: DecodedImage) -> Any:
        """Values in ``[0, 1]``, ``float32``."""
        pixels = image.pixels.astype(np.float32, copy=False)
        if image.units in DISPLAY_LARGEST:
            return pixels / np.float32(DISPLAY_LARGEST[image.units])
        if image.units is Units.NATIVE:
            if FILE_WINDOW in self.windows and image.curve is not None:
                return image.curve(pixels)
            if FILE_WINDOW in self.windows and image.window is not None:
                return WindowIntensity(*image.window)(pixels)
            return ScalePercentile()(pixels)
        if not self.windows:
            raise DataError(
                "The image is in Hounsfield units, which need a window: set `windows` to one or "
                f"more of {', '.join(WINDOWS)}, to (center, width), or to {FILE_WINDOW!r}."
            )
        pairs = [resolve_window(window, image.window) for window in self.windows]
        views = [WindowIntensity(*pair)(pixels) for pair in pairs]
        return views[0] if len(views) == 1 else np.concatenate(views)

    def _aspect(self, image: DecodedImage) -> float:
        """Height of a pixel over its width, 1 where it does not matter."""
        aspect = image.aspect
        if self.anisotropy == "ignore" or self.fit == "stretch":
            return 1.0
        if abs(aspect - 1) <= SQUARE_TOLERANCE:
            return 1.0
        if self.anisotropy == "refuse":
            raise DataError(
                f"The pixels are {aspect:.3g} times as high as wide: resample the images, or set "
                "`anisotropy` to 'resample'."
            )
        return aspect

    def _shape(self, pixels: Any, aspect: float) -> Any:
        if self.fit == "letterbox":
            return Letterbox(self.size)(pixels, aspect)
        if self.fit == "crop":
            pixels = CenterSquareCrop()(pixels, aspect)
        return ResizeArea(self.size)(pixels)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready settings."""
        windows = [w if isinstance(w, str) else list(w) for w in self.windows]
        settings = {**asdict(self), "windows": windows}
        if self.anisotropy == "resample":  # the default is left out: older hashes stay as they are
            del settings["anisotropy"]
        return settings

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "PreprocessingRecipe":
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: If a setting is unknown or out of its range.
        """
        unknown = set(content) - set(cls.__dataclass_fields__)
        if unknown:
            raise ValueError(
                f"A recipe has no setting {sorted(unknown)}: it was made by another version."
            )
        return cls(**content)

    @cached_property
    def sha256(self) -> str:
        """Hash of the settings, which names the cache folder."""
        return sha256_json(self.to_dict())
