"""One loader for every image, and the frames of a file: the content decides, nothing else."""

from pathlib import Path

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.detect import ImageFormat, detect_format
from monai_gan_aug.io.dicom.header import read_dicom_header, refuse_impossible_frames
from monai_gan_aug.io.dicom.reading import read_dicom
from monai_gan_aug.io.frames import frame_name, plane_frames
from monai_gan_aug.io.image import DecodedImage, ReadLimits, Units
from monai_gan_aug.io.names import display_name
from monai_gan_aug.io.nifti import nifti_shape, read_nifti
from monai_gan_aug.io.numpy_arrays import numpy_frames, read_numpy
from monai_gan_aug.io.raster import raster_pages, read_raster
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["DecodedImage", "ReadLimits", "Units", "list_frames", "read_image"]

RASTER = frozenset({ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.TIFF, ImageFormat.BMP})
DEFAULT_LIMITS = ReadLimits()


def read_image(
    path: str | Path,
    *,
    root: str | Path | None = None,
    limits: ReadLimits = DEFAULT_LIMITS,
    allow_raw: bool = False,
    allow_no_preamble: bool = False,
    target_size: int | None = None,
    frame: int | None = None,
) -> DecodedImage:
    """Read one two-dimensional image from DICOM, PNG, JPEG, TIFF, BMP, NIfTI or NumPy.

    CT becomes Hounsfield units, colour becomes RGB, MONOCHROME1 is inverted once, EXIF rotation
    is applied; :mod:`monai_gan_aug.io.raster` has the table of raster conversions.

    Args:
        path: The file.
        root: Folder that messages name the file relative to; only the bare name without it.
        limits: Sizes beyond which the file is refused.
        allow_raw: Accept a CT without rescale values, in native units.
        allow_no_preamble: Accept DICOM without the 128-byte preamble.
        target_size: Side in pixels that the image will be shrunk to. A JPEG whose sides are
            multiples of 16 times as many pixels is then decoded at a reduced scale, several
            times as fast; area means differ from those of the full decoding by rounding only:
            half a grey level on average, three at most in photographs.
        frame: Which frame of a multi-frame DICOM, page of a TIFF, slice of a NIfTI volume
            (numbered by :func:`~monai_gan_aug.io.frames.plane_frames`) or image of an array to
            read, from 0. Without it, a file of several is refused.

    Raises:
        ImageReadError: If the file is not an image, is damaged, too large or not supported. No
            other exception is raised for what a file contains.
    """
    path = Path(path)
    name = frame_name(display_name(path, root), frame)
    with refuse_bad_content(name, "cannot be opened", "check that it exists and may be read"):
        kind = _acceptable_format(path, name, limits, allow_no_preamble)
        if kind in RASTER:
            return read_raster(path, name, kind, limits, target_size, frame)
        if kind is ImageFormat.NIFTI:
            return read_nifti(path, name, limits, frame)
        if kind is ImageFormat.NUMPY:
            return read_numpy(path, name, limits, frame)
        return read_dicom(
            path,
            name,
            limits,
            allow_raw=allow_raw,
            allow_no_preamble=allow_no_preamble,
            frame=frame,
        )


def _acceptable_format(
    path: Path, name: str, limits: ReadLimits, allow_no_preamble: bool
) -> ImageFormat:
    if not path.exists():
        raise ImageReadError(name, "does not exist", "check the path")
    if not path.is_file():
        raise ImageReadError(name, "is not a file", "name the image files")
    size = path.stat().st_size
    if size > limits.max_file_bytes:
        raise ImageReadError(
            name,
            f"has {size} bytes, more than {limits.max_file_bytes}",
            "remove it, or raise `max_file_bytes` if it is trusted",
        )
    kind = detect_format(path)
    if kind is ImageFormat.EMPTY:
        raise ImageReadError(name, "is empty", "copy it again from the source")
    if kind is ImageFormat.UNKNOWN:
        raise ImageReadError(
            name,
            "is not DICOM, PNG, JPEG, TIFF, BMP, NIfTI or NumPy, whatever its name says",
            "convert it, or leave it out of the image folder",
        )
    if kind is ImageFormat.DICOMDIR:
        raise ImageReadError(name, "is a DICOMDIR index, not an image", "name the image files")
    if kind is ImageFormat.DICOM_WITHOUT_PREAMBLE and not allow_no_preamble:
        raise ImageReadError(
            name,
            "seems to be DICOM without the 128-byte preamble",
            "write it again as a DICOM file, or pass `allow_no_preamble`",
        )
    return kind


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
