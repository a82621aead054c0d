"""The pixels of a DICOM data set: layout checked first, memory taken after."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.encaps import get_frame, parse_basic_offsets
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
)

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.codestream import codestream_shape, is_lossless_jpeg, jpeg_samples
from monai_gan_aug.io.dicom.dataset import COPY_AGAIN, quiet_pydicom
from monai_gan_aug.io.dicom.elements import integer, text
from monai_gan_aug.io.dicom.isolation import GDCM_ITSELF, decode_apart
from monai_gan_aug.io.dicom.scan import UNDEFINED_LENGTH
from monai_gan_aug.io.frames import check_frame
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.refusal import refuse_bad_content

__all__ = ["PIXEL_TAGS", "PixelLayout", "decode_pixels", "pixel_layout"]

PIXEL_TAGS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "PixelData",
)

GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
PALETTE = "PALETTE COLOR"
COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
LITTLE_ENDIAN = frozenset(
    {ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian}
)
BITS_ALLOCATED = (1, 8, 16, 32)
RETIRED_JPEG = frozenset(
    {JPEGExtended12Bit, UID("1.2.840.10008.1.2.4.53"), UID("1.2.840.10008.1.2.4.55")}
)
"""12-bit lossy JPEG: sequential, spectral selection and full progression; GDCM decodes them."""
LOSSLESS_JPEG = frozenset({JPEGLossless, JPEGLosslessSV1})
JPEG = LOSSLESS_JPEG | RETIRED_JPEG | {JPEGBaseline8Bit}
NEXT_FRAME = re.compile(rb"\xff\xd9\x00?\xff(?:\xd8\xff|\x4f\xff\x51)")
"""The end of one JPEG or JPEG 2000 frame and the start of another, which no data contain."""
GDCM = "gdcm"
PLUGINS = ("pydicom", "pyjpegls", "pylibjpeg", GDCM, "pillow", "")
"""In this order. GDCM, in its own process, tells of damaged JPEG data, which Pillow does not."""


@dataclass(frozen=True)
class PixelLayout:
    """How the pixel data are laid out, as far as it was checked.

    Args:
        rows: Image height.
        columns: Image width.
        photometric: Photometric Interpretation.
        samples: 1 or 3 samples per pixel.
        bits_allocated: Bits a sample takes.
        bits_stored: Bits a sample uses.
        signed: Whether samples are two's complement.
        frame: Which frame is meant.
        frames: How many frames the file has.
    """

    rows: int
    columns: int
    photometric: str
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    frame: int = 0
    frames: int = 1

    @property
    def stored_range(self) -> tuple[int, int]:
        """Smallest and largest value that a sample can store."""
        if self.signed:
            return -(2 ** (self.bits_stored - 1)), 2 ** (self.bits_stored - 1) - 1
        return 0, 2**self.bits_stored - 1


def pixel_layout(
    dataset: Dataset, name: str, limits: ReadLimits, frame: int | None = None
) -> PixelLayout:
    """Read and check the attributes that say how large the pixels are and what they mean.

    Args:
        dataset: What was read of the file.
        name: The file in messages.
        limits: Sizes beyond which the file is refused.
        frame: Which frame is meant; ``None`` if there must be only one.

    Raises:
        ImageReadError: If one is missing, impossible, beyond the limits or not supported.
    """
    rows, columns = (_integer(dataset, keyword, name) for keyword in ("Rows", "Columns"))
    frames = _integer(dataset, "NumberOfFrames", name, default=1) or 1
    if min(rows, columns, frames) < 1:
        raise ImageReadError(name, f"says it has {rows} x {columns} pixels", COPY_AGAIN)
    if rows * columns > limits.max_pixels:
        raise ImageReadError(
            name,
            f"says it has {rows} x {columns} pixels, more than {limits.max_pixels}",
            "remove it, or raise `max_pixels` if it is trusted",
        )
    check_frame(frame, frames, name)
    photometric = text(dataset, "PhotometricInterpretation") or "missing"
    if photometric not in GREY | COLOUR | {PALETTE}:
        raise ImageReadError(
            name,
            f"has the photometric interpretation {photometric[:16]!r}, which is not supported",
            f"convert it to one of {', '.join(sorted(GREY | COLOUR | {PALETTE}))}",
        )
    return PixelLayout(
        rows=rows,
        columns=columns,
        photometric=photometric,
        samples=_samples(dataset, photometric, name),
        signed=_integer(dataset, "PixelRepresentation", name, default=0) == 1,
        frame=frame or 0,
        frames=frames,
        **_bits(dataset, name),
    )


def _integer(dataset: Dataset, keyword: str, name: str, default: int | None = None) -> int:
    value = integer(dataset, keyword)
    if value is None:
        value = default
    if value is None:
        raise ImageReadError(name, f"has no {keyword}", "export it again as an image")
    return value


def _samples(dataset: Dataset, photometric: str, name: str) -> int:
    samples = _integer(dataset, "SamplesPerPixel", name, default=1)
    if samples != (3 if photometric in COLOUR else 1):
        raise ImageReadError(
            name, f"has {samples} samples per pixel, which contradicts {photometric}", COPY_AGAIN
        )
    return samples


def _bits(dataset: Dataset, name: str) -> dict[str, int]:
    allocated = _integer(dataset, "BitsAllocated", name)
    stored = _integer(dataset, "BitsStored", name, default=allocated)
    highest = _integer(dataset, "HighBit", name, default=stored - 1)
    if allocated not in BITS_ALLOCATED or not 1 <= stored <= allocated or highest != stored - 1:
        raise ImageReadError(
            name,
            f"has {allocated} bits allocated, {stored} stored and high bit {highest}, which do "
            "not go together",
            f"export it with {', '.join(map(str, BITS_ALLOCATED))} bits allocated",
        )
    return {"bits_allocated": allocated, "bits_stored": stored}


def decode_pixels(dataset: Dataset, layout: PixelLayout, name: str) -> npt.NDArray[np.generic]:
    """Stored values: shape ``(H, W)`` for grey, ``(H, W, 3)`` in RGB for colour and palettes.

    Raises:
        ImageReadError: If the pixel data are truncated, damaged, not encoded as the transfer
            syntax says, or need a decoder that is not installed.
    """
    syntax = _transfer_syntax(dataset, name)
    element: Any = dataset.get_item("PixelData")
    if (element.length == UNDEFINED_LENGTH) != syntax.is_encapsulated:
        raise ImageReadError(
            name, f"does not hold pixels in its transfer syntax ({syntax.name})", "export it again"
        )
    if layout.photometric in GREY and syntax in LITTLE_ENDIAN and layout.bits_allocated > 1:
        return _native_grey(dataset, layout, name)
    with quiet_pydicom(), refuse_bad_content(name, "has damaged pixel data", COPY_AGAIN):
        if syntax.is_encapsulated:
            if len(parse_basic_offsets(dataset.PixelData)) > layout.frames:
                raise ImageReadError(name, "holds more compressed frames than it says", COPY_AGAIN)
            frame = _compressed_frame(dataset, layout)
            _refuse_other_size(frame, layout, name)
            _refuse_other_coding(frame, syntax, name)
        else:
            _refuse_more_frames(element.value or b"", layout, name)
        plugin = _plugin(syntax, layout, name)
        if plugin in (GDCM, GDCM_ITSELF):
            pixels = decode_apart(frame, syntax, plugin, _options(dataset, layout))
        else:
            pixels, _ = get_decoder(syntax).as_array(
                dataset, index=layout.frame, decoding_plugin=plugin
            )
        if layout.photometric == PALETTE:
            return apply_color_lut(pixels, dataset)
        return _without_unused_bits(pixels, layout) if layout.photometric in GREY else pixels


def _plugin(syntax: UID, layout: PixelLayout, name: str) -> str:
    """Which of the installed decoders is to be used."""
    if syntax in RETIRED_JPEG and layout.bits_stored > 8:
        if find_spec(GDCM) is None:
            raise _missing_decoder(syntax, name)
        return GDCM_ITSELF
    decoder = get_decoder(syntax)
    if not decoder.is_available:
        raise _missing_decoder(syntax, name)
    return next(plugin for plugin in PLUGINS if plugin in decoder.available_plugins or not plugin)


def _options(dataset: Dataset, layout: PixelLayout) -> dict[str, Any]:
    """The layout in pydicom's words, for a decoder that does not see the data set."""
    return {
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": layout.samples,
        "photometric_interpretation": layout.photometric,
        "planar_configuration": integer(dataset, "PlanarConfiguration") or 0,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
    }


def _refuse_more_frames(content: bytes, layout: PixelLayout, name: str) -> None:
    """Refuse uncompressed pixels with a row or more beyond those the header says."""
    samples = 2 if layout.photometric == "YBR_FULL_422" else layout.samples
    row_bits = layout.columns * samples * layout.bits_allocated
    beyond = 8 * len(content) - layout.frames * layout.rows * row_bits
    if beyond >= max(row_bits, 16):
        shown = f"{layout.frames} x {layout.rows} x {layout.columns}"
        raise ImageReadError(name, f"holds more pixels than the {shown} it says", COPY_AGAIN)


def _compressed_frame(dataset: Dataset, layout: PixelLayout) -> bytes:
    return get_frame(dataset.PixelData, layout.frame, number_of_frames=layout.frames)


def _refuse_other_size(frame: bytes, layout: PixelLayout, name: str) -> None:
    """Refuse a compressed frame that would be decoded to another size than the header says."""
    shape = codestream_shape(frame)
    if shape is not None and shape != (layout.rows, layout.columns):
        raise ImageReadError(
            name,
            f"holds {shape[0]} x {shape[1]} compressed pixels where its header says "
            f"{layout.rows} x {layout.columns}",
            COPY_AGAIN,
        )
    coded = jpeg_samples(frame)
    if coded is not None and (
        coded[0] != layout.samples or max(coded[1], layout.bits_allocated) > 16
    ):
        raise ImageReadError(
            name,
            f"holds JPEG with {coded[0]} samples of {coded[1]} bits where its header says "
            f"{layout.samples} of {layout.bits_allocated} bits",
            COPY_AGAIN,
        )


def _refuse_other_coding(frame: bytes, syntax: UID, name: str) -> None:
    """Refuse a lossy JPEG frame that is said to be lossless, and the reverse, and two in one."""
    lossless = is_lossless_jpeg(frame)
    if lossless is not None and syntax in JPEG and lossless != (syntax in LOSSLESS_JPEG):
        raise ImageReadError(
            name,
            f"holds another kind of JPEG than its transfer syntax ({syntax.name}) says",
            "export it again",
        )
    if NEXT_FRAME.search(frame):
        raise ImageReadError(name, "holds more compressed frames than it says", COPY_AGAIN)


def _native_grey(dataset: Dataset, layout: PixelLayout, name: str) -> npt.NDArray[np.generic]:
    """Uncompressed little-endian grey values, several times as fast as through pydicom."""
    element: Any = dataset.get_item("PixelData")
    content = element.value or b""
    size = layout.bits_allocated // 8
    count = layout.rows * layout.columns
    if len(content) < layout.frames * count * size:
        many = f"{layout.frames} x " if layout.frames > 1 else ""
        raise ImageReadError(
            name,
            f"has {len(content)} bytes of pixel data where {many}{layout.rows} x {layout.columns} "
            f"pixels need {layout.frames * count * size}",
            COPY_AGAIN,
        )
    _refuse_more_frames(content, layout, name)
    kind = f"<{'i' if layout.signed else 'u'}{size}"
    values = np.frombuffer(content, kind, count, layout.frame * count * size)
    return _without_unused_bits(values.reshape(layout.rows, layout.columns), layout)


def _without_unused_bits(values: npt.NDArray[Any], layout: PixelLayout) -> npt.NDArray[np.generic]:
    """Values with their sign, and without what old files keep above them, such as overlays."""
    unused = 8 * values.dtype.itemsize - layout.bits_stored
    return (values << unused) >> unused if unused > 0 and values.dtype.kind in "iu" else values


def _transfer_syntax(dataset: Dataset, name: str) -> UID:
    syntax: UID = dataset.file_meta.TransferSyntaxUID
    try:
        get_decoder(syntax)
    except NotImplementedError:
        if syntax in RETIRED_JPEG:
            return syntax
        shown = syntax.name if syntax.is_valid else "an invalid UID"
        raise ImageReadError(
            name, f"has the transfer syntax {shown}, which is not supported", "export it again"
        ) from None
    return syntax


def _missing_decoder(syntax: UID, name: str) -> ImageReadError:
    if syntax in JPEGLSTransferSyntaxes:
        package = "pyjpegls"
    elif syntax in JPEG2000TransferSyntaxes or "High-Throughput" in syntax.name:
        package = "pylibjpeg pylibjpeg-openjpeg"
    else:
        package = "python-gdcm"
    return ImageReadError(
        name,
        f"is compressed with {syntax.name}, whose decoder is not installed",
        f"run `pip install {package}`",
    )
