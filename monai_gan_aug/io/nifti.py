"""NIfTI slices and volumes, turned by their affine into the row order of DICOM, and written."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.frames import PLANES, check_frame, plane_frames
from monai_gan_aug.io.image import DecodedImage, ReadLimits, Units
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["encode_nifti", "nifti_shape", "read_nifti"]

COPY_AGAIN = "copy it again from the source"
MAX_KEPT_VOXELS = 2**26
MAX_COMPRESSED_VOXELS = 2**28
DESCRIPTION = "Synthetic image drawn by a GAN; shows no person."


def read_nifti(path: Path, name: str, limits: ReadLimits, frame: int | None = None) -> DecodedImage:
    """Read one slice of a NIfTI file; see :func:`monai_gan_aug.io.reading.read_image`.

    The axes are turned by the affine so that rows run to posterior (or inferior) and columns to
    the patient's left (or posterior), as in DICOM. Values are native: NIfTI has no field that
    says whether they are Hounsfield units.
    """
    with refuse_bad_content(name, "is a damaged NIfTI file", COPY_AGAIN):
        image, orientation, shape = _open(path, name, limits)
        axis, index = _place(shape, frame, name)
        stored_axis = [int(target) for target in orientation[:, 0]].index(axis)
        flipped = orientation[stored_axis, 1] < 0
        stored = _stored_slice(
            image, path, stored_axis, shape[axis] - 1 - index if flipped else index
        )
        if not np.isfinite(stored).all():
            raise ImageReadError(name, "has values that are not finite", "export it again")
        import nibabel

        turned = nibabel.apply_orientation(stored, orientation)
        zooms = np.ones(3)
        zooms[: len(image.shape[:3])] = image.header.get_zooms()[:3]
        return DecodedImage(
            pixels=_as_rows(turned, axis)[None],
            units=Units.NATIVE,
            spacing=_spacing(zooms[np.argsort(orientation[:, 0])], axis),
        )


def nifti_shape(path: Path, name: str, limits: ReadLimits) -> tuple[int, int, int]:
    """Extent of a volume to right, anterior and superior, from its header.

    Raises:
        ImageReadError: If it is no image or volume, or too large.
    """
    with refuse_bad_content(name, "is a damaged NIfTI file", COPY_AGAIN):
        return _open(path, name, limits)[2]


def _open(
    path: Path, name: str, limits: ReadLimits
) -> tuple[Any, npt.NDArray[np.floating], tuple[int, int, int]]:
    """The file, unread, with its orientation and its extent to right, anterior and superior."""
    import nibabel

    image: Any = nibabel.load(path)
    shape = tuple(int(size) for size in image.shape)
    if len(shape) < 2 or min(shape) < 1 or any(size != 1 for size in shape[3:]):
        shown = " x ".join(map(str, shape))
        raise ImageReadError(
            name, f"has {shown} voxels", "save each time point or component as one volume"
        )
    shape = (*shape, 1)[:3]
    if sorted(shape)[-1] * sorted(shape)[-2] > limits.max_pixels:
        raise ImageReadError(
            name,
            f"says it has more than {limits.max_pixels} pixels",
            "remove it, or raise `max_pixels` if it is trusted",
        )
    if path.suffix == ".gz" and np.prod(shape, dtype=object) > MAX_COMPRESSED_VOXELS:
        raise ImageReadError(
            name, f"has more than {MAX_COMPRESSED_VOXELS} compressed voxels", "decompress it first"
        )
    kind = image.get_data_dtype()
    if kind.kind not in "iuf":
        raise ImageReadError(name, f"has voxels of type {kind}", "save it as grey numbers")
    orientation = nibabel.io_orientation(image.affine)
    if np.isnan(orientation).any():
        raise ImageReadError(name, "has an affine that loses an axis", "export it again")
    right, anterior, superior = (int(n) for n in np.array(shape)[np.argsort(orientation[:, 0])])
    return image, orientation, (right, anterior, superior)


def _place(shape: tuple[int, int, int], frame: int | None, name: str) -> tuple[int, int]:
    """The axis across the slice that is meant, and its position along it."""
    if frame is None and 1 in shape:
        return max(axis for axis, size in enumerate(shape) if size == 1), 0
    shown = " x ".join(map(str, shape))
    check_frame(frame, sum(shape), name, f"slices in three planes of {shown} voxels")
    for plane, axis in PLANES.items():
        numbers = plane_frames(shape, plane)
        if frame in numbers:
            return axis, numbers.index(frame or 0)
    raise ImageReadError(name, "has no slice of this number", "run `prepare` again")


def _stored_slice(image: Any, path: Path, axis: int, index: int) -> npt.NDArray[np.float32]:
    """One slice with three axes, as stored; a compressed volume is kept for its next slices."""
    shape = (*image.shape, 1)[:3]
    if path.suffix == ".gz" and np.prod(shape, dtype=object) <= MAX_KEPT_VOXELS:
        # gzip has no random access: each slice on its own would inflate the volume up to there
        volume = _compressed_volume(path, path.stat().st_mtime_ns).reshape(shape)
        return np.take(volume, [index], axis=axis)
    place: list[Any] = [slice(None)] * 3 + [0] * (len(image.shape) - 3)
    if len(image.shape) == 2:
        values = np.asarray(image.dataobj, dtype=np.float32)[..., None]
        return np.take(values, [index], axis=axis)
    place[axis] = slice(index, index + 1)
    return np.asarray(image.dataobj[tuple(place)], dtype=np.float32)


@lru_cache(maxsize=1)
def _compressed_volume(path: Path, modified: int) -> npt.NDArray[np.float32]:
    import nibabel

    image: Any = nibabel.load(path)
    return np.asarray(image.dataobj, dtype=np.float32)


def _as_rows(turned: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    """Rows and columns of DICOM from a slice whose axes run to right, anterior and superior."""
    plane = turned.squeeze(axis=axis)
    return np.ascontiguousarray(plane[::-1, ::-1].T)


def _spacing(zooms: npt.NDArray[np.floating], axis: int) -> tuple[float, float] | None:
    columns, rows = (float(zoom) for zoom in np.delete(zooms, axis))
    return (rows, columns) if min(rows, columns) > 0 else None


def encode_nifti(pixels: npt.ArrayLike) -> bytes:
    """The bytes of an uncompressed NIfTI-1 file that reads back as ``pixels``.

    The slice is axial, with the patient's left on the right of the image; voxels measure 1 mm,
    for want of a known size.

    Args:
        pixels: Shape ``(1, H, W)``: ``float32``, ``uint8`` or ``uint16``.

    Raises:
        ValueError: If there is more than one channel.
        TypeError: If the type is another one.

    Example:
        >>> encode_nifti(np.zeros((1, 4, 4), np.float32))[344:347]
        b'n+1'
    """
    import nibabel

    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[0] != 1:
        raise ValueError(f"`pixels` must have shape (1, H, W) for NIfTI, got {pixels.shape}.")
    if pixels.dtype not in (np.float32, np.uint8, np.uint16):
        raise TypeError(f"`pixels` must be float32, uint8 or uint16, got {pixels.dtype}.")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    image = nibabel.Nifti1Image(np.ascontiguousarray(pixels[0].T)[..., None], affine)
    image.header["descrip"] = DESCRIPTION.encode()
    image.header.set_xyzt_units("mm")
    content: bytes = image.to_bytes()
    return content
