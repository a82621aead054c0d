"""Random augmentation of one image in a MONAI pipeline: the draw, the change, the way back."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.data.meta_tensor import MetaTensor
from monai.transforms.inverse import InvertibleTransform, TraceableTransform
from monai.transforms.transform import MapTransform, Randomizable, RandomizableTransform
from monai.utils.enums import TraceKeys, TransformBackends
from monai.utils.type_conversion import convert_to_tensor
from torch import Tensor
from torch.nn import functional

from monai_gan_aug.augmentation.geometric import normalised_matrices
from monai_gan_aug.augmentation.operations import Operation, StateSource

__all__ = ["RandomAugmentation", "RandomAugmentationd"]


class RandomAugmentation(RandomizableTransform, InvertibleTransform):
    """Base of the random augmentations: ``randomize`` draws, the call applies what was drawn.

    The affine of a MetaTensor follows what moves. The inverse moves an image back to its place, up
    to interpolation and with zeros where it had left the frame; changed values stay changed.

    Args:
        prob: Chance that an image is augmented at all.

    Raises:
        ValueError: If ``prob`` is not in ``[0, 1]``.
    """

    backend = [TransformBackends.TORCH]

    def __init__(self, prob: float = 1.0) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f"`prob` must be in [0, 1], got {prob}.")
        RandomizableTransform.__init__(self, prob)
        self._shape: tuple[int, ...] = ()
        self._drawn: list[Any] = []

    def operations(self, channels: int) -> Sequence[Operation]:
        """What is done to an image with so many channels, in order."""
        raise NotImplementedError(f"{type(self).__name__} must say what its `operations` are.")

    def randomize(self, data: NdarrayOrTensor) -> None:
        """Draw for an image of the shape, type and device of ``data``; its values do not count.

        Raises:
            ValueError: If ``data`` is not of shape ``(C, H, W)``.
            TypeError: If ``data`` is not floating point.
        """
        super().randomize(None)
        batch = _as_batch(data)
        self._shape = tuple(data.shape)
        source = StateSource(self.R)
        operations = self.operations(len(data)) if self._do_transform else ()
        self._drawn = [operation.draw(batch, source) for operation in operations]

    def __call__(self, img: NdarrayOrTensor, randomize: bool = True) -> NdarrayOrTensor:
        """Augment ``img``, shape ``(C, H, W)``, range ``[-1, 1]``, and return the same kind.

        Args:
            img: Floating point; not changed in place.
            randomize: Whether to draw anew; otherwise what was drawn last is applied again.

        Raises:
            ValueError: If ``img`` is not of shape ``(C, H, W)``, or has another than was drawn for.
            TypeError: If ``img`` is not floating point.
        """
        if randomize:
            self.randomize(img)
        if tuple(img.shape) != self._shape:
            raise ValueError(
                f"`img` must have the shape {self._shape} that was drawn for, "
                f"got {tuple(img.shape)}."
            )
        images, matrix = _as_batch(img), np.eye(3)
        operations = self.operations(len(img)) if self._do_transform else ()
        for operation, drawn in zip(operations, self._drawn, strict=True):
            if operation.moves is not None and isinstance(img, MetaTensor):
                # Each leads one step back, so an index of the result meets the last one first.
                matrix = matrix @ operation.moves(images, drawn)[0].numpy()
            images = operation.apply(images, drawn)
        if not isinstance(img, MetaTensor):
            return images[0] if isinstance(img, Tensor) else images[0].numpy()
        # `Invertd(nearest_interp=True)` sets "mode" to "nearest" for labels.
        metadata = TraceableTransform.track_transform_meta(
            img,
            affine=matrix,
            extra_info={"mode": "bilinear", "matrix": matrix.ravel().tolist()},
            transform_info=self.get_transform_info(),
        )
        return _with_metadata(images[0], metadata)

    def inverse(self, img: MetaTensor) -> NdarrayOrTensor:
        """Move ``img``, shape ``(C, H, W)``, back to its place; changed values stay changed.

        Args:
            img: What the call returned, or a prediction for it of the same size with its record.
                Class labels, which ``Invertd`` takes predictions for by default, keep their type
                and take the nearest value.

        Raises:
            ValueError: If ``img`` is no MetaTensor, or has another size than the augmented image.
            RuntimeError: If ``img`` has no record of this transform.
        """
        if not isinstance(img, MetaTensor):
            raise ValueError(
                f"`img` must be a MetaTensor that {type(self).__name__} changed, got "
                f"{type(img).__name__}, which does not remember where it was: start the pipeline "
                "with MONAI's `EnsureType` or `EnsureTyped`."
            )
        entry = self.get_most_recent_transform(img)
        size = tuple(int(length) for length in entry[TraceKeys.ORIG_SIZE])
        if tuple(img.shape[1:]) != size:
            raise ValueError(f"`img` must have the size {size} it had, got {tuple(img.shape)}.")
        noted = entry[TraceKeys.EXTRA_INFO]
        back = np.linalg.inv(np.reshape(noted["matrix"], (3, 3)))
        values = _moved(img.as_tensor(), back, noted["mode"])
        metadata = TraceableTransform.track_transform_meta(img, affine=back)
        out = _with_metadata(values, metadata)
        if isinstance(out, MetaTensor):
            self.pop_transform(out)
        return out


def _with_metadata(values: Tensor, metadata: Any) -> NdarrayOrTensor:
    out: Any = convert_to_tensor(values, track_meta=get_track_meta())
    image: NdarrayOrTensor
    image = cast(Any, out).copy_meta_from(metadata) if isinstance(out, MetaTensor) else out
    return image


def _as_batch(img: NdarrayOrTensor) -> Tensor:
    """A batch of ``img`` alone, without metadata."""
    if img.ndim != 3:
        raise ValueError(f"`img` must have the shape (C, H, W), got {tuple(img.shape)}.")
    values: Any = img.as_tensor() if isinstance(img, MetaTensor) else img
    if not isinstance(values, Tensor):
        # A copy: torch takes neither read-only memory maps nor the negative strides of a flip.
        values = torch.from_numpy(np.array(values, order="C"))
    if not values.is_floating_point():
        raise TypeError(f"`img` must be floating point in [-1, 1], got {img.dtype}.")
    batch: Tensor = values[None]
    return batch


def _moved(values: Tensor, matrix: npt.NDArray[np.float64], mode: str) -> Tensor:
    """``values`` ``(C, H, W)`` resampled by an affine from pixels after to those before."""
    if np.array_equal(matrix, np.eye(3)):
        return values.clone()
    height, width = values.shape[1:]
    images = values[None] if values.is_floating_point() else values[None].float()
    theta = normalised_matrices(torch.from_numpy(matrix)[None], height, width)
    grid = functional.affine_grid(theta.to(images), [1, 1, height, width], align_corners=False)
    moved = functional.grid_sample(images, grid, mode=mode, align_corners=False)[0]
    return moved if values.is_floating_point() else moved.round().to(values.dtype)


class RandomAugmentationd(Randomizable, MapTransform, InvertibleTransform):
    """Base of the dictionary-based augmentations: one draw for all keys of a sample.

    Args:
        keys: Keys of the images, all of one shape: phases of one scan, say. (Not of label maps,
            which have no intensities and nothing between their values.)
        transform: The array transform.
        allow_missing_keys: Whether a sample may lack a key.
    """

    backend = RandomAugmentation.backend

    def __init__(
        self,
        keys: KeysCollection,
        transform: RandomAugmentation,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.transform = transform

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> "RandomAugmentationd":
        """Set the random state of the array transform, which is the one that draws."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(seed, state)
        return self

    def randomize(self, data: Mapping[Hashable, Any]) -> None:
        """Draw for the first key that ``data`` has."""
        key = self.first_key(dict(data))
        if key != ():
            self.transform.randomize(data[key])

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key augmented alike.

        Raises:
            ValueError: If a key has another shape than the first one.
        """
        out = dict(data)
        self.randomize(out)
        for key in self.key_iterator(out):
            out[key] = self.transform(out[key], randomize=False)
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key moved back to its place."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform.inverse(out[key])
        return out
