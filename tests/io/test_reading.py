"""One loader for every image, and the frames of a file."""

from contextlib import suppress

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.image import ReadLimits, Units
from monai_gan_aug.io.reading import list_frames, read_image


def test_png_named_dcm_is_read_as_png(tmp_path):
    path = tmp_path / "slice.dcm"
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(path, format="PNG")
    assert read_image(path).pixels.shape == (1, 4, 6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"some text, renamed", "is not DICOM")],
)
def test_what_is_no_image_is_refused(tmp_path, content, reason):
    path = tmp_path / "slice.dcm"
    path.write_bytes(content)
    with pytest.raises(ImageReadError, match=reason):
        read_image(path)


def test_missing_file_and_folder_are_refused(tmp_path):
    with pytest.raises(ImageReadError, match="does not exist"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(ImageReadError, match="is not a file"):
        read_image(tmp_path)


def test_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(path)
    with pytest.raises(ImageReadError, match="max_file_bytes"):
        read_image(path, limits=ReadLimits(max_file_bytes=10))


def test_message_names_the_file_relative_to_the_root(tmp_path):
    path = tmp_path / "class_a" / "1.dcm"
    path.parent.mkdir()
    path.write_bytes(b"")
    with pytest.raises(ImageReadError) as caught:
        read_image(path, root=tmp_path)
    assert str(caught.value).startswith("class_a/1.dcm is empty")
    assert str(tmp_path) not in str(caught.value)


def test_nothing_but_its_own_error_for_damaged_bytes(write_dicom, tmp_path):
    rng = np.random.default_rng(0)
    picture = tmp_path / "x.png"
    Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(picture)
    for sound in (write_dicom().read_bytes(), picture.read_bytes()):
        for _ in range(150):
            content = bytearray(sound)
            for position in rng.integers(0, len(content), 4):
                content[position] = rng.integers(0, 256)
            picture.write_bytes(content)
            with suppress(ImageReadError):
                read_image(picture)


def test_real_photographs_equal_pillow(shared_data):
    for folder in ("xray/NORMAL", "skin/benign", "malaria/Uninfected"):
        for path in sorted((shared_data / folder).iterdir())[:5]:
            with Image.open(path) as picture:
                expected = np.asarray(picture)
            got = read_image(path).pixels
            got = got[0] if expected.ndim == 2 else np.moveaxis(got, 0, -1)
            np.testing.assert_array_equal(got, expected)


FRAMES = np.random.default_rng(0).integers(0, 256, (4, 6, 5), np.uint8)


def read_all(path):
    return np.stack([read_image(path, frame=frame).pixels for frame in list_frames(path)])


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_rle_2frame.dcm",
        "SC_rgb_rle_16bit_2frame.dcm",
        "examples_ybr_color.dcm",
        "rtdose.dcm",
        "rtdose_rle.dcm",
        "rtdose_expb.dcm",
    ],
)
def test_frames_of_dicom_equal_pydicom(name):
    path = get_testdata_file(name, download=False)
    expected = dcmread(path).pixel_array.astype(np.float32)
    got = read_all(path).astype(np.float32)
    got = np.moveaxis(got, 1, -1) if expected.ndim == 4 else got[:, 0]
    np.testing.assert_array_equal(got, expected)


def test_fragmented_jpeg_without_offset_table_is_read_frame_by_frame(shared_data):
    path = shared_data / "dicom_syntaxes" / "CT0012_fragmented_no_bot_jpeg_51.dcm"
    frames = read_all(path)
    assert frames.shape == (2, 1, 512, 512)
    assert np.abs(frames[0] - frames[1]).mean() > 1
    assert np.corrcoef(frames.reshape(2, -1))[0, 1] > 0.5


def test_pages_of_tiff(tmp_path):
    pages = [Image.fromarray(page) for page in FRAMES]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read_all(tmp_path / "x.tif")[:, 0], FRAMES)
    with pytest.raises(ImageReadError, match="4 pages"):
        read_image(tmp_path / "x.tif")


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
@pytest.mark.parametrize("stored", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1)])
def test_slices_of_volume_do_not_depend_on_how_it_is_stored(tmp_path, name, stored, flips):
    ras = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    image = nibabel.Nifti1Image(ras, np.diag([1.0, 2.0, 3.0, 1.0]))
    orientation = np.array([[axis, flip] for axis, flip in zip(stored, flips, strict=True)])
    nibabel.save(image.as_reoriented(orientation), tmp_path / name)
    path = tmp_path / name
    for plane, axis, spacing in (("axial", 2, (2, 1)), ("coronal", 1, (3, 1))):
        for index, frame in enumerate(list_frames(path, plane=plane)):
            got = read_image(path, frame=frame)
            expected = np.take(ras, index, axis=axis)[::-1, ::-1].T
            np.testing.assert_array_equal(got.pixels[0], expected)
            assert got.spacing == spacing
    first = read_image(path, frame=list_frames(path, plane="sagittal")[0])
    np.testing.assert_array_equal(first.pixels[0], ras[0, ::-1, ::-1].T)


@pytest.mark.parametrize(
    ("array", "units"),
    [
        (FRAMES, Units.DISPLAY8),
        (FRAMES.astype(np.uint16), Units.DISPLAY16),
        (FRAMES.astype(np.float64) - 9, Units.NATIVE),
        (FRAMES.astype(">i2"), Units.NATIVE),
    ],
)
def test_arrays(tmp_path, array, units):
    np.save(tmp_path / "x.npy", array)
    np.testing.assert_array_equal(read_all(tmp_path / "x.npy")[:, 0], array)
    assert read_image(tmp_path / "x.npy", frame=0).units is units
    np.save(tmp_path / "y.npy", array[0])
    np.testing.assert_array_equal(read_image(tmp_path / "y.npy").pixels[0], array[0])


def test_colour_array_has_channels_last(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    np.save(tmp_path / "x.npy", colour)
    assert list_frames(tmp_path / "x.npy") is None
    np.testing.assert_array_equal(np.moveaxis(read_image(tmp_path / "x.npy").pixels, 0, -1), colour)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4, 4)),
        np.zeros(4),
        np.zeros((0, 4)),
        np.array([["a"]]),
        np.full((2, 2), np.nan),
        np.zeros((2, 2), complex),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ImageReadError):
        read_image(tmp_path / "x.npy")


def test_pickled_array_is_refused_without_unpickling(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[{"a": 1}]], dtype=object), allow_pickle=True)
    with pytest.raises(ImageReadError, match="damaged"):
        read_image(tmp_path / "x.npy")


def test_truncated_array_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", FRAMES)
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    with pytest.raises(ImageReadError, match="damaged"):
        read_image(tmp_path / "x.npy", frame=0)


def test_impossible_number_of_frames_is_refused_before_listing(write_dicom):
    with pytest.raises(ImageReadError, match="2000000000 frames"):
        list_frames(write_dicom(NumberOfFrames="2000000000"))


def test_single_images_have_no_frames(write_dicom):
    assert list_frames(write_dicom()) is None
