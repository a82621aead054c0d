"""Maps of Hounsfield units: clipping, and several windows as channels."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

from monai_gan_aug.transforms.intensity import WindowIntensity
from monai_gan_aug.transforms.windows import resolve_window

__all__ = [
    "ClipHU",
    "ClipHUD",
    "ClipHUDict",
    "ClipHUd",
    "MultiWindow",
    "MultiWindowD",
    "MultiWindowDict",
    "MultiWindowd",
]


class ClipHU(Transform):
    """Limit values to ``[low, high]``; the usual range of a CT is from air to dense bone.

    Args:
        low: Smallest value that is kept.
        high: Largest value that is kept, above ``low``.

    Raises:
        ValueError: If ``low`` is not below ``high``.

    Example:
        >>> ClipHU()(np.array([-3024.0, 40.0, 4000.0]))
        array([-1024.,    40.,  3071.])
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, low: float = -1024.0, high: float = 3071.0) -> None:
        if not low < high:
            raise ValueError(f"`low` must be below `high`, got {low} and {high}.")
        self.low = low
        self.high = high

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Clip ``img``, any shape, and return the same type."""
        return img.clip(self.low, self.high)


class MultiWindow(Transform):
    """One channel in ``[0, 1]`` for each window of a grey image in Hounsfield units.

    Args:
        windows: Names of :data:`~monai_gan_aug.transforms.windows.WINDOWS` or pairs
            ``(center, width)``.

    Raises:
        ValueError: If there is no window or one is unknown.

    Example:
        >>> MultiWindow(["brain", "bone"])(np.zeros((1, 2, 2), np.float32)).shape
        (2, 2, 2)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, windows: Sequence[str | Sequence[float]]) -> None:
        if not windows:
            raise ValueError("`windows` must name at least one window, got none.")
        self.windows = [WindowIntensity(*resolve_window(window, None)) for window in windows]

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Window ``img``, shape ``(1, ...)``, into shape ``(number of windows, ...)``.

        Raises:
            ValueError: If ``img`` has several channels.
        """
        if img.shape[0] != 1:
            raise ValueError(f"`img` must have one channel, got shape {tuple(img.shape)}.")
        views: list[Any] = [window(img) for window in self.windows]
        return torch.cat(views) if torch.is_tensor(img) else np.concatenate(views)

    def inverse(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Units of the image, shape ``(1, ...)``: exact where some window did not clip.

        Where all windows clipped, the value is the nearest edge of the widest one.
        """
        order = sorted(range(len(self.windows)), key=lambda i: -self.windows[i].width)
        values: Any = self.windows[order[0]].inverse(img[order[0] : order[0] + 1])
        where: Any = torch.where if torch.is_tensor(img) else np.where
        for index in order[1:]:
            view: Any = img[index : index + 1]
            values = where((view > 0) & (view < 1), self.windows[index].inverse(view), values)
        return values


class ClipHUd(MapTransform):
    """Dictionary-based wrapper of :class:`ClipHU`.

    Args:
        keys: Keys of the images.
        low: See :class:`ClipHU`.
        high: See :class:`ClipHU`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = ClipHU.backend

    def __init__(
        self,
        keys: KeysCollection,
        low: float = -1024.0,
        high: float = 3071.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.clip = ClipHU(low, high)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key clipped."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.clip(out[key])
        return out


class MultiWindowd(MapTransform):
    """Dictionary-based wrapper of :class:`MultiWindow`.

    Args:
        keys: Keys of the images.
        windows: See :class:`MultiWindow`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = MultiWindow.backend

    def __init__(
        self,
        keys: KeysCollection,
        windows: Sequence[str | Sequence[float]],
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.split = MultiWindow(windows)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key windowed into channels."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.split(out[key])
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key back in the units of the image."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.split.inverse(out[key])
        return out


ClipHUD = ClipHUDict = ClipHUd
MultiWindowD = MultiWindowDict = MultiWindowd
