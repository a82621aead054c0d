"""The preprocessing recipe: order, units, channels, hash."""

import pickle

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.transforms import (
    CenterSquareCropd,
    Letterboxd,
    ResizeAread,
    ToRGBd,
    WindowIntensityd,
)
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

RNG = np.random.default_rng(0)
SLICE = DecodedImage(RNG.uniform(-1000, 1000, (1, 32, 32)).astype(np.float32), Units.HU)


def photo(*shape):
    return DecodedImage(RNG.integers(0, 256, shape, dtype=np.uint8), Units.DISPLAY8)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fit", ["letterbox", "stretch", "crop"])
@pytest.mark.parametrize("shape", [(1, 20, 30), (3, 30, 20), (3, 9, 9)])
def test_shape_and_type_for_every_setting(bits, channels, fit, shape):
    out = PreprocessingRecipe(size=16, channels=channels, fit=fit, bits=bits)(photo(*shape))
    assert out.shape == (channels, 16, 16)
    assert out.dtype == (np.uint8 if bits == 8 else np.uint16)


def test_display_values_of_the_right_size_are_untouched():
    image = photo(3, 16, 16)
    np.testing.assert_array_equal(PreprocessingRecipe(size=16, channels=3)(image), image.pixels)


def test_sixteen_bit_display_values_of_the_right_size_are_untouched():
    values = RNG.integers(0, 65536, (1, 16, 16), dtype=np.uint16)
    recipe = PreprocessingRecipe(size=16, bits=16)
    np.testing.assert_array_equal(recipe(DecodedImage(values, Units.DISPLAY16)), values)


def test_window_comes_before_the_resize():
    halves = np.array([[[-1000.0, 1000.0]]], np.float32).repeat(2, axis=1)
    recipe = PreprocessingRecipe(size=1, windows=[(300, 401)], fit="stretch")
    assert recipe(DecodedImage(halves, Units.HU)).item() == 128


def test_several_windows_give_one_channel_each():
    names = ("brain", "subdural", "bone")
    together = PreprocessingRecipe(size=16, channels=3, windows=names)(SLICE)
    for channel, name in zip(together, names, strict=True):
        np.testing.assert_array_equal(channel, PreprocessingRecipe(16, 1, (name,))(SLICE)[0])


def test_one_window_serves_three_channels():
    out = PreprocessingRecipe(size=16, channels=3, windows=["brain"])(SLICE)
    np.testing.assert_array_equal(out[0], out[1])
    np.testing.assert_array_equal(out[0], out[2])


def test_hounsfield_units_need_a_window():
    with pytest.raises(DataError, match="windows"):
        PreprocessingRecipe(size=16)(SLICE)


def test_window_of_the_file_must_be_there():
    recipe = PreprocessingRecipe(size=16, windows=["file"])
    with pytest.raises(DataError, match="no window"):
        recipe(SLICE)
    with_window = DecodedImage(SLICE.pixels, Units.HU, window=(40.0, 80.0))
    expected = PreprocessingRecipe(size=16, windows=["brain"])(SLICE)
    np.testing.assert_array_equal(recipe(with_window), expected)


def test_native_values_use_percentiles_or_the_window_of_the_file():
    values = np.linspace(0, 1000, 1024, dtype=np.float32).reshape(1, 32, 32)
    image = DecodedImage(values, Units.NATIVE, window=(500.0, 101.0))
    by_percentile = PreprocessingRecipe(size=32)(image)
    by_window = PreprocessingRecipe(size=32, windows=["file"])(image)
    assert (by_percentile == 0).mean() == pytest.approx(0.006, abs=0.004)
    assert (by_window == 0).mean() == pytest.approx(0.45, abs=0.01)


def test_named_windows_apply_to_hounsfield_units_only():
    image = photo(1, 16, 16)
    with_window = PreprocessingRecipe(size=16, windows=["brain"])(image)
    np.testing.assert_array_equal(with_window, PreprocessingRecipe(size=16)(image))


def test_fits_differ_as_named():
    image = DecodedImage(np.full((1, 10, 20), 200, np.uint8), Units.DISPLAY8)
    letterbox, stretch, crop = (
        PreprocessingRecipe(size=10, fit=fit)(image) for fit in ("letterbox", "stretch", "crop")
    )
    assert (letterbox == 0).sum() == 50
    assert (stretch == 200).all()
    assert (crop == 200).all()


def test_input_is_kept():
    before = SLICE.pixels.copy()
    PreprocessingRecipe(size=16, windows=["brain"])(SLICE)
    np.testing.assert_array_equal(SLICE.pixels, before)


def test_lists_from_yaml_equal_tuples():
    from_yaml = PreprocessingRecipe(64, 3, ["brain", [75, 215], "bone"])
    assert from_yaml == PreprocessingRecipe(64, 3, ("brain", (75.0, 215.0), "bone"))
    assert hash(from_yaml) is not None


def test_dictionary_round_trip_keeps_the_hash():
    recipe = PreprocessingRecipe(32, 3, ["brain", (75, 215), "bone"], "crop", 16)
    again = PreprocessingRecipe.from_dict(recipe.to_dict())
    assert again == recipe
    assert again.sha256 == recipe.sha256


@pytest.mark.parametrize(
    "other", [{"size": 65}, {"channels": 3}, {"windows": ["bone"]}, {"fit": "crop"}, {"bits": 16}]
)
def test_every_setting_enters_the_hash(other):
    settings = {"windows": ["brain"]}
    first = PreprocessingRecipe(**settings)
    assert first.sha256 != PreprocessingRecipe(**{**settings, **other}).sha256


def test_instances_can_be_pickled():
    recipe = PreprocessingRecipe(size=16, windows=["brain"])
    assert recipe.sha256 == pickle.loads(pickle.dumps(recipe)).sha256
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(recipe))(SLICE), recipe(SLICE))


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 0},
        {"channels": 2},
        {"bits": 12},
        {"fit": "squash"},
        {"windows": "brain"},
        {"windows": ["brian"]},
        {"windows": ["brain", "bone"], "channels": 3},
        {"windows": [(40, 1)]},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="got"):
        PreprocessingRecipe(**settings)


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="sharpen"):
        PreprocessingRecipe.from_dict({"size": 64, "sharpen": True})


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor, MetaTensor])
@pytest.mark.parametrize("fit", ["letterbox", "stretch", "crop"])
def test_transforms_in_a_compose_do_what_the_recipe_does(fit, kind):
    shape = {
        "letterbox": [Letterboxd("image", 12)],
        "stretch": [ResizeAread("image", 12)],
        "crop": [CenterSquareCropd("image"), ResizeAread("image", 12)],
    }[fit]
    pipeline = Compose([WindowIntensityd("image", 40, 80), *shape, ToRGBd("image")])
    pixels = RNG.uniform(-50, 150, (1, 30, 22)).astype(np.float32)
    shares = np.asarray(pipeline({"image": kind(pixels)})["image"])
    recipe = PreprocessingRecipe(size=12, channels=3, windows=["brain"], fit=fit)
    expected = recipe(DecodedImage(pixels, Units.HU))
    # NumPy is exact; torch may round a value between two levels the other way.
    assert np.abs(np.rint(shares * 255) - expected).max() <= (0 if kind is np.asarray else 1)
