"""Grey and colour."""

import numpy as np
import pytest
import torch
from PIL import Image

from monai_gan_aug.transforms.channels import ToGrey, ToGreyd, ToRGB, ToRGBd

COLOUR = np.random.default_rng(0).integers(0, 256, (3, 5, 7), dtype=np.uint8)


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_grey_is_the_luminance_of_pillow(make):
    expected = np.asarray(Image.fromarray(np.moveaxis(COLOUR, 0, -1)).convert("L"))
    got = np.asarray(ToGrey()(make(COLOUR.astype(np.float32))))
    assert got.shape == (1, 5, 7)
    assert np.abs(got[0] - expected).max() <= 0.51


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_colour_of_grey_has_equal_channels(make):
    grey = make(COLOUR[:1])
    got = np.asarray(ToRGB()(grey))
    np.testing.assert_array_equal(got, np.repeat(COLOUR[:1], 3, axis=0))


def test_grey_of_colour_of_grey_is_the_same():
    grey = np.random.default_rng(0).random((1, 4, 4))
    np.testing.assert_allclose(ToGrey()(ToRGB()(grey)), grey)


def test_right_number_of_channels_passes_unchanged():
    assert ToGrey()(COLOUR[:1]) is not None
    np.testing.assert_array_equal(ToRGB()(COLOUR), COLOUR)


@pytest.mark.parametrize("transform", [ToGrey(), ToRGB()])
def test_other_numbers_of_channels_are_refused(transform):
    with pytest.raises(ValueError, match="1 or 3 channels"):
        transform(np.zeros((2, 4, 4)))


def test_integers_cannot_be_averaged():
    with pytest.raises(TypeError, match="floating point"):
        ToGrey()(COLOUR)


def test_dictionary_classes_equal_the_array_classes():
    data = {"image": COLOUR.astype(np.float32)}
    np.testing.assert_array_equal(ToGreyd("image")(data)["image"], ToGrey()(data["image"]))
    data = {"image": COLOUR[:1]}
    np.testing.assert_array_equal(ToRGBd("image")(data)["image"], ToRGB()(data["image"]))
