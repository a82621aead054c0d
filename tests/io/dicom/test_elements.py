"""Values of elements, of a file and of one frame of it."""

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.dicom.elements import integer, numbers, text, texts
from monai_gan_aug.io.dicom.header import read_frame_headers
from monai_gan_aug.io.dicom.series import arrange_series
from monai_gan_aug.io.image import Units
from monai_gan_aug.io.reading import read_image


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


FRAMES = np.random.default_rng(0).integers(0, 4096, (4, 8, 8)).astype(np.uint16)
SLOPES, ORDER = (1, 2, 3, 4), (2, 0, 3, 1)


def item(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def frame_groups(index, described=True):
    rescale = item(RescaleSlope=SLOPES[index], RescaleIntercept=-1000, RescaleType="HU")
    window = item(WindowCenter=40 + index, WindowWidth=80)
    position = item(ImagePositionPatient=[0, 0, 2.5 * ORDER[index]])
    return item(
        PixelValueTransformationSequence=[rescale],
        FrameVOILUTSequence=[window],
        PlanePositionSequence=[position],
    )


@pytest.fixture
def enhanced(write_dicom):
    def write(sop_class=EnhancedCTImageStorage, modality="CT", described=4, **changes):
        measures = item(PixelSpacing=[0.5, 0.75], SliceThickness=2.5)
        direction = item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
        shared = item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[direction])
        return write_dicom(
            FRAMES[0],
            SOPClassUID=sop_class,
            Modality=modality,
            NumberOfFrames=4,
            RescaleSlope=None,
            RescaleIntercept=None,
            BitsStored=12,
            HighBit=11,
            SeriesInstanceUID="1.2.3",
            SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=[frame_groups(n) for n in range(described)],
            PixelData=FRAMES.tobytes(),
            **changes,
        )

    return write


@pytest.mark.parametrize("frame", range(4))
def test_each_frame_has_its_own_rescale_and_window(enhanced, frame):
    image = read_image(enhanced(), frame=frame)
    assert image.units is Units.HU
    expected = FRAMES[frame].astype(np.float32) * SLOPES[frame] - 1000
    np.testing.assert_array_equal(image.pixels[0], expected)
    assert image.window == (40 + frame, 80)
    assert image.spacing == (0.5, 0.75)


def test_enhanced_mr_with_a_unit_of_its_own_is_native(enhanced):
    groups = [frame_groups(n) for n in range(4)]
    for group in groups:
        group.PixelValueTransformationSequence[0].RescaleType = "US"
    path = enhanced(EnhancedMRImageStorage, "MR")
    from pydicom import dcmread

    dataset = dcmread(path)
    dataset.PerFrameFunctionalGroupsSequence = groups
    dataset.save_as(path)
    image = read_image(path, frame=1)
    assert image.units is Units.NATIVE
    np.testing.assert_array_equal(image.pixels[0], FRAMES[1].astype(np.float32) * 2 - 1000)


def test_frames_are_put_in_order_of_their_positions(enhanced, tmp_path):
    enhanced()
    (series,), bad = arrange_series(["slice.dcm"], tmp_path)
    assert bad == []
    assert [piece.frame for piece in series.slices] == [ORDER.index(n) for n in range(4)]
    assert series.spacing == 2.5


def test_headers_hold_the_position_of_each_frame(enhanced):
    headers = read_frame_headers(enhanced())
    assert [frame for frame, _ in headers] == [0, 1, 2, 3]
    assert [header.position[2] for _, header in headers] == [2.5 * n for n in ORDER]


def test_frame_that_is_not_described_is_refused(enhanced):
    with pytest.raises(ImageReadError, match="describes only 2"):
        read_image(enhanced(described=2), frame=3)
