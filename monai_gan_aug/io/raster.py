"""PNG, JPEG, TIFF and BMP images through one conversion table.

====================================  ==========================================
Pillow mode of the file               what it becomes
====================================  ==========================================
``1``, ``L``                          one channel, ``uint8``
``I;16``, ``I`` within 0 to 65535     one channel, ``uint16``
``F``                                 one channel, ``float32``, native units
``LA``, ``La``                        one channel, ``uint8``, on black
``RGB``, ``YCbCr``, ``CMYK``, ``P``   three channels, ``uint8`` (colour profiles
                                      are not applied)
``RGBA``, ``RGBa``, ``PA``,           three channels, ``uint8``, on black where
transparent ``P``                     transparent
anything else                         refused
====================================  ==========================================

Colour in 16 bits keeps its upper 8 bits, which is all Pillow decodes. The rotation that EXIF asks
for is applied. In TIFF, "white is zero" is inverted.
"""

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.detect import ImageFormat
from monai_gan_aug.io.frames import check_frame
from monai_gan_aug.io.image import DecodedImage, ReadLimits, Units
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["raster_pages", "read_raster", "read_raster_header"]

COPY_AGAIN = "copy it again from the source"
JPEG_SCAN, JPEG_END = b"\xff\xda", b"\xff\xd9"
PNG_SIGNATURE_BYTES = 8
PHOTOMETRIC_TAG = 262
WHITE_IS_ZERO = 0
DRAFT_MARGIN = 2
"""A draft keeps at least twice the asked size, so that its rounding is averaged away."""
JPEG_UNIT = 16
"""Side of the blocks, with their colour at half resolution, whose mean a draft preserves."""


def read_raster(
    path: Path,
    name: str,
    kind: ImageFormat,
    limits: ReadLimits,
    target_size: int | None = None,
    frame: int | None = None,
) -> DecodedImage:
    """Read one raster image or page; see :func:`monai_gan_aug.io.reading.read_image`."""
    with refuse_bad_content(name, f"is a damaged {kind.value} file", COPY_AGAIN):
        content = path.read_bytes()
        if kind is ImageFormat.PNG:
            _refuse_damaged_png(content, name)
        if kind is ImageFormat.JPEG and not _has_jpeg_end(content):
            raise ImageReadError(name, "ends before its JPEG data does", COPY_AGAIN)
        with Image.open(BytesIO(content), formats=[kind.value]) as image:
            check_frame(frame, _pages(image), name, "pages")
            if frame:
                image.seek(frame)
            _refuse_impossible(image, name, limits)
            if kind is ImageFormat.JPEG and _keeps_area_means(image.size, target_size):
                image.draft(None, (DRAFT_MARGIN * (target_size or 0),) * 2)
            image.load()
            _refuse_missing_colours(image, name)
            pixels = _to_array(ImageOps.exif_transpose(image), name)
            if _white_is_zero(image):
                pixels = np.iinfo(pixels.dtype).max - pixels
    return DecodedImage(pixels=pixels, units=_units(pixels))


def read_raster_header(path: Path, name: str, kind: ImageFormat) -> tuple[int, int, str, str]:
    """Height, width, Pillow mode and bits per sample, without decoding pixels.

    Raises:
        ImageReadError: If there is no such header.
    """
    with (
        refuse_bad_content(name, f"is a damaged {kind.value} file", COPY_AGAIN),
        path.open("rb") as stream,
        Image.open(stream, formats=[kind.value]) as image,
    ):
        bits = {"1": "1", "I;16": "16", "I;16B": "16", "I": "32", "F": "32"}.get(image.mode, "8")
        return image.height, image.width, image.mode, bits


def _refuse_damaged_png(content: bytes, name: str) -> None:
    """Check every chunk's CRC; Pillow skips those of the pixel data."""
    position, kind = PNG_SIGNATURE_BYTES, b""
    while kind != b"IEND":
        length = int.from_bytes(content[position : position + 4], "big")
        body = content[position + 4 : position + 8 + length]
        check = content[position + 8 + length : position + 12 + length]
        if len(check) < 4 or zlib.crc32(body) != int.from_bytes(check, "big"):
            raise ImageReadError(name, "is a PNG file with a damaged or missing part", COPY_AGAIN)
        kind, position = body[:4], position + 12 + length


def _has_jpeg_end(content: bytes) -> bool:
    """Whether an end of image follows the last scan; most files end with it."""
    return content.endswith(JPEG_END) or content.rfind(JPEG_END) > content.rfind(JPEG_SCAN)


def _refuse_impossible(image: ImageFile.ImageFile, name: str, limits: ReadLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise ImageReadError(
            name,
            f"has {height} x {width} pixels, more than {limits.max_pixels}",
            "remove it, or raise `max_pixels` if it is trusted",
        )
    if image.format == "PNG" and getattr(image, "is_animated", False):
        raise ImageReadError(name, "is an animation", "save its pictures one by one")


def _refuse_missing_colours(image: Image.Image, name: str) -> None:
    """Refuse pixels beyond the end of the palette, which Pillow takes for black."""
    if image.mode == "P":
        _, largest = image.getextrema()
        if 3 * int(largest) >= len(image.getpalette() or ()):  # type: ignore[arg-type]
            raise ImageReadError(name, "has pixels whose colour its palette lacks", COPY_AGAIN)


def _keeps_area_means(size: tuple[int, int], target_size: int | None) -> bool:
    """Whether every final pixel is made of whole JPEG blocks, stretched, cropped or letterboxed.

    Elsewhere a draft shifts edges by parts of a pixel, which costs tens of grey levels.
    """
    return target_size is not None and all(side % (JPEG_UNIT * target_size) == 0 for side in size)


def _pages(image: ImageFile.ImageFile) -> int:
    """Pages of a TIFF; the second picture of a stereoscopic JPEG does not count."""
    return getattr(image, "n_frames", 1) if image.format == "TIFF" else 1


def raster_pages(path: Path, name: str, kind: ImageFormat) -> int:
    """How many pages a raster file has.

    Raises:
        ImageReadError: If it has no readable header.
    """
    with (
        refuse_bad_content(name, f"is a damaged {kind.value} file", COPY_AGAIN),
        path.open("rb") as stream,
        Image.open(stream, formats=[kind.value]) as image,
    ):
        return _pages(image)


def _to_array(image: Image.Image, name: str) -> npt.NDArray[Any]:
    """Shape ``(C, H, W)`` by the table of this module."""
    mode = image.mode
    if mode in ("1", "L") and "transparency" not in image.info:
        return np.asarray(image.convert("L"))[None]
    if mode.startswith("I"):
        return _sixteen_bits(np.asarray(image), name)[None]
    if mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise ImageReadError(name, "has values that are not finite", "export it again")
        return values[None]
    if mode in ("1", "L", "LA", "La"):
        return _on_black(image.convert("LA"))
    if mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        return _on_black(image.convert("RGBA"))
    if mode in ("RGB", "YCbCr", "CMYK", "P"):
        return np.ascontiguousarray(np.moveaxis(np.asarray(image.convert("RGB")), -1, 0))
    raise ImageReadError(
        name, f"has the pixel mode {mode}, which is not supported", "save it as grey or RGB"
    )


def _sixteen_bits(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.uint16]:
    if values.dtype != np.uint16 and (values.min() < 0 or values.max() > 65535):
        raise ImageReadError(
            name, "has integers outside 0 to 65535", "save it with 16 bits without sign"
        )
    return values.astype(np.uint16)


def _on_black(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Composite the last band, alpha, on black."""
    bands = np.moveaxis(np.asarray(image), -1, 0)
    alpha = bands[-1].astype(np.uint16)
    opaque: npt.NDArray[np.uint8] = ((bands[:-1] * alpha + 127) // 255).astype(np.uint8)
    return opaque


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a 16-bit TIFF stores white as 0; Pillow itself inverts the 8-bit ones."""
    return (
        isinstance(image, TiffImagePlugin.TiffImageFile)
        and image.mode.startswith("I;16")
        and image.tag_v2.get(PHOTOMETRIC_TAG) == WHITE_IS_ZERO
    )


def _units(pixels: npt.NDArray[Any]) -> Units:
    if pixels.dtype == np.uint8:
        return Units.DISPLAY8
    return Units.DISPLAY16 if pixels.dtype == np.uint16 else Units.NATIVE
