"""The part of an image that the body fills."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.data.meta_tensor import MetaTensor
from monai.transforms.inverse import InvertibleTransform
from monai.utils.enums import TransformBackends
from scipy import ndimage

from monai_gan_aug.transforms.each_key import EachKey
from monai_gan_aug.transforms.shape import Frame
from monai_gan_aug.transforms.tracing import record_of, tracked, undone, untracked

__all__ = ["BodyCrop", "BodyCropD", "BodyCropDict", "BodyCropd", "Box"]

BOX_SUFFIX = "_body_box"


class Box(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right``, the last ones not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def frame(self) -> Frame:
        """The same rectangle by its sizes."""
        return Frame(self.bottom - self.top, self.right - self.left, self.top, self.left)


class BodyCrop(InvertibleTransform):
    """Crop to the bounding box of the largest connected bright region, which leaves out the table.

    Args:
        threshold: Value above which a pixel counts as bright, in the units of the image: -500 tells
            tissue from air in Hounsfield units; for display values take a small positive number.
        margin: Pixels to keep around the box, as far as the image has them.
        fill: What the inverse gives pixels that were cut off, which are lost; class labels get 0.

    Raises:
        ValueError: If ``margin`` is negative.

    Example:
        >>> image = np.zeros((1, 6, 8), np.float32)
        >>> image[:, 2:4, 3:7] = 40
        >>> BodyCrop(threshold=0, margin=1)(image).shape
        (1, 4, 6)
    """

    backend = [TransformBackends.TORCH, TransformBackends.NUMPY]

    def __init__(self, threshold: float = -500.0, margin: int = 0, *, fill: float = 0.0) -> None:
        if margin < 0:
            raise ValueError(f"`margin` must not be negative, got {margin}.")
        self.threshold = threshold
        self.margin = margin
        self.fill = fill

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

    def __call__(self, img: NdarrayOrTensor, box: Box | None = None) -> NdarrayOrTensor:
        """Crop ``img``, shape ``(C, H, W)``, to a view of it.

        Args:
            img: The image.
            box: Where to crop, found in another image of the same size; ``None`` to find it here.
        """
        values: Any = untracked(img)
        # Plain integers: NumPy's own would not survive a record that is collated and sent around.
        box = Box(*(int(edge) for edge in (self.box(values) if box is None else box)))
        return tracked(self, img, box.frame.cut_from(values), box.frame.placement, **box._asdict())

    def inverse(
        self, img: NdarrayOrTensor, box: Box | None = None, shape: Sequence[int] | None = None
    ) -> NdarrayOrTensor:
        """Put a cropped image back to its shape and place; what was cut off is lost.

        Args:
            img: Shape ``(C, bottom - top, right - left)``.
            box: Where it was, from :meth:`box`, for an image that is no MetaTensor.
            shape: Sizes ``(..., H, W)`` to return to, for an image that is no MetaTensor.

        Raises:
            ValueError: If ``img`` has another size than the box, or is no MetaTensor and ``box`` or
                ``shape`` is missing.
        """
        given = {} if box is None else box._asdict()
        before = record_of(self, img, shape if given else None, **given)
        frame = Box(*(int(before.details[edge]) for edge in Box._fields)).frame
        if tuple(img.shape[-2:]) != frame[:2]:
            raise ValueError(
                f"`img` must have the size {frame.height} x {frame.width} of the box, "
                f"got {tuple(img.shape)}."
            )
        fill = 0.0 if before.labels else self.fill
        return undone(self, img, frame.put_into(before.size, untracked(img), fill), frame.placement)


class BodyCropd(EachKey):
    """Dictionary-based wrapper of :class:`BodyCrop`: one box for all keys.

    The box is found in the first key and kept with the shape under ``"<first key>_body_box"``.

    Args:
        keys: Keys of the images, all of one size: an image and its mask, say.
        threshold: See :class:`BodyCrop`.
        margin: See :class:`BodyCrop`.
        allow_missing_keys: Whether a sample may lack a key other than the first.
        fill: See :class:`BodyCrop`.
    """

    backend = BodyCrop.backend

    def __init__(
        self,
        keys: KeysCollection,
        threshold: float = -500.0,
        margin: int = 0,
        allow_missing_keys: bool = False,
        *,
        fill: float = 0.0,
    ) -> None:
        self.crop = BodyCrop(threshold, margin, fill=fill)
        super().__init__(keys, self.crop, allow_missing_keys)
        self.box_key = f"{self.keys[0]}{BOX_SUFFIX}"

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key cropped."""
        out = dict(data)
        box = self.crop.box(out[self.keys[0]])
        out[self.box_key] = (box, tuple(out[self.keys[0]].shape[-2:]))
        for key in self.key_iterator(out):
            out[key] = self.crop(out[key], box)
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key put back, ``fill`` beside the box.

        MetaTensors carry the box themselves, so a prediction can be put back without the entry
        that plain images need.

        Raises:
            ValueError: If a key is no MetaTensor and the entry of the box is missing.
        """
        out = dict(data)
        box, shape = out.pop(self.box_key, (None, None))
        for key in self.key_iterator(out):
            plain = not isinstance(out[key], MetaTensor)
            out[key] = self.crop.inverse(out[key], *((box, shape) if plain else ()))
        return out


BodyCropD = BodyCropDict = BodyCropd
