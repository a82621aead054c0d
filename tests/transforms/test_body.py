"""The body's box: the largest bright region, its margin, and the way back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.transforms.body import BodyCrop, BodyCropd


def scan():
    """Air with a body of 6 x 4 pixels and a table of 1 x 10 below it."""
    image = np.full((1, 16, 12), -1000, np.float32)
    image[:, 3:9, 5:9] = 40
    image[:, 13, 1:11] = 200
    return image


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_box_is_that_of_the_largest_region(make):
    assert BodyCrop().box(make(scan())) == (3, 9, 5, 9)
    assert tuple(BodyCrop()(make(scan())).shape) == (1, 6, 4)


def test_margin_ends_at_the_edge():
    assert BodyCrop(margin=4).box(scan()) == (0, 13, 1, 12)


def test_image_without_body_is_kept_whole():
    air = np.full((1, 5, 7), -1000, np.float32)
    assert BodyCrop()(air).shape == air.shape


def test_negative_margin_is_refused():
    with pytest.raises(ValueError, match="margin"):
        BodyCrop(margin=-1)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12), st.integers(0, 3))
def test_inverse_puts_every_pixel_back_in_both_libraries(seed, height, width, margin):
    image = np.random.default_rng(seed).normal(size=(2, height, width)).astype(np.float32)
    crop = BodyCrop(threshold=0.5, margin=margin)
    box, cropped = crop.box(image), crop(image)
    back = crop.inverse(cropped, box, image.shape)
    inside = np.zeros(image.shape, bool)
    inside[:, box.top : box.bottom, box.left : box.right] = True
    np.testing.assert_array_equal(back[inside], image[inside])
    assert (back[~inside] == 0).all()
    in_torch = crop.inverse(crop(torch.tensor(image)), box, image.shape)
    np.testing.assert_array_equal(in_torch.numpy(), back)


def test_dictionary_class_crops_all_keys_alike_and_back():
    mask = (scan() > 0).astype(np.uint8)
    crop = BodyCropd(["image", "mask"])
    out = crop({"image": scan(), "mask": mask, "label": 1})
    assert out["mask"].shape == out["image"].shape == (1, 6, 4)
    back = crop.inverse(out)
    assert set(back) == {"image", "mask", "label"}
    assert back["mask"].shape == mask.shape
    assert back["mask"].sum() == 24
