"""What a transform did to a MetaTensor: its new affine, and the record by which it is undone."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from monai.config.type_definitions import NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.data.meta_tensor import MetaTensor
from monai.transforms.inverse import InvertibleTransform, TraceableTransform
from monai.utils.enums import TraceKeys
from monai.utils.type_conversion import convert_to_tensor

__all__ = ["AppliedChange", "Placement", "record_of", "tracked", "undone", "untracked"]

MODE = "mode"
LABELS = "nearest"


class AppliedChange(NamedTuple):
    """What a transform noted when it changed an image.

    Attributes:
        size: Spatial sizes before.
        details: What the transform noted beside them.
        labels: Whether the values are class labels, which have no units, no colours and nothing
            between them. ``Invertd`` says so by ``nearest_interp``, which is on unless switched
            off.
    """

    size: tuple[int, ...]
    details: dict[str, Any]
    labels: bool


class Placement(NamedTuple):
    """Where the pixels of a new image lie in the old one; rows and columns are the last two axes.

    Attributes:
        scale: Rows and columns of the old image that one of the new image spans.
        origin: Row and column of the old image on which the first pixel centre lies.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    origin: tuple[float, float] = (0.0, 0.0)

    def matrix(self, ndim: int) -> npt.NDArray[np.float64]:
        """Affine from the pixel indices of the new image to those of the old one.

        Args:
            ndim: Axes of the image, the channels first.

        Returns:
            Shape ``(ndim, ndim)``: all axes but the channels, in homogeneous coordinates.

        Raises:
            ValueError: If there is no axis for the channels.

        Example:
            >>> Placement(scale=(1.0, 2.0), origin=(5.0, 0.5)).matrix(3)
            array([[1. , 0. , 5. ],
                   [0. , 2. , 0.5],
                   [0. , 0. , 1. ]])
        """
        if ndim < 3:
            raise ValueError(f"A MetaTensor must be channel first, (C, H, W), got {ndim} axes.")
        matrix = np.eye(ndim)
        for axis, step, start in zip((ndim - 3, ndim - 2), self.scale, self.origin, strict=True):
            matrix[axis, axis] = step
            matrix[axis, -1] = start
        return matrix


def untracked(img: NdarrayOrTensor) -> NdarrayOrTensor:
    """The values of ``img`` alone: a MetaTensor as a plain tensor, anything else as it is."""
    return img.as_tensor() if isinstance(img, MetaTensor) else img


def tracked(
    transform: InvertibleTransform,
    before: NdarrayOrTensor,
    values: NdarrayOrTensor,
    placement: Placement | None = None,
    **details: Any,
) -> NdarrayOrTensor:
    """``values`` with the metadata of ``before``, the change of place and the record of it.

    Args:
        transform: What changed the image.
        before: The image before. Unless it is a MetaTensor, ``values`` are returned alone.
        values: The image after.
        placement: Where the pixels of ``values`` lie in ``before``; ``None`` if none moved.
        **details: What undoing it takes: numbers and strings, which any collate function accepts.

    Raises:
        ValueError: If ``before`` is a batch.
    """
    if not isinstance(before, MetaTensor):
        return values
    _refuse_batch(before)
    # Every record has the entry that `Invertd(nearest_interp=True)` sets to "nearest".
    metadata = TraceableTransform.track_transform_meta(
        before,
        affine=None if placement is None else placement.matrix(before.ndim),
        extra_info={MODE: "bilinear", **details},
        transform_info=transform.get_transform_info(),
    )
    return _with_metadata(values, metadata)


def record_of(
    transform: InvertibleTransform,
    img: NdarrayOrTensor,
    size: Sequence[int] | None = None,
    **details: Any,
) -> AppliedChange:
    """What ``transform`` noted when it last changed ``img``, which is kept as it is.

    Args:
        transform: What is to be undone.
        img: A MetaTensor with the record, or a plain image, which remembers nothing.
        size: Stands in for the record of a plain image.
        **details: As ``size``.

    Raises:
        ValueError: If ``img`` is a plain image and ``size`` is missing, or ``img`` is a batch.
        RuntimeError: If another transform changed ``img``.
    """
    if not isinstance(img, MetaTensor):
        if size is None:
            raise ValueError(
                f"`img` must be a MetaTensor that {type(transform).__name__} changed, got "
                f"{type(img).__name__}, which does not remember how it was: start the pipeline "
                "with MONAI's `EnsureType` or `EnsureTyped`."
            )
        return AppliedChange(tuple(size), details, labels=False)
    _refuse_batch(img)
    entry = transform.get_most_recent_transform(img)
    noted = entry.get(TraceKeys.EXTRA_INFO, {})
    recorded_size = tuple(int(length) for length in entry[TraceKeys.ORIG_SIZE])
    return AppliedChange(recorded_size, noted, noted.get(MODE) == LABELS)


def undone(
    transform: InvertibleTransform,
    img: NdarrayOrTensor,
    values: NdarrayOrTensor,
    placement: Placement | None = None,
) -> NdarrayOrTensor:
    """``values`` with the metadata of ``img``, less the record of ``transform``.

    Args:
        transform: What was undone.
        img: The image with the record, which is kept as it is. Unless it is a MetaTensor,
            ``values`` are returned alone.
        values: The image as it was before ``transform``.
        placement: As :func:`tracked` was given it: where the pixels of ``img`` lie in ``values``.
    """
    if not isinstance(img, MetaTensor):
        return values
    back = None if placement is None else np.linalg.inv(placement.matrix(img.ndim))
    out = _with_metadata(values, TraceableTransform.track_transform_meta(img, affine=back))
    if isinstance(out, MetaTensor):
        transform.pop_transform(out)
    return out


def _with_metadata(values: NdarrayOrTensor, metadata: Any) -> NdarrayOrTensor:
    out: Any = convert_to_tensor(values, track_meta=get_track_meta())
    if isinstance(out, MetaTensor):
        out = cast(Any, out).copy_meta_from(metadata)
    image: NdarrayOrTensor = out
    return image


def _refuse_batch(img: MetaTensor) -> None:
    if img.is_batch:
        raise ValueError(
            f"`img` must be one image, got a batch of shape {tuple(img.shape)}: call MONAI's "
            "`decollate_batch` first."
        )
