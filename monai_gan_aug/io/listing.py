"""The frames of a file, listed from its header alone."""

from pathlib import Path

from monai_gan_aug.io.detect import ImageFormat, detect_format
from monai_gan_aug.io.dicom.header import read_dicom_header, refuse_impossible_frames
from monai_gan_aug.io.frames import plane_frames
from monai_gan_aug.io.image import ReadLimits, display_name
from monai_gan_aug.io.nifti import nifti_shape
from monai_gan_aug.io.numpy_arrays import numpy_frames
from monai_gan_aug.io.raster import raster_pages
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["list_frames"]


def list_frames(
    path: str | Path,
    *,
    plane: str = "axial",
    root: str | Path | None = None,
    limits: ReadLimits | None = None,
) -> range | None:
    """Numbers to read the images of a file by, or ``None`` if it is a single image.

    Args:
        path: A multi-frame DICOM, a TIFF, a NIfTI volume, an array or any other image.
        plane: Plane of the slices of a volume; see :func:`monai_gan_aug.io.frames.plane_frames`.
        root: Folder that messages name the file relative to.
        limits: Sizes beyond which the file is refused.

    Raises:
        ImageReadError: If the header cannot be read or is impossible.
    """
    path, limits = Path(path), limits or ReadLimits()
    name = display_name(path, root)
    with refuse_bad_content(name, "cannot be opened", "check that it exists and may be read"):
        kind = detect_format(path)
        if kind is ImageFormat.NIFTI:
            shape = nifti_shape(path, name, limits)
            return plane_frames(shape, plane) if min(shape) > 1 else None
        if kind is ImageFormat.TIFF:
            frames = raster_pages(path, name, kind)
        elif kind is ImageFormat.NUMPY:
            frames = numpy_frames(path, name, limits)
        elif kind is ImageFormat.DICOM:
            header = read_dicom_header(path, root=root, limits=limits)
            refuse_impossible_frames(header.frames, path, name)
            frames = header.frames
        else:
            return None
        return range(frames) if frames > 1 else None
