"""Intensity maps: windows, percentiles, and the signed range that networks work in."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.transforms.inverse import InvertibleTransform
from monai.utils.enums import TransformBackends

from monai_gan_aug.transforms.each_key import EachKey
from monai_gan_aug.transforms.tracing import record_of, tracked, undone, untracked

__all__ = [
    "ScalePercentile",
    "ScalePercentileD",
    "ScalePercentileDict",
    "ScalePercentiled",
    "WindowIntensity",
    "WindowIntensityD",
    "WindowIntensityDict",
    "WindowIntensityd",
    "from_signed",
    "to_signed",
]

SMALLEST = float(np.finfo(np.float32).tiny)
LARGEST = {8: 2**8 - 1, 16: 2**16 - 1}


def to_signed(img: Any) -> Any:
    """Map stored integers to the range ``[-1, 1]`` of the networks.

    Args:
        img: ``uint8`` or ``uint16``, any shape, NumPy or torch.

    Returns:
        The same kind of array, ``float32``: 0 becomes -1, the largest integer becomes 1.

    Raises:
        TypeError: If the type is neither ``uint8`` nor ``uint16``.

    Example:
        >>> to_signed(np.array([0, 255], np.uint8))
        array([-1.,  1.], dtype=float32)
    """
    if img.dtype in (torch.uint8, np.uint8):
        half = LARGEST[8] / 2
    elif img.dtype in (torch.uint16, np.uint16):
        half = LARGEST[16] / 2
    else:
        raise TypeError(f"`img` must be uint8 or uint16, got {img.dtype}.")
    if isinstance(img, torch.Tensor):
        return img.to(torch.float32).div_(half).sub_(1)
    signed = img.astype(np.float32)
    signed /= half
    signed -= 1
    return signed


def from_signed(img: Any, bits: int) -> Any:
    """Quantise ``[-1, 1]`` to integers: clips, rounds, and inverts :func:`to_signed` exactly.

    Args:
        img: Floating point, any shape, NumPy or torch; finite.
        bits: 8 or 16.

    Returns:
        The same kind of array, ``uint8`` or ``uint16``.

    Raises:
        ValueError: If ``bits`` is another number or a value is not finite.

    Example:
        >>> from_signed(np.array([-1.0, 0.0, 3.0]), 8)
        array([  0, 128, 255], dtype=uint8)
    """
    if bits not in LARGEST:
        raise ValueError(f"`bits` must be 8 or 16, got {bits}.")
    half = LARGEST[bits] / 2
    if isinstance(img, torch.Tensor):
        _refuse_not_finite(bool(torch.isfinite(img).all()))
        levels = ((img.detach().float().clamp(-1, 1) + 1) * half).round()
        return levels.to(torch.uint8 if bits == 8 else torch.uint16)
    img = np.asarray(img)
    _refuse_not_finite(bool(np.isfinite(img).all()))
    levels = np.rint((np.clip(img, -1, 1).astype(np.float32) + 1) * np.float32(half))
    return levels.astype(np.uint8 if bits == 8 else np.uint16)


def _refuse_not_finite(finite: bool) -> None:
    if not finite:
        raise ValueError("`img` must be finite to be quantised, got NaN or infinity.")


class WindowIntensity(InvertibleTransform):
    """Map ``[center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2]`` to ``[0, 1]``.

    Args:
        center: Window centre, in the units of the image (HU for CT).
        width: Window width, same units, greater than 1. (The standard also allows exactly 1, a
            step; threshold instead.)

    Raises:
        ValueError: If ``width`` is 1 or less.

    References:
        DICOM PS3.3, C.11.2.1.2.1 (default LINEAR function).

    Example:
        >>> window = WindowIntensity(40, 81)
        >>> window(np.array([-100.0, 39.5, 200.0]))
        array([0. , 0.5, 1. ])
        >>> window.inverse(np.array([0.5]))
        array([39.5])
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, center: float, width: float) -> None:
        if not width > 1:
            raise ValueError(f"`width` must be greater than 1 (LINEAR function), got {width}.")
        self.center = float(center)
        self.width = float(width)

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Window ``img``, any shape, and return the same type with values in ``[0, 1]``."""
        scale = 1 / (self.width - 1)
        share: Any = untracked(img) * scale
        share += 0.5 - (self.center - 0.5) * scale
        # The product is ours, so it may be clipped in place.
        share = share.clamp_(0, 1) if torch.is_tensor(share) else share.clip(0, 1, out=share)
        return tracked(self, img, share)

    def inverse(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Units of the image for ``img`` in ``[0, 1]``: exact for what was not clipped.

        Class labels, which ``Invertd`` takes predictions for by default, have no units and pass
        unchanged. (Probabilities look like an image: hand ``Invertd`` the transforms that move
        pixels only.)
        """
        values: Any = untracked(img)
        if not record_of(self, img, size=()).labels:
            values = (values - 0.5) * (self.width - 1) + (self.center - 0.5)
        return undone(self, img, values)


class WindowIntensityd(EachKey):
    """Dictionary-based wrapper of :class:`WindowIntensity`.

    Args:
        keys: Keys of the images.
        center: See :class:`WindowIntensity`.
        width: See :class:`WindowIntensity`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = WindowIntensity.backend

    def __init__(
        self, keys: KeysCollection, center: float, width: float, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, WindowIntensity(center, width), allow_missing_keys)


class ScalePercentile(InvertibleTransform):
    """Map the range between two percentiles of each image to ``[0, 1]``; clip what is outside.

    For images without an absolute scale (MR, CR, DX). A constant image becomes 0, and so does one
    whose range is too small to divide by in single precision.

    Args:
        lower: Lower percentile, 0 to 100.
        upper: Upper percentile, above ``lower``.

    Raises:
        ValueError: If the percentiles are not ``0 <= lower < upper <= 100``.

    Example:
        >>> ScalePercentile(0, 100)(np.array([[[2.0, 4.0, 6.0]]]))
        array([[[0. , 0.5, 1. ]]], dtype=float32)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, lower: float = 0.5, upper: float = 99.5) -> None:
        if not 0 <= lower < upper <= 100:
            raise ValueError(
                f"Percentiles must be 0 <= lower < upper <= 100, got {lower}, {upper}."
            )
        self.lower = lower
        self.upper = upper

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Scale ``img``, any shape, and return ``float32`` of the same kind in ``[0, 1]``."""
        values: Any = untracked(img)
        pixels: npt.NDArray[Any] = values.detach().cpu().numpy() if torch.is_tensor(img) else img
        low, high = (float(x) for x in np.percentile(pixels, (self.lower, self.upper)))
        span = high - low
        scaled = values.float() if torch.is_tensor(img) else values.astype(np.float32)
        if span < SMALLEST:
            # Times zero, so that a gradient still finds its way.
            share = scaled * 0 if torch.is_tensor(img) else np.zeros(img.shape, np.float32)
        else:
            share = ((scaled.clip(low, high) - low) / span).clip(0, 1)
        return tracked(self, img, share, low=low, high=high)

    def inverse(
        self, img: NdarrayOrTensor, low: float | None = None, high: float | None = None
    ) -> NdarrayOrTensor:
        """Units of the image for ``img`` in ``[0, 1]``: exact for what was not clipped.

        Args:
            img: Any shape. Class labels, which ``Invertd`` takes predictions for by default, have
                no units and pass unchanged.
            low: Value of the lower percentile, for an image that is no MetaTensor.
            high: Value of the upper percentile, for an image that is no MetaTensor.

        Raises:
            ValueError: If ``img`` is no MetaTensor, and ``low`` or ``high`` is missing.
        """
        given = low is not None and high is not None
        before = record_of(self, img, () if given else None, low=low, high=high)
        values: Any = untracked(img)
        if not before.labels:
            lowest, highest = before.details["low"], before.details["high"]
            values = values * (highest - lowest) + lowest
        return undone(self, img, values)


class ScalePercentiled(EachKey):
    """Dictionary-based wrapper of :class:`ScalePercentile`.

    Args:
        keys: Keys of the images.
        lower: See :class:`ScalePercentile`.
        upper: See :class:`ScalePercentile`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = ScalePercentile.backend

    def __init__(
        self,
        keys: KeysCollection,
        lower: float = 0.5,
        upper: float = 99.5,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, ScalePercentile(lower, upper), allow_missing_keys)


WindowIntensityD = WindowIntensityDict = WindowIntensityd
ScalePercentileD = ScalePercentileDict = ScalePercentiled
