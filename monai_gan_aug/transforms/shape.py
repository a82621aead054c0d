"""Sizes: exact area means when shrinking, bilinear when enlarging; squares by pad or crop."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.transforms.inverse import InvertibleTransform
from monai.utils.enums import TransformBackends

from monai_gan_aug.transforms.each_key import EachKey
from monai_gan_aug.transforms.tracing import Placement, record_of, tracked, undone, untracked

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
    single: npt.NDArray[np.float32] = weights.astype(np.float32)
    single.flags.writeable = False  # one array serves every caller of this size
    return single


def _shrink_rows(
    img: npt.NDArray[np.float32], height: int, rows: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """``rows @ img``, by plain sums where that is the same and several times as fast."""
    factor, rest = divmod(img.shape[-2], height)
    if rest or factor < 2:
        product: npt.NDArray[np.float32] = rows @ img
        return product
    blocks = img.reshape(*img.shape[:-2], height, factor, img.shape[-1])
    total: npt.NDArray[np.float32] = np.add.reduce(blocks, axis=-2)
    total /= np.float32(factor)
    return total


def resize_area(img: NdarrayOrTensor, height: int, width: int) -> NdarrayOrTensor:
    """Resize ``img``, shape ``(..., H, W)``, as :class:`ResizeArea` does."""
    rows = resampling_weights(img.shape[-2], height)
    columns = resampling_weights(img.shape[-1], width)
    if torch.is_tensor(img):
        left, right = (torch.tensor(w, device=img.device) for w in (rows, columns))
        return left @ img.float() @ right.T
    values = np.asarray(img, dtype=np.float32)
    resized: npt.NDArray[np.float32] = _shrink_rows(values, height, rows) @ columns.T
    return resized


def resize_nearest(img: NdarrayOrTensor, height: int, width: int) -> NdarrayOrTensor:
    """Give every pixel of ``(..., height, width)`` the value of the one its centre lies in.

    For class labels: the type is kept, and no value appears that was not there.

    Example:
        >>> resize_nearest(np.array([[[3, 5]]]), 1, 4)
        array([[[3, 3, 5, 5]]])
    """
    rows, columns = (
        (2 * np.arange(new_size) + 1) * size // (2 * new_size)
        for size, new_size in zip(img.shape[-2:], (height, width), strict=True)
    )
    nearest: NdarrayOrTensor = img[..., rows[:, None], columns]
    return nearest


class Frame(NamedTuple):
    """A rectangle of pixels in an image, by its sizes and its top left corner."""

    height: int
    width: int
    top: int = 0
    left: int = 0

    def cut_from(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """The rectangle of ``img``, shape ``(..., H, W)``, as a view."""
        rows = slice(self.top, self.top + self.height)
        columns = slice(self.left, self.left + self.width)
        inside: NdarrayOrTensor = img[..., rows, columns]
        return inside

    def put_into(self, size: Sequence[int], img: NdarrayOrTensor, fill: float) -> NdarrayOrTensor:
        """``img`` in the rectangle of a new image of ``size`` ``(..., H, W)``, else ``fill``."""
        shape = (*img.shape[:-2], *size[-2:])
        whole: Any
        whole = (
            img.new_full(shape, fill) if torch.is_tensor(img) else np.full(shape, fill, img.dtype)
        )
        target: Any = self.cut_from(whole)
        target[...] = img
        framed: NdarrayOrTensor = whole
        return framed

    def placement_of(self, size: Sequence[int]) -> Placement:
        """Where pixels lie in an image of ``size`` ``(..., H, W)`` that was resized to fill this.

        Edges meet edges, as area means and ``align_corners=False`` have it; between the centres
        of the pixels there, half pixels of either size.
        """
        scale = size[-2] / self.height, size[-1] / self.width
        top, left = ((0.5 - at) * step - 0.5 for at, step in zip(self[2:], scale, strict=True))
        return Placement(scale, (top, left))

    @property
    def placement(self) -> Placement:
        """Where pixels of the rectangle, cut out, lie in the whole."""
        return Placement(origin=(self.top, self.left))


def _refuse_other_size(img: NdarrayOrTensor, height: int, width: int) -> None:
    if tuple(img.shape[-2:]) != (height, width):
        raise ValueError(
            f"`img` must have the size {height} x {width} it was given, got {tuple(img.shape)}."
        )


class ResizeArea(InvertibleTransform):
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
        values = resize_area(untracked(img), self.height, self.width)
        return tracked(self, img, values, Frame(self.height, self.width).placement_of(img.shape))

    def inverse(self, img: NdarrayOrTensor, shape: Sequence[int] | None = None) -> NdarrayOrTensor:
        """Resize ``img`` back: shape and place return, detail that shrinking took does not.

        Args:
            img: Shape ``(..., height, width)``. The result is ``float32``; class labels, which
                ``Invertd`` takes predictions for by default, keep their type and their values.
            shape: Sizes ``(..., H, W)`` to return to, for an image that is no MetaTensor.

        Raises:
            ValueError: If ``img`` has another size, or is no MetaTensor and ``shape`` is missing.
        """
        _refuse_other_size(img, self.height, self.width)
        before = record_of(self, img, shape)
        resize = resize_nearest if before.labels else resize_area
        values = resize(untracked(img), *before.size[-2:])
        return undone(self, img, values, Frame(self.height, self.width).placement_of(before.size))


class Letterbox(InvertibleTransform):
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
            aspect: Height of a pixel over its width; the result has square pixels. The default
                takes pixels for square, whatever the affine of a MetaTensor says.
        """
        inside = self._inside(img.shape[-2:], aspect)
        square = resize_area(untracked(img), inside.height, inside.width)
        if not inside.height == inside.width == self.size:
            square = inside.put_into((self.size, self.size), square, self.fill)
        return tracked(self, img, square, inside.placement_of(img.shape), aspect=float(aspect))

    def inverse(
        self, img: NdarrayOrTensor, shape: Sequence[int] | None = None, aspect: float = 1.0
    ) -> NdarrayOrTensor:
        """Cut the padding off ``img`` and resize it back, up to what resampling lost.

        Args:
            img: Shape ``(C, size, size)``. The result is ``float32``; class labels, which
                ``Invertd`` takes predictions for by default, keep their type and their values.
            shape: Sizes ``(..., H, W)`` to return to, for an image that is no MetaTensor.
            aspect: What the image was fitted with, if it is no MetaTensor.

        Raises:
            ValueError: If ``img`` has another size, or is no MetaTensor and ``shape`` is missing.
        """
        _refuse_other_size(img, self.size, self.size)
        before = record_of(self, img, shape, aspect=aspect)
        inside = self._inside(before.size[-2:], before.details["aspect"])
        resize = resize_nearest if before.labels else resize_area
        values = resize(inside.cut_from(untracked(img)), *before.size[-2:])
        return undone(self, img, values, inside.placement_of(before.size))

    def _inside(self, shape: Sequence[int], aspect: float) -> Frame:
        """Where an image of ``shape`` ``(H, W)`` lies in the square."""
        sides = shape[0] * aspect, float(shape[1])
        height, width = (max(1, round(side * self.size / max(sides))) for side in sides)
        return Frame(height, width, (self.size - height) // 2, (self.size - width) // 2)


class CenterSquareCrop(InvertibleTransform):
    """The largest square in the middle of an image.

    Args:
        fill: What the inverse gives pixels that were cut off, which are lost; class labels get 0.

    Example:
        >>> CenterSquareCrop()(np.arange(4.0).reshape(1, 1, 4))
        array([[[1.]]])
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, *, fill: float = 0.0) -> None:
        self.fill = fill

    def __call__(self, img: NdarrayOrTensor, aspect: float = 1.0) -> NdarrayOrTensor:
        """Crop ``img``, shape ``(..., H, W)``, to a view that is square.

        Args:
            img: The image.
            aspect: Height of a pixel over its width; other than 1, the view has unequal sides.
        """
        square = self._square(img.shape[-2:], aspect)
        values = square.cut_from(untracked(img))
        return tracked(self, img, values, square.placement, aspect=float(aspect))

    def inverse(
        self, img: NdarrayOrTensor, shape: Sequence[int] | None = None, aspect: float = 1.0
    ) -> NdarrayOrTensor:
        """Pad ``img`` back to its shape and place; what was cut off is lost.

        Args:
            img: Shape ``(..., side, side)``.
            shape: Sizes ``(..., H, W)`` to return to, for an image that is no MetaTensor.
            aspect: What the image was cropped with, if it is no MetaTensor.

        Raises:
            ValueError: If ``img`` has another size, or is no MetaTensor and ``shape`` is missing.
        """
        before = record_of(self, img, shape, aspect=aspect)
        square = self._square(before.size[-2:], before.details["aspect"])
        _refuse_other_size(img, square.height, square.width)
        fill = 0.0 if before.labels else self.fill
        values = square.put_into(before.size, untracked(img), fill)
        return undone(self, img, values, square.placement)

    def _square(self, shape: Sequence[int], aspect: float) -> Frame:
        """Where the square lies in an image of ``shape`` ``(H, W)``."""
        height, width = shape
        side = min(height * aspect, width)
        rows, columns = max(1, round(side / aspect)), max(1, round(side))
        return Frame(rows, columns, (height - rows) // 2, (width - columns) // 2)


class ResizeAread(EachKey):
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
        super().__init__(keys, ResizeArea(height, width), allow_missing_keys)


class Letterboxd(EachKey):
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
        super().__init__(keys, Letterbox(size, fill), allow_missing_keys)


class CenterSquareCropd(EachKey):
    """Dictionary-based wrapper of :class:`CenterSquareCrop`.

    Args:
        keys: Keys of the images.
        allow_missing_keys: Whether a sample may lack a key.
        fill: See :class:`CenterSquareCrop`.
    """

    backend = CenterSquareCrop.backend

    def __init__(
        self, keys: KeysCollection, allow_missing_keys: bool = False, *, fill: float = 0.0
    ) -> None:
        super().__init__(keys, CenterSquareCrop(fill=fill), allow_missing_keys)


ResizeAreaD = ResizeAreaDict = ResizeAread
LetterboxD = LetterboxDict = Letterboxd
CenterSquareCropD = CenterSquareCropDict = CenterSquareCropd
