"""The part of an image that the body fills."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends
from scipy import ndimage

__all__ = ["BodyCrop", "BodyCropD", "BodyCropDict", "BodyCropd", "Box"]

BOX_SUFFIX = "_body_box"


class Box(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right``, the last ones not included."""

    top: int
    bottom: int
    left: int
    right: int


class BodyCrop(Transform):
    """Crop to the bounding box of the largest connected bright region, which leaves out the table.

    Args:
        threshold: Value above which a pixel counts as bright, in the units of the image: -500 tells
            tissue from air in Hounsfield units; for display values take a small positive number.
        margin: Pixels to keep around the box, as far as the image has them.

    Raises:
        ValueError: If ``margin`` is negative.

    Example:
        >>> image = np.zeros((1, 6, 8), np.float32)
        >>> image[:, 2:4, 3:7] = 40
        >>> BodyCrop(threshold=0, margin=1)(image).shape
        (1, 4, 6)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, threshold: float = -500.0, margin: int = 0) -> None:
        if margin < 0:
            raise ValueError(f"`margin` must not be negative, got {margin}.")
        self.threshold = threshold
        self.margin = margin

    def box(self, img: NdarrayOrTensor) -> Box:
        """Where the body is in ``img``, shape ``(C, H, W)``; the whole image if nothing is bright.

        A pixel is bright if any channel is; pixels connect along their sides.
        """
        values: npt.NDArray[Any] = img.detach().cpu().numpy() if torch.is_tensor(img) else img
        regions, count = ndimage.label((values > self.threshold).any(axis=0))
        height, width = values.shape[-2:]
        if not count:
            return Box(0, height, 0, width)
        largest = int(np.bincount(regions.ravel())[1:].argmax())
        rows, columns = ndimage.find_objects(regions)[largest]
        return Box(
            max(0, rows.start - self.margin),
            min(height, rows.stop + self.margin),
            max(0, columns.start - self.margin),
            min(width, columns.stop + self.margin),
        )

    def __call__(self, img: NdarrayOrTensor) -> NdarrayOrTensor:
        """Crop ``img``, shape ``(C, H, W)``, to a view of it."""
        return _cropped(img, self.box(img))

    @staticmethod
    def inverse(
        img: NdarrayOrTensor, box: Box, shape: Sequence[int], fill: float = 0.0
    ) -> NdarrayOrTensor:
        """Put a cropped image back where it was; what was cut off is lost.

        Args:
            img: Shape ``(C, bottom - top, right - left)``.
            box: Where it was, from :meth:`box`.
            shape: ``(..., H, W)`` of the image before.
            fill: Value of what was cut off.

        Returns:
            Shape ``(C, H, W)``.
        """
        whole: Any
        size = (*img.shape[:-2], *shape[-2:])
        whole = img.new_full(size, fill) if torch.is_tensor(img) else np.full(size, fill, img.dtype)
        whole[..., box.top : box.bottom, box.left : box.right] = img
        return whole


def _cropped(img: Any, box: Box) -> Any:
    return img[..., box.top : box.bottom, box.left : box.right]


class BodyCropd(MapTransform):
    """Dictionary-based wrapper of :class:`BodyCrop`: one box for all keys.

    The box is found in the first key and kept with the shape under ``"<first key>_body_box"``.

    Args:
        keys: Keys of the images, all of one size: an image and its mask, say.
        threshold: See :class:`BodyCrop`.
        margin: See :class:`BodyCrop`.
        allow_missing_keys: Whether a sample may lack a key other than the first.
    """

    backend = BodyCrop.backend

    def __init__(
        self,
        keys: KeysCollection,
        threshold: float = -500.0,
        margin: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.crop = BodyCrop(threshold, margin)
        self.box_key = f"{self.keys[0]}{BOX_SUFFIX}"

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key cropped."""
        out = dict(data)
        box = self.crop.box(out[self.keys[0]])
        out[self.box_key] = (box, tuple(out[self.keys[0]].shape[-2:]))
        for key in self.key_iterator(out):
            out[key] = _cropped(out[key], box)
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key put back, zero beside the box."""
        out = dict(data)
        box, shape = out.pop(self.box_key)
        for key in self.key_iterator(out):
            out[key] = self.crop.inverse(out[key], box, shape)
        return out


BodyCropD = BodyCropDict = BodyCropd
