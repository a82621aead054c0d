"""One channel or three."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

__all__ = [
    "ToGrey",
    "ToGreyD",
    "ToGreyDict",
    "ToGreyd",
    "ToRGB",
    "ToRGBD",
    "ToRGBDict",
    "ToRGBd",
]

LUMINANCE = (0.299, 0.587, 0.114)


def _refuse_other_channels(img: NdarrayOrTensor) -> None:
    if img.ndim < 1 or img.shape[0] not in (1, 3):
        raise ValueError(
            f"`img` must be channel first with 1 or 3 channels, got {tuple(img.shape)}."
        )


class ToGrey(Transform):
    """Luminance of a colour image; a grey image passes unchanged.

    References:
        ITU-R BT.601-7, luma coefficients (those of Pillow's mode ``L``).

    Example:
        >>> ToGrey()(np.ones((3, 2, 2), np.float32)).shape
        (1, 2, 2)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Reduce ``img``, shape ``(1 or 3, ...)`` and floating point, to ``(1, ...)``.

        Raises:
            ValueError: If there are neither one nor three channels.
            TypeError: If a colour image is not floating point.
        """
        _refuse_other_channels(img)
        if img.shape[0] == 1:
            return img
        floating = img.is_floating_point() if torch.is_tensor(img) else img.dtype.kind == "f"
        if not floating:
            raise TypeError(f"`img` must be floating point to be averaged, got {img.dtype}.")
        red, green, blue = (img[i : i + 1] * weight for i, weight in enumerate(LUMINANCE))
        return red + green + blue


class ToRGB(Transform):
    """Three equal channels from a grey image; a colour image passes unchanged.

    Example:
        >>> ToRGB()(np.ones((1, 2, 2), np.float32)).shape
        (3, 2, 2)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Widen ``img``, shape ``(1 or 3, ...)``, to ``(3, ...)``.

        Raises:
            ValueError: If there are neither one nor three channels.
        """
        _refuse_other_channels(img)
        if img.shape[0] == 3:
            return img
        if torch.is_tensor(img):
            return torch.cat((img, img, img))
        return np.concatenate((img, img, img))


class ToGreyd(MapTransform):
    """Dictionary-based wrapper of :class:`ToGrey`.

    Args:
        keys: Keys of the images.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = ToGrey.backend

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.convert = ToGrey()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key in one channel."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.convert(out[key])
        return out


class ToRGBd(MapTransform):
    """Dictionary-based wrapper of :class:`ToRGB`.

    Args:
        keys: Keys of the images.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = ToRGB.backend

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.convert = ToRGB()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key in three channels."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.convert(out[key])
        return out


ToGreyD = ToGreyDict = ToGreyd
ToRGBD = ToRGBDict = ToRGBd
