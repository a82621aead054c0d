"""NIfTI slices: the row order of DICOM, limits, refusals."""

import nibabel
import numpy as np
import pytest

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.image import ReadLimits, Units
from monai_gan_aug.io.reading import read_image

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


def write(path, values, affine):
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_axial_slice_has_anterior_on_top_and_patient_left_on_the_right(tmp_path, name):
    x_to_left_y_to_posterior = np.diag([-0.5, -2.0, 1.0, 1.0])
    image = read_image(write(tmp_path / name, ROWS.T[..., None], x_to_left_y_to_posterior))
    np.testing.assert_array_equal(image.pixels[0], ROWS)
    assert image.spacing == (2.0, 0.5)
    assert image.units is Units.NATIVE


def test_stored_orientation_does_not_matter(tmp_path):
    x_to_right_y_to_anterior = np.eye(4)
    stored = ROWS.T[::-1, ::-1, None]
    image = read_image(write(tmp_path / "x.nii", stored, x_to_right_y_to_anterior))
    np.testing.assert_array_equal(image.pixels[0], ROWS)


def test_coronal_slice_has_superior_on_top(tmp_path):
    x_to_left_z_to_inferior = np.diag([-1.0, 1.0, -3.0, 1.0])
    image = read_image(write(tmp_path / "x.nii", ROWS.T[:, None], x_to_left_z_to_inferior))
    np.testing.assert_array_equal(image.pixels[0], ROWS)
    assert image.spacing == (3.0, 1.0)


def test_two_dimensional_file_is_read(tmp_path):
    image = read_image(write(tmp_path / "x.nii", ROWS.T, np.diag([-1.0, -1.0, 1.0, 1.0])))
    np.testing.assert_array_equal(image.pixels[0], ROWS)


def test_volume_without_a_frame_is_refused(tmp_path):
    with pytest.raises(ImageReadError, match="2 x 3 x 4 voxels"):
        read_image(write(tmp_path / "x.nii", np.zeros((2, 3, 4), np.int16), np.eye(4)))


def test_values_must_be_finite(tmp_path):
    with pytest.raises(ImageReadError, match="finite"):
        read_image(write(tmp_path / "x.nii", np.full((3, 4, 1), np.nan, np.float32), np.eye(4)))


def test_size_is_checked_before_reading(tmp_path):
    path = write(tmp_path / "x.nii", ROWS[..., None], np.eye(4))
    with pytest.raises(ImageReadError, match="max_pixels"):
        read_image(path, limits=ReadLimits(max_pixels=11))


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_truncated_file_is_refused(tmp_path, name):
    rng = np.random.default_rng(0)
    path = write(tmp_path / name, rng.normal(size=(64, 64, 1)).astype(np.float32), np.eye(4))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ImageReadError, match="damaged"):
        read_image(path)
