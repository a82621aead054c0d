"""Two-dimensional NIfTI images, turned into the row order of DICOM."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.image import DecodedImage, ReadLimits, Units
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["read_nifti"]

COPY_AGAIN = "copy it again from the source"


def read_nifti(path: Path, name: str, limits: ReadLimits) -> DecodedImage:
    """Read one slice stored as NIfTI; see :func:`monai_gan_aug.io.reading.read_image`.

    The axes are turned by the affine so that rows run to posterior (or inferior) and columns to
    the patient's left (or posterior), as in DICOM. Values are native: NIfTI has no field that
    says whether they are Hounsfield units.
    """
    import nibabel

    with refuse_bad_content(name, "is a damaged NIfTI file", COPY_AGAIN):
        image: Any = nibabel.load(path)
        shape = tuple(int(size) for size in image.shape)
        _refuse_shape(shape, image.get_data_dtype(), name, limits)
        values = np.asarray(image.dataobj, dtype=np.float32).reshape((*shape, 1, 1)[:3])
        if not np.isfinite(values).all():
            raise ImageReadError(name, "has values that are not finite", "export it again")
        orientation = nibabel.io_orientation(image.affine)
        zooms = np.ones(3)
        zooms[: len(shape[:3])] = image.header.get_zooms()[:3]
        turned = nibabel.apply_orientation(values, orientation)
        return DecodedImage(
            pixels=_as_rows(turned)[None],
            units=Units.NATIVE,
            spacing=_spacing(zooms[np.argsort(orientation[:, 0])], turned.shape),
        )


def _refuse_shape(
    shape: tuple[int, ...], kind: np.dtype[np.generic], name: str, limits: ReadLimits
) -> None:
    extents = [size for size in shape if size != 1]
    if len(shape) < 2 or len(extents) > 2 or min(shape) < 1:
        shown = " x ".join(map(str, shape))
        raise ImageReadError(
            name, f"has {shown} voxels", "save it as one file per slice: images here are 2-D"
        )
    if int(np.prod(shape, dtype=object)) > limits.max_pixels:
        raise ImageReadError(
            name,
            f"says it has more than {limits.max_pixels} pixels",
            "remove it, or raise `max_pixels` if it is trusted",
        )
    if kind.kind not in "iuf":
        raise ImageReadError(name, f"has voxels of type {kind}", "save it as grey numbers")


def _flat_axis(shape: tuple[int, ...]) -> int:
    """The axis across the slice: the last one of extent 1."""
    return max(axis for axis, size in enumerate(shape) if size == 1)


def _as_rows(turned: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows and columns of DICOM from a slice whose axes run to right, anterior and superior."""
    plane = turned.squeeze(axis=_flat_axis(turned.shape))
    return np.ascontiguousarray(plane[::-1, ::-1].T)


def _spacing(zooms: npt.NDArray[np.floating], shape: tuple[int, ...]) -> tuple[float, float] | None:
    columns, rows = (float(zoom) for zoom in np.delete(zooms, _flat_axis(shape)))
    return (rows, columns) if min(rows, columns) > 0 else None
