"""Sizes: exact area means when shrinking, bilinear when enlarging; squares by pad or crop."""

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

__all__ = [
    "CenterSquareCrop",
    "CenterSquareCropD",
    "CenterSquareCropDict",
    "CenterSquareCropd",
    "Letterbox",
    "LetterboxD",
    "LetterboxDict",
    "Letterboxd",
    "ResizeArea",
    "ResizeAreaD",
    "ResizeAreaDict",
    "ResizeAread",
]


@lru_cache(maxsize=64)
def resampling_weights(size: int, new_size: int) -> npt.NDArray[np.float32]:
    """Share of each of ``size`` input pixels in each of ``new_size`` output pixels.

    Shrinking gives every input pixel the part of the output pixel it covers; enlarging
    interpolates linearly between pixel centres and repeats the border.

    Returns:
        Shape ``(new_size, size)``, read-only; every row sums to 1.
    """
    if new_size <= size:
        edges = np.arange(new_size + 1)[:, None] * (size / new_size)
        covered = np.clip(edges - np.arange(size), 0, 1)
        weights = np.diff(covered, axis=0) * (new_size / size)
    else:
        position = np.clip((np.arange(new_size) + 0.5) * size / new_size - 0.5, 0, size - 1)
        weights = np.clip(1 - np.abs(position[:, None] - np.arange(size)), 0, None)
    weights = weights.astype(np.float32)
    weights.flags.writeable = False
    return weights


def _shrink_rows(
    img: npt.NDArray[np.float32], height: int, rows: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """``rows @ img``, by plain sums where that is the same and several times as fast."""
    factor, rest = divmod(img.shape[-2], height)
    if rest or factor < 2:
        return rows @ img
    blocks = img.reshape(*img.shape[:-2], height, factor, img.shape[-1])
    total: npt.NDArray[np.float32] = np.add.reduce(blocks, axis=-2)
    total /= np.float32(factor)
    return total


class ResizeArea(Transform):
    """Resize to ``(height, width)``: the exact area mean when shrinking, bilinear when enlarging.

    Fractional coverage counts, so the mean of a uniformly weighted image is kept for any ratio of
    sizes, and there is no aliasing.

    Args:
        height: Rows of the result.
        width: Columns of the result; ``None`` for as many as rows.

    Raises:
        ValueError: If a size is not positive.

    Example:
        >>> ResizeArea(1, 2)(np.array([[[0.0, 2.0, 4.0, 6.0]]], np.float32))
        array([[[1., 5.]]], dtype=float32)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, height: int, width: int | None = None) -> None:
        self.height = height
        self.width = height if width is None else width
        if min(self.height, self.width) < 1:
            raise ValueError(f"Sizes must be positive, got {self.height} x {self.width}.")

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Resize ``img``, shape ``(..., H, W)``, and return ``float32`` of the same kind."""
        rows = resampling_weights(img.shape[-2], self.height)
        columns = resampling_weights(img.shape[-1], self.width)
        if torch.is_tensor(img):
            left, right = (torch.tensor(w, device=img.device) for w in (rows, columns))
            return left @ img.float() @ right.T
        img = np.asarray(img, dtype=np.float32)
        return _shrink_rows(img, self.height, rows) @ columns.T


class Letterbox(Transform):
    """Scale the longer side to ``size`` and pad the shorter one evenly to a square.

    Args:
        size: Side of the square.
        fill: Value of the padding.

    Raises:
        ValueError: If ``size`` is not positive.

    Example:
        >>> Letterbox(4)(np.ones((1, 4, 8), np.float32))[0, :, 0]
        array([0., 1., 1., 0.], dtype=float32)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, size: int, fill: float = 0.0) -> None:
        if size < 1:
            raise ValueError(f"`size` must be positive, got {size}.")
        self.size = size
        self.fill = fill

    def __call__(self, img: NdarrayOrTensor, aspect: float = 1.0) -> NdarrayOrTensor:
        """Fit ``img``, shape ``(C, H, W)``, into ``(C, size, size)``, ``float32``.

        Args:
            img: The image.
            aspect: Height of a pixel over its width; the result has square pixels.
        """
        height, width = self._inside(img.shape[-2:], aspect)
        small = ResizeArea(height, width)(img)
        if height == width == self.size:
            return small
        top, left = (self.size - height) // 2, (self.size - width) // 2
        shape = (*img.shape[:-2], self.size, self.size)
        if torch.is_tensor(small):
            square: Any = small.new_full(shape, self.fill)
        else:
            square = np.full(shape, self.fill, np.float32)
        square[..., top : top + height, left : left + width] = small
        return square

    def inverse(
        self, img: NdarrayOrTensor, shape: Sequence[int], aspect: float = 1.0
    ) -> NdarrayOrTensor:
        """Cut the padding off ``img`` and resize it to ``shape`` ``(H, W)``, up to resampling."""
        height, width = self._inside(shape[-2:], aspect)
        top, left = (self.size - height) // 2, (self.size - width) // 2
        return ResizeArea(*shape[-2:])(img[..., top : top + height, left : left + width])

    def _inside(self, shape: Sequence[int], aspect: float) -> tuple[int, int]:
        """Height and width that an image of ``shape`` has inside the square."""
        sides = shape[0] * aspect, float(shape[1])
        height, width = (max(1, round(side * self.size / max(sides))) for side in sides)
        return height, width


class CenterSquareCrop(Transform):
    """The largest square in the middle of an image.

    Example:
        >>> CenterSquareCrop()(np.arange(4.0).reshape(1, 1, 4))
        array([[[1.]]])
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __call__(self, img: NdarrayOrTensor, aspect: float = 1.0) -> NdarrayOrTensor:
        """Crop ``img``, shape ``(..., H, W)``, to a view that is square.

        Args:
            img: The image.
            aspect: Height of a pixel over its width; other than 1, the view has unequal sides.
        """
        height, width = img.shape[-2:]
        side = min(height * aspect, width)
        rows, columns = max(1, round(side / aspect)), max(1, round(side))
        top, left = (height - rows) // 2, (width - columns) // 2
        return img[..., top : top + rows, left : left + columns]


class ResizeAread(MapTransform):
    """Dictionary-based wrapper of :class:`ResizeArea`.

    Args:
        keys: Keys of the images.
        height: See :class:`ResizeArea`.
        width: See :class:`ResizeArea`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = ResizeArea.backend

    def __init__(
        self,
        keys: KeysCollection,
        height: int,
        width: int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.resize = ResizeArea(height, width)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key resized."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.resize(out[key])
        return out


class Letterboxd(MapTransform):
    """Dictionary-based wrapper of :class:`Letterbox`.

    Args:
        keys: Keys of the images.
        size: See :class:`Letterbox`.
        fill: See :class:`Letterbox`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = Letterbox.backend

    def __init__(
        self, keys: KeysCollection, size: int, fill: float = 0.0, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.fit = Letterbox(size, fill)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key fitted into a square."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.fit(out[key])
        return out


class CenterSquareCropd(MapTransform):
    """Dictionary-based wrapper of :class:`CenterSquareCrop`.

    Args:
        keys: Keys of the images.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = CenterSquareCrop.backend

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.crop = CenterSquareCrop()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key cropped."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.crop(out[key])
        return out


ResizeAreaD = ResizeAreaDict = ResizeAread
LetterboxD = LetterboxDict = Letterboxd
CenterSquareCropD = CenterSquareCropDict = CenterSquareCropd
