import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monai_gan_aug.generation.formats import image_encoder
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.transforms.intensity import to_signed
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

IMAGE = torch.linspace(-1, 1, 64).view(1, 8, 8)


@pytest.mark.parametrize(("name", "dtype", "top"), [("png8", "u1", 255), ("png16", "u2", 65535)])
def test_png_holds_the_nearest_level(tmp_path, name, dtype, top):
    (tmp_path / "x.png").write_bytes(image_encoder(name, {})(IMAGE, 1))
    pixels = read_image(tmp_path / "x.png").pixels
    assert pixels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(pixels, np.rint((IMAGE.double().numpy() + 1) / 2 * top))


def test_dicom_inverts_the_window_of_the_training_images(tmp_path):
    encode = image_encoder("dicom", {"channels": 1, "windows": [[40, 81]]})
    (tmp_path / "x.dcm").write_bytes(encode(IMAGE, 1))
    decoded = read_image(tmp_path / "x.dcm")
    assert decoded.units == Units.HU
    np.testing.assert_allclose(
        decoded.pixels, np.linspace(-0.5, 79.5, 64).reshape(1, 8, 8), atol=0.01
    )


def test_dicom_without_a_window_holds_display_values(tmp_path):
    encode = image_encoder("dicom", {"channels": 3, "windows": []})
    (tmp_path / "x.dcm").write_bytes(encode(IMAGE.expand(3, -1, -1), 1))
    assert read_image(tmp_path / "x.dcm").units == Units.DISPLAY8


def test_nifti_holds_hounsfield_units_the_right_way_up(tmp_path):
    encode = image_encoder("nifti", {"channels": 1, "windows": [[40, 81]]})
    (tmp_path / "x.nii").write_bytes(encode(IMAGE, 1))
    expected = np.linspace(-0.5, 79.5, 64).reshape(1, 8, 8)
    np.testing.assert_allclose(read_image(tmp_path / "x.nii").pixels, expected, atol=1e-4)


def test_nifti_without_a_window_holds_sixteen_bits(tmp_path):
    (tmp_path / "x.nii").write_bytes(image_encoder("nifti", {"channels": 1})(IMAGE, 1))
    expected = np.rint((IMAGE.double().numpy() + 1) / 2 * 65535)
    np.testing.assert_array_equal(read_image(tmp_path / "x.nii").pixels, expected)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int16, (1, 4, 6), elements=st.integers(-1024, 3071)),
    st.tuples(st.integers(-500, 500), st.integers(2, 4000)),
)
def test_dicom_to_tensor_to_dicom_errs_by_at_most_one_step(hounsfield, window):
    """From slice to 16-bit levels to a generator's range and back, inside the window."""
    low, high = window[0] - 0.5 - (window[1] - 1) / 2, window[0] - 0.5 + (window[1] - 1) / 2
    recipe = PreprocessingRecipe(size=6, windows=[window], fit="stretch", bits=16)
    values = np.clip(np.repeat(hounsfield, 6, axis=1)[:, :6], low, high).astype(np.float32)
    levels = recipe(DecodedImage(values, Units.HU))
    encode = image_encoder("dicom", {"channels": 1, "windows": [window]})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.dcm"
        path.write_bytes(encode(torch.from_numpy(to_signed(levels)), 1))
        again = read_image(path).pixels
    step = (high - low) / 65535
    assert np.abs(again - values).max() <= 1.01 * step + (high - low + 2) / 65535 / 2 + 1e-3
