"""Maps of Hounsfield units: clipping, and several windows as channels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.transforms.inverse import InvertibleTransform
from monai.utils.enums import TransformBackends

from monai_gan_aug.transforms.each_key import EachKey
from monai_gan_aug.transforms.intensity import WindowIntensity
from monai_gan_aug.transforms.tracing import record_of, tracked, undone, untracked
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


class ClipHU(InvertibleTransform):
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
        return tracked(self, img, untracked(img).clip(self.low, self.high))

    def inverse(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """``img`` as it is: what was not clipped is exact, what was stays at its limit."""
        record_of(self, img, size=())  # refuses what this transform did not clip
        return undone(self, img, untracked(img))


class MultiWindow(InvertibleTransform):
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
        views: list[Any] = [window(untracked(img)) for window in self.windows]
        values = torch.cat(views) if torch.is_tensor(img) else np.concatenate(views)
        return tracked(self, img, values)

    def inverse(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Units of the image, shape ``(1, ...)``: exact where some window did not clip.

        Where all windows clipped, the value is the nearest edge of the widest one.

        Args:
            img: Shape ``(number of windows, ...)``. Class labels, which ``Invertd`` takes
                predictions for by default, have no units and pass unchanged.

        Raises:
            ValueError: If ``img`` has another number of channels.
        """
        values: Any = untracked(img)
        if not record_of(self, img, size=()).labels:
            values = self._units(values)
        return undone(self, img, values)

    def _units(self, views: Any) -> Any:
        if len(views) != len(self.windows):
            raise ValueError(
                f"`img` must have {len(self.windows)} channels, one for each window, "
                f"got shape {tuple(views.shape)}."
            )
        widest, *others = sorted(range(len(self.windows)), key=lambda i: -self.windows[i].width)
        values = self.windows[widest].inverse(views[widest : widest + 1])
        where: Any = torch.where if torch.is_tensor(views) else np.where
        # From wide to narrow: a narrow window tells neighbouring values further apart.
        for index in others:
            view = views[index : index + 1]
            values = where((view > 0) & (view < 1), self.windows[index].inverse(view), values)
        return values


class ClipHUd(EachKey):
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
        super().__init__(keys, ClipHU(low, high), allow_missing_keys)


class MultiWindowd(EachKey):
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
        super().__init__(keys, MultiWindow(windows), allow_missing_keys)


ClipHUD = ClipHUDict = ClipHUd
MultiWindowD = MultiWindowDict = MultiWindowd
