"""What the pixels of a DICOM file mean: units, inversion, rescale, window, header."""

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels import apply_color_lut
from pydicom.uid import SecondaryCaptureImageStorage

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.header import read_dicom_header
from monai_gan_aug.io.image import Units
from monai_gan_aug.io.reading import read_image

LOSSLESS = ("BigEndian", "Deflated", "JPEG2000LosslessOnly", "JPEGLSLossless", "Process14", "RLE")
NO_RESCALE = {"RescaleSlope": None, "RescaleIntercept": None}


def test_ct_is_in_hounsfield_units(write_dicom):
    values = np.array([[0, 1], [500, 1000]], np.int16)
    image = read_image(write_dicom(values))
    assert image.units is Units.HU
    assert image.pixels.dtype == np.float32
    np.testing.assert_array_equal(image.pixels, [[[-1000, -998], [0, 1000]]])


def test_real_slices_equal_pydicom(shared_data):
    for path in sorted((shared_data / "dicom_ct").rglob("*.dcm"))[::5]:
        dataset = dcmread(path)
        slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
        image = read_image(path)
        expected = dataset.pixel_array * slope + intercept
        if "PixelPaddingValue" in dataset:
            away = dataset.pixel_array.astype(int) - int(dataset.PixelPaddingValue)
            padding = away % 2**16 == 0  # some files write it with the other sign
            expected[padding] = expected[~padding].min()
        np.testing.assert_array_equal(image.pixels[0], expected)
        assert image.spacing == tuple(map(float, dataset.PixelSpacing))


def test_every_lossless_syntax_gives_the_same_pixels(shared_data):
    folder = shared_data / "dicom_syntaxes"
    expected = read_image(next(folder.glob("LittleEndianExplicit*"))).pixels
    for start in (*LOSSLESS, "LittleEndianImplicit"):
        for path in folder.glob(f"{start}*"):
            np.testing.assert_array_equal(read_image(path).pixels, expected, err_msg=path.name)


@pytest.mark.parametrize(
    ("start", "mean_error"),
    [
        ("JPEGLSLossy", 1),
        ("JPEG2000_", 1),
        ("JPEGProcess2_4", 5),
        ("JPEGProcess6_8", 5),
        ("JPEGProcess10_12", 5),
        ("JPEGProcess1_", 25),
    ],
)
def test_every_lossy_syntax_gives_nearly_the_same_pixels(shared_data, start, mean_error):
    folder = shared_data / "dicom_syntaxes"
    expected = read_image(next(folder.glob("LittleEndianExplicit*"))).pixels
    got = read_image(next(folder.glob(f"{start}*"))).pixels
    assert np.abs(got - expected).mean() < mean_error


def test_several_frames_read_as_one_are_refused(shared_data):
    path = shared_data / "dicom_syntaxes" / "CT0012_fragmented_no_bot_jpeg_51.dcm"
    with pytest.raises(ImageReadError, match="2 frames"):
        read_image(path)


@pytest.mark.parametrize("slope", ["NaN", "0", "inf", "-inf"])
def test_rescale_that_loses_the_image_is_refused(write_dicom, slope):
    path = write_dicom(RescaleSlope="7.25")
    path.write_bytes(path.read_bytes().replace(b"7.25", slope.ljust(4).encode()))
    with pytest.raises(ImageReadError, match="slope"):
        read_image(path)


@pytest.mark.parametrize("missing", ["RescaleSlope", "RescaleIntercept"])
def test_half_of_the_rescale_is_refused(write_dicom, missing):
    with pytest.raises(ImageReadError, match="half"):
        read_image(write_dicom(**{missing: None}))


def test_ct_without_rescale_needs_permission(write_dicom):
    path = write_dicom(**NO_RESCALE)
    with pytest.raises(ImageReadError, match="allow_raw"):
        read_image(path)
    image = read_image(path, allow_raw=True)
    assert image.units is Units.NATIVE
    np.testing.assert_array_equal(image.pixels[0], dcmread(path).pixel_array)


def test_dual_energy_map_is_not_in_hounsfield_units(write_dicom):
    assert read_image(write_dicom(RescaleType="Z_EFF")).units is Units.NATIVE


def test_monochrome1_is_inverted_once_with_its_window(write_dicom):
    values = np.arange(256, dtype=np.uint16).reshape(16, 16) * 16
    changes = dict(NO_RESCALE, Modality="CR", WindowCenter="1000", WindowWidth="500")
    changes |= {"BitsStored": 12, "HighBit": 11}
    plain = read_image(write_dicom(values, **changes))
    path = write_dicom(values, PhotometricInterpretation="MONOCHROME1", **changes)
    inverted = read_image(path)
    np.testing.assert_array_equal(inverted.pixels, 4095 - plain.pixels)

    def displayed(image):
        center, width = image.window
        return np.clip((image.pixels - (center - 0.5)) / (width - 1) + 0.5, 0, 1)

    np.testing.assert_allclose(displayed(inverted), 1 - displayed(plain), atol=1e-6)


def test_monochrome1_display_values_are_inverted_once(write_dicom):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    changes = dict(NO_RESCALE, Modality="DX", PhotometricInterpretation="MONOCHROME1")
    image = read_image(write_dicom(values, **changes))
    assert image.units is Units.DISPLAY8
    np.testing.assert_array_equal(image.pixels[0], 255 - values)


def test_hounsfield_units_are_physical_and_never_inverted(write_dicom):
    plain = read_image(write_dicom()).pixels
    path = write_dicom(PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_image(path).pixels, plain)


def test_secondary_capture_of_16_bits_is_for_display(write_dicom):
    changes = dict(NO_RESCALE, Modality="OT", SOPClassUID=SecondaryCaptureImageStorage)
    image = read_image(write_dicom(np.full((4, 4), 65535, np.uint16), **changes))
    assert image.units is Units.DISPLAY16
    assert image.pixels.dtype == np.uint16


def test_modality_lut_is_applied(write_dicom):
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table.ModalityLUTType = "US"
    table.LUTData = np.array([10, 20, 30, 40], np.uint16).tobytes()
    changes = dict(NO_RESCALE, Modality="CR", ModalityLUTSequence=[table])
    values = np.array([[0, 1], [2, 3]], np.uint16)
    image = read_image(write_dicom(values, **changes))
    np.testing.assert_array_equal(image.pixels, [[[10, 20], [30, 40]]])


def test_palette_becomes_colour():
    path = get_testdata_file("examples_palette.dcm", download=False)
    dataset = dcmread(path)
    image = read_image(path)
    expected = apply_color_lut(dataset.pixel_array, dataset)
    expected = expected >> 8 if expected.dtype == np.uint16 else expected
    np.testing.assert_array_equal(np.moveaxis(image.pixels, 0, -1), expected)
    assert image.units is Units.DISPLAY8


@pytest.mark.parametrize(
    ("center", "width", "window"),
    [
        ("40", "400", (40.0, 400.0)),
        (["40", "-600"], ["400", "1500"], (40.0, 400.0)),
        ("40", "0", None),
        ("40", "1", None),
    ],
)
def test_first_usable_window_of_the_file(write_dicom, center, width, window):
    assert read_image(write_dicom(WindowCenter=center, WindowWidth=width)).window == window


def test_dicom_without_pixels_is_no_image(write_dicom):
    with pytest.raises(ImageReadError, match="without an image"):
        read_image(write_dicom(PixelData=None))


def test_header_stops_before_the_pixels(write_dicom):
    path = write_dicom(BodyPartExamined="HEAD", ImagePositionPatient=["1", "2", "-3.5"])
    path.write_bytes(path.read_bytes()[:-512])
    header = read_dicom_header(path)
    assert (header.patient_id, header.modality, header.body_part) == ("CANARY-1", "CT", "HEAD")
    assert (header.rows, header.columns, header.bits_stored) == (16, 16, 16)
    assert header.position == (1.0, 2.0, -3.5)
    assert header.sop_class == "CT Image Storage"


def test_header_decodes_the_character_set_of_the_patient_id(write_dicom):
    path = write_dicom(SpecificCharacterSet="ISO_IR 192", PatientID="Müller-7")
    assert read_dicom_header(path).patient_id == "Müller-7"


def test_damaged_header_is_refused(write_dicom):
    path = write_dicom()
    path.write_bytes(path.read_bytes()[:180])
    with pytest.raises(ImageReadError):
        read_dicom_header(path)
