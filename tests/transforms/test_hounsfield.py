"""Laws of the maps of Hounsfield units, on drawn arrays; NumPy and torch agree."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monai_gan_aug.io.image import DecodedImage, DisplayCurve, Units
from monai_gan_aug.transforms.hounsfield import ClipHU, MultiWindow, MultiWindowd
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from monai_gan_aug.transforms.shape import Letterbox

HU = st.integers(-3024, 4000).map(float)
SLICES = arrays(
    np.float32, st.tuples(st.just(1), st.integers(1, 9), st.integers(1, 9)), elements=HU
)


@settings(deadline=None, max_examples=50)
@given(SLICES)
def test_windows_keep_shape_and_agree_between_numpy_and_torch(img):
    split = MultiWindow(["brain", "bone", (0, 6000)])
    got = split(img)
    assert got.shape == (3, *img.shape[1:])
    assert got.min() >= 0
    assert got.max() <= 1
    np.testing.assert_allclose(split(torch.from_numpy(img)).numpy(), got, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(SLICES)
def test_windows_invert_wherever_one_did_not_clip(img):
    split = MultiWindow(["brain", "bone", (400, 9000)])
    np.testing.assert_allclose(split.inverse(split(img)), img, atol=0.01)
    tensor = torch.from_numpy(img)
    np.testing.assert_allclose(split.inverse(split(tensor)).numpy(), img, atol=0.01)


@settings(deadline=None, max_examples=50)
@given(SLICES)
def test_clipping_twice_is_clipping_once(img):
    clip = ClipHU()
    np.testing.assert_array_equal(clip(clip(img)), clip(img))
    np.testing.assert_array_equal(clip(torch.from_numpy(img)).numpy(), clip(img))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 12), HU)
def test_letterbox_inverts_on_constant_images(height, width, size, value):
    img = np.full((1, height, width), value, np.float32)
    box = Letterbox(size)
    np.testing.assert_allclose(box.inverse(box(img), (height, width)), img, rtol=1e-4)


def test_inputs_are_kept():
    data = {"image": np.ones((1, 2, 2), np.float32)}
    out = MultiWindowd("image", ["brain"])(data)
    assert out is not data
    np.testing.assert_array_equal(data["image"], 1)


def test_flat_pixels_are_resampled_to_their_true_shape():
    flat = np.full((1, 8, 16), 255, np.uint8)
    image = DecodedImage(flat, Units.DISPLAY8, spacing=(2.0, 1.0))
    assert PreprocessingRecipe(size=8)(image).min() == 255
    assert PreprocessingRecipe(size=8, anisotropy="ignore")(image).min() == 0


def test_flat_pixels_are_refused_on_request():
    image = DecodedImage(np.zeros((1, 4, 4), np.uint8), Units.DISPLAY8, pixel_aspect=1.5)
    with pytest.raises(ValueError, match=r"1\.5 times as high"):
        PreprocessingRecipe(size=4, anisotropy="refuse")(image)


def test_default_anisotropy_does_not_change_the_hash_of_a_recipe():
    assert "anisotropy" not in PreprocessingRecipe().to_dict()
    refusing = PreprocessingRecipe(anisotropy="refuse")
    assert PreprocessingRecipe.from_dict(refusing.to_dict()) == refusing


def test_curve_of_the_file_is_used_where_its_window_is_asked_for():
    curve = DisplayCurve(0.0, 1.0, np.array([0, 1, 0], np.float32))
    image = DecodedImage(np.array([[[0, 1, 2]]], np.float32), Units.NATIVE, (1, 3), curve=curve)
    got = PreprocessingRecipe(size=3, windows=["file"], fit="stretch")(image)
    np.testing.assert_array_equal(got[0, 0], [0, 255, 0])
