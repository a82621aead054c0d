"""How grey values are to be shown: pydicom's own functions are the independent answer."""

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from monai_gan_aug.io.image import Units
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

VALUES = np.random.default_rng(0).integers(0, 4096, (16, 16)).astype(np.uint16)
RAW = {"Modality": "CR", "RescaleSlope": None, "RescaleIntercept": None}
TWELVE = {"BitsStored": 12, "HighBit": 11}
FILE = PreprocessingRecipe(size=16, windows=["file"], bits=16)


def lut(entries, first, bits, data):
    item = Dataset()
    item.LUTDescriptor = [entries, first, bits]
    item.LUTData = np.asarray(data, np.uint16).tobytes()
    return item


def shown_by_pydicom(path):
    """Brightness in [0, 1] as pydicom computes it, over the range that the function maps to."""
    dataset = dcmread(path)
    values = apply_modality_lut(dataset.pixel_array, dataset)
    shown = apply_voi_lut(values, dataset)
    if "VOILUTSequence" in dataset:
        return shown / (2 ** dataset.VOILUTSequence[0].LUTDescriptor[2] - 1)
    slope, low = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    high = slope * (2**dataset.BitsStored - 1) + low
    return (shown - low) / (high - low)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [(None, None), ("2", "-300")])
def test_window_functions_equal_pydicom(write_dicom, function, rescale):
    scale = {"RescaleSlope": rescale[0], "RescaleIntercept": rescale[1], "Modality": "CR"}
    window = {"WindowCenter": "1800", "WindowWidth": "900", "VOILUTFunction": function}
    path = write_dicom(VALUES, **TWELVE, **scale, **window)
    shown = FILE(read_image(path))[0] / 65535
    np.testing.assert_allclose(shown, shown_by_pydicom(path), atol=2e-4)


@pytest.mark.parametrize(("entries", "bits"), [(250, 8), (3000, 12), (3000, 16)])
def test_voi_lookup_table_equals_pydicom(write_dicom, entries, bits):
    data = np.linspace(0, 2**bits - 1, entries).round()[::-1]
    values = VALUES if bits > 8 else VALUES % 250 + 450  # beyond 255 entries pydicom wraps around
    path = write_dicom(values, **TWELVE, **RAW, VOILUTSequence=[lut(entries, 500, bits, data)])
    shown = FILE(read_image(path))[0] / 65535
    np.testing.assert_allclose(shown, shown_by_pydicom(path), atol=1e-4)


def test_modality_lookup_table_equals_pydicom(write_dicom):
    table = lut(4096, 0, 16, np.arange(4096) ** 2 // 300)
    table.ModalityLUTType = "OD"
    path = write_dicom(VALUES, **TWELVE, **RAW, ModalityLUTSequence=[table])
    dataset = dcmread(path)
    expected = apply_modality_lut(dataset.pixel_array, dataset)
    np.testing.assert_array_equal(read_image(path).pixels[0], expected)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE"])
def test_inverse_presentation_and_monochrome1_invert_once(write_dicom, photometric, shape):
    window = {"WindowCenter": "1800", "WindowWidth": "900"}
    plain = FILE(read_image(write_dicom(VALUES, **TWELVE, **RAW, **window)))
    changes = {"PhotometricInterpretation": photometric, "PresentationLUTShape": shape}
    got = FILE(read_image(write_dicom(VALUES, **TWELVE, **RAW, **window, **changes)))
    inverted = photometric == "MONOCHROME1" or shape == "INVERSE"
    np.testing.assert_allclose(got, 65535 - plain.astype(int) if inverted else plain, atol=1)


@pytest.mark.parametrize("limit", [None, 20, 2000])
def test_padding_range_gets_the_smallest_value_of_the_image(write_dicom, limit):
    values = VALUES.copy()
    values[0] = np.arange(16) + 10
    padding = {"PixelPaddingValue": 10}
    if limit is not None:
        padding["PixelPaddingRangeLimit"] = limit
    image = read_image(write_dicom(values, **TWELVE, **RAW, **padding)).pixels[0]
    is_padding = (values >= 10) & (values <= (limit or 10))
    assert (image[is_padding] == values[~is_padding].min()).all()
    np.testing.assert_array_equal(image[~is_padding], values[~is_padding])


def test_overlays_are_left_out(write_dicom):
    overlay = {
        "OverlayRows": 16,
        "OverlayColumns": 16,
        "OverlayType": "G",
        "OverlayOrigin": [1, 1],
        "OverlayBitsAllocated": 1,
        "OverlayBitPosition": 0,
        "OverlayData": b"\xff" * 32,
    }
    path = write_dicom()
    plain = read_image(path)
    dataset = dcmread(path)
    for keyword, value in overlay.items():
        tag = {"OverlayRows": 0x10, "OverlayColumns": 0x11, "OverlayType": 0x40}.get(keyword)
        tag = tag or {"OverlayOrigin": 0x50, "OverlayBitsAllocated": 0x100}.get(keyword)
        tag = tag or {"OverlayBitPosition": 0x102, "OverlayData": 0x3000}[keyword]
        kind = {0x10: "US", 0x11: "US", 0x40: "CS", 0x50: "SS", 0x3000: "OW"}.get(tag, "US")
        dataset.add_new((0x6000, tag), kind, value)
    dataset.save_as(path)
    assert dcmread(path).overlay_array(0x6000).all()
    with_overlay = read_image(path)
    assert with_overlay.units is Units.HU
    np.testing.assert_array_equal(with_overlay.pixels, plain.pixels)


def test_overlay_bits_inside_the_pixels_are_left_out(write_dicom):
    with_bits = VALUES | np.uint16(0x8000)
    path = write_dicom(with_bits, **TWELVE, **RAW)
    np.testing.assert_array_equal(read_image(path).pixels[0], VALUES)
