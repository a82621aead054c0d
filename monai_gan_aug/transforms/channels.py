"""One channel or three."""

from typing import Any

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.transforms.inverse import InvertibleTransform
from monai.utils.enums import TransformBackends

from monai_gan_aug.transforms.each_key import EachKey
from monai_gan_aug.transforms.tracing import record_of, tracked, undone, untracked

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


def _luminance(img: NdarrayOrTensor) -> NdarrayOrTensor:
    red, green, blue = (img[i : i + 1] * weight for i, weight in enumerate(LUMINANCE))
    return red + green + blue


def _three_times(img: NdarrayOrTensor) -> NdarrayOrTensor:
    if torch.is_tensor(img):
        return torch.cat((img, img, img))
    return np.concatenate((img, img, img))


class ToGrey(InvertibleTransform):
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
        values = untracked(img)
        if img.shape[0] == 3:
            floating = img.is_floating_point() if torch.is_tensor(img) else img.dtype.kind == "f"
            if not floating:
                raise TypeError(f"`img` must be floating point to be averaged, got {img.dtype}.")
            values = _luminance(values)
        return tracked(self, img, values, channels=int(img.shape[0]))

    def inverse(self, img: NdarrayOrTensor, channels: int | None = None) -> NdarrayOrTensor:
        """Return to the number of channels before; colour is lost, so all three are the luminance.

        Args:
            img: Shape ``(1, ...)``. Class labels, which ``Invertd`` takes predictions for by
                default, have no colour and pass unchanged.
            channels: Channels before, 1 or 3, for an image that is no MetaTensor.

        Raises:
            ValueError: If ``img`` has several channels, or is no MetaTensor and ``channels`` is
                missing.
        """
        before = record_of(self, img, None if channels is None else (), channels=channels)
        values = untracked(img)
        if before.details["channels"] == 3 and not before.labels:
            _refuse_channels(img, 1)
            values = _three_times(values)
        return undone(self, img, values)


class ToRGB(InvertibleTransform):
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
        values = untracked(img)
        if img.shape[0] == 1:
            values = _three_times(values)
        return tracked(self, img, values, channels=int(img.shape[0]))

    def inverse(self, img: NdarrayOrTensor, channels: int | None = None) -> NdarrayOrTensor:
        """Return to the number of channels before, exactly while the three are equal.

        Args:
            img: Shape ``(3, ...)``. Channels that were changed apart since become their luminance.
                Class labels, which ``Invertd`` takes predictions for by default, have no colour
                and pass unchanged.
            channels: Channels before, 1 or 3, for an image that is no MetaTensor.

        Raises:
            ValueError: If ``img`` has another number of channels, or is no MetaTensor and
                ``channels`` is missing.
        """
        before = record_of(self, img, None if channels is None else (), channels=channels)
        values: Any = untracked(img)
        if before.details["channels"] == 1 and not before.labels:
            _refuse_channels(img, 3)
            # The luminance of equal channels is theirs up to rounding: take the exact value.
            equal = bool((values[:1] == values).all())
            values = values[:1] if equal else _luminance(values)
        return undone(self, img, values)


def _refuse_channels(img: NdarrayOrTensor, channels: int) -> None:
    if img.shape[0] != channels:
        raise ValueError(
            f"`img` must have {channels} channels to be put back, got shape {tuple(img.shape)}. "
            "For a prediction, hand `Invertd` the transforms that move pixels only."
        )


class ToGreyd(EachKey):
    """Dictionary-based wrapper of :class:`ToGrey`.

    Args:
        keys: Keys of the images.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = ToGrey.backend

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, ToGrey(), allow_missing_keys)


class ToRGBd(EachKey):
    """Dictionary-based wrapper of :class:`ToRGB`.

    Args:
        keys: Keys of the images.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = ToRGB.backend

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, ToRGB(), allow_missing_keys)


ToGreyD = ToGreyDict = ToGreyd
ToRGBD = ToRGBDict = ToRGBd
