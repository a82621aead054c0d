"""Values from bytes, against pydicom's own conversion."""

import numpy as np
import pytest
from pydicom import dcmread

from monai_gan_aug.io.dicom.elements import integer, numbers, text, texts


@pytest.fixture
def dataset(write_dicom):
    return dcmread(write_dicom(ImageType=["DERIVED", "SECONDARY"], WindowCenter=["40", "-600.5"]))


def test_texts_are_split_and_stripped(dataset):
    assert texts(dataset, "ImageType") == ["DERIVED", "SECONDARY"]
    assert text(dataset, "PatientID") == "CANARY-1"


def test_numbers_are_converted(dataset):
    assert numbers(dataset, "WindowCenter") == [40.0, -600.5]


def test_integers_are_converted(dataset):
    assert integer(dataset, "Rows") == 16


def test_absent_elements_are_empty(dataset):
    assert texts(dataset, "StudyID") == []
    assert text(dataset, "StudyID") is None
    assert integer(dataset, "NumberOfFrames") is None


def test_values_converted_by_pydicom_are_read_too(dataset):
    for keyword in ("Rows", "WindowCenter", "Modality"):
        dataset.get(keyword)
    assert integer(dataset, "Rows") == 16
    assert numbers(dataset, "WindowCenter") == [40.0, -600.5]
    assert text(dataset, "Modality") == "CT"


def test_big_endian_integers(tmp_path):
    from pydicom.data import get_testdata_file

    dataset = dcmread(get_testdata_file("MR_small_bigendian.dcm", download=False))
    assert (integer(dataset, "Rows"), integer(dataset, "Columns")) == (64, 64)
    assert np.isfinite(numbers(dataset, "PixelSpacing")).all()
