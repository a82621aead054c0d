"""Synthetic DICOM: exact, marked, valid, and without a trace of anything else."""

import shutil
import subprocess

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from monai_gan_aug.io.dicom.writing import SyntheticSeries, encode_synthetic_dicom
from monai_gan_aug.io.image import Units
from monai_gan_aug.io.reading import read_image

RNG = np.random.default_rng(0)
HU = (RNG.random((1, 9, 11)) * 400 - 160).astype(np.float32)
IMAGES = {
    "hounsfield": (HU, Units.HU),
    "grey 8": (RNG.integers(0, 256, (1, 9, 11), dtype=np.uint8), Units.DISPLAY8),
    "grey 16": (RNG.integers(0, 65536, (1, 9, 11), dtype=np.uint16), Units.DISPLAY16),
    "colour": (RNG.integers(0, 256, (3, 9, 11), dtype=np.uint8), Units.DISPLAY8),
}
each_image = pytest.mark.parametrize(("pixels", "units"), IMAGES.values(), ids=IMAGES)


@each_image
def test_reads_back_within_one_level(tmp_path, pixels, units):
    (tmp_path / "x.dcm").write_bytes(encode_synthetic_dicom(pixels, units=units))
    image = read_image(tmp_path / "x.dcm")
    assert image.units is units
    level = float(np.ptp(pixels) + 2) / 65535 if units is Units.HU else 0
    assert np.abs(image.pixels.astype(float) - pixels).max() <= level


@pytest.mark.parametrize("value", [-1000.0, 0.0, 12.5, 1e5])
def test_constant_hounsfield_units_read_back(tmp_path, value):
    pixels = np.full((1, 4, 4), value, np.float32)
    (tmp_path / "x.dcm").write_bytes(encode_synthetic_dicom(pixels, units=Units.HU))
    np.testing.assert_allclose(read_image(tmp_path / "x.dcm").pixels, pixels, atol=1e-3, rtol=1e-6)


def test_window_is_kept(tmp_path):
    (tmp_path / "x.dcm").write_bytes(encode_synthetic_dicom(HU, units=Units.HU, window=(40, 400)))
    assert read_image(tmp_path / "x.dcm").window == (40.0, 400.0)


@each_image
def test_is_marked_as_synthetic(tmp_path, pixels, units):
    (tmp_path / "x.dcm").write_bytes(
        encode_synthetic_dicom(pixels, units=units, description="drawn by a test")
    )
    dataset = dcmread(tmp_path / "x.dcm")
    assert dataset[0x0008, 0x001C].value == "YES"
    assert dataset.SOPClassUID == SecondaryCaptureImageStorage
    assert dataset.ImageType == ["DERIVED", "SECONDARY"]
    assert dataset.DerivationDescription == "drawn by a test"
    assert dataset.ContributingEquipmentSequence[0].Manufacturer == "monai_gan_aug"
    assert dataset.preamble == bytes(128)


def test_identifiers_are_fresh_unless_the_series_is_shared(tmp_path):
    series = SyntheticSeries.new()
    for index, chosen in enumerate((None, None, series, series)):
        path = tmp_path / f"{index}.dcm"
        path.write_bytes(
            encode_synthetic_dicom(HU, units=Units.HU, series=chosen, number=index + 1)
        )
    first, second, third, fourth = (dcmread(tmp_path / f"{i}.dcm") for i in range(4))
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert third.SeriesInstanceUID == fourth.SeriesInstanceUID == series.series_uid
    assert len({d.SOPInstanceUID for d in (first, second, third, fourth)}) == 4
    assert fourth.InstanceNumber == 4


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
@each_image
def test_dciodvfy_knows_no_error_but_the_new_tag(tmp_path, pixels, units):
    window = (40.0, 400.0) if units is Units.HU else None
    (tmp_path / "x.dcm").write_bytes(encode_synthetic_dicom(pixels, units=units, window=window))
    said = subprocess.run(
        ["dciodvfy", "-new", str(tmp_path / "x.dcm")], capture_output=True, text=True, check=False
    )
    errors = [line for line in said.stderr.splitlines() if line.startswith("Error")]
    assert [line for line in errors if "(0008,001c)" not in line] == []
    assert "SCImage" in said.stderr


@pytest.mark.parametrize(
    ("pixels", "settings", "error"),
    [
        (HU, {"units": Units.NATIVE}, ValueError),
        (HU, {"units": Units.DISPLAY8}, TypeError),
        (HU.astype(np.int16), {"units": Units.HU}, TypeError),
        (HU * np.nan, {"units": Units.HU}, ValueError),
        (HU[0], {"units": Units.HU}, ValueError),
        (np.zeros((3, 4, 4), np.uint16), {"units": Units.DISPLAY16}, ValueError),
        (HU, {"units": Units.HU, "window": (40, 0)}, ValueError),
        (HU, {"units": Units.HU, "description": ""}, ValueError),
    ],
)
def test_refuses_what_cannot_be_stored(tmp_path, pixels, settings, error):
    with pytest.raises(error):
        (tmp_path / "x.dcm").write_bytes(encode_synthetic_dicom(pixels, **settings))
    assert not (tmp_path / "x.dcm").exists()
