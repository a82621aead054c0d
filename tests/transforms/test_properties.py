"""Laws of the transforms on images of any size and value: ranges, shapes, NumPy as torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from monai_gan_aug.transforms.channels import ToGrey, ToRGB
from monai_gan_aug.transforms.hounsfield import ClipHU, MultiWindow
from monai_gan_aug.transforms.intensity import ScalePercentile, WindowIntensity
from monai_gan_aug.transforms.shape import CenterSquareCrop, Letterbox, ResizeArea

FINITE = st.floats(-3000, 3000, width=32)
quick = settings(deadline=None, max_examples=40)


def images(channels=(1, 3)):
    sides = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=17)
    shapes = st.tuples(st.sampled_from(channels), sides).map(lambda pair: (pair[0], *pair[1]))
    return shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=FINITE))


EVERY = [
    ScalePercentile(10, 90),
    ToGrey(),
    ToRGB(),
    ClipHU(),
    WindowIntensity(40, 80),
    Letterbox(12),
    CenterSquareCrop(),
    ResizeArea(5, 9),
]


@pytest.mark.parametrize("transform", EVERY, ids=lambda transform: type(transform).__name__)
@quick
@given(image=images())
def test_torch_equals_numpy(transform, image):
    expected = transform(image)
    got = transform(torch.tensor(image))
    assert tuple(got.shape) == expected.shape
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-2)


@quick
@given(image=images(), size=st.integers(1, 40))
def test_letterbox_has_its_size_and_stays_within_the_values(image, size):
    square = Letterbox(size)(image)
    assert square.shape == (image.shape[0], size, size)
    slack = 1e-4 * np.abs(image).max() + np.finfo(np.float32).tiny
    assert square.max() <= max(image.max(), 0) + slack
    assert square.min() >= min(image.min(), 0) - slack


@quick
@given(image=images(), factor=st.integers(1, 4))
def test_letterbox_that_enlarged_nothing_is_inverted_exactly(image, factor):
    side = max(image.shape[1:])
    boxed = Letterbox(side)
    np.testing.assert_allclose(
        boxed.inverse(boxed(image), image.shape), image, rtol=1e-5, atol=1e-3
    )


@quick
@given(value=FINITE, height=st.integers(1, 20), width=st.integers(1, 20), size=st.integers(1, 30))
def test_letterbox_of_one_value_is_inverted_at_any_size(value, height, width, size):
    image = np.full((1, height, width), value, np.float32)
    boxed = Letterbox(size)
    back = boxed.inverse(boxed(image), image.shape)
    np.testing.assert_allclose(back, image, rtol=1e-5, atol=1e-5)


@quick
@given(image=images())
def test_crop_is_the_square_of_the_shorter_side(image):
    side = min(image.shape[1:])
    cropped = CenterSquareCrop()(image)
    assert cropped.shape == (image.shape[0], side, side)
    assert np.shares_memory(cropped, image)


@quick
@given(image=images())
def test_grey_inverts_rgb(image):
    grey = ToGrey()(image)
    assert grey.shape == (1, *image.shape[1:])
    np.testing.assert_allclose(ToGrey()(ToRGB()(grey)), grey, rtol=1e-5, atol=1e-3)


@quick
@given(image=images(), pair=st.tuples(st.integers(0, 49), st.integers(51, 100)))
def test_percentiles_keep_order_within_zero_and_one(image, pair):
    scaled = ScalePercentile(*pair)(image)
    assert scaled.dtype == np.float32
    assert scaled.shape == image.shape
    assert 0 <= scaled.min() <= scaled.max() <= 1
    order = np.argsort(image.ravel(), kind="stable")
    assert (np.diff(scaled.ravel()[order]) >= -1e-6).all()


@quick
@given(image=images((1,)), center=st.floats(-500, 500), width=st.floats(2, 2000))
def test_window_is_inverted_where_it_did_not_clip(image, center, width):
    window = WindowIntensity(center, width)
    shown = window(image.astype(np.float64))
    inside = (shown > 0) & (shown < 1)
    np.testing.assert_allclose(window.inverse(shown)[inside], image[inside], atol=1e-6)


@quick
@given(image=images((1,)))
def test_several_windows_are_inverted_where_one_did_not_clip(image):
    split = MultiWindow([(40, 80), (-600, 1500), (700, 3000)])
    views = split(image.astype(np.float64))
    inside = ((views > 0) & (views < 1)).any(axis=0)
    np.testing.assert_allclose(split.inverse(views)[0][inside], image[0][inside], atol=1e-6)
