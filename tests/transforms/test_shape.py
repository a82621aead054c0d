"""Sizes: exact area means against brute force, linearity, squares."""

import numpy as np
import pytest
import torch
from PIL import Image

from monai_gan_aug.transforms.shape import (
    CenterSquareCrop,
    CenterSquareCropd,
    Letterbox,
    Letterboxd,
    ResizeArea,
    ResizeAread,
    resampling_weights,
)

RNG = np.random.default_rng(0)


def brute_force(image, height, width):
    """Area means by splitting every pixel into pieces small enough to fall in one output pixel."""
    rows, columns = image.shape
    fine = np.kron(image, np.ones((height, width)))
    return fine.reshape(height, rows, width, columns).mean(axis=(1, 3))


@pytest.mark.parametrize("sizes", [(8, 8, 4, 2), (7, 5, 3, 4), (9, 6, 9, 1), (13, 11, 5, 7)])
def test_shrinking_is_the_exact_area_mean(sizes):
    rows, columns, height, width = sizes
    image = RNG.normal(size=(rows, columns)).astype(np.float32)
    got = ResizeArea(height, width)(image[None])[0]
    np.testing.assert_allclose(got, brute_force(image, height, width), atol=1e-5)


def test_enlarging_equals_pillow_bilinear():
    image = RNG.normal(size=(7, 5)).astype(np.float32)
    expected = Image.fromarray(image).resize((13, 16), Image.Resampling.BILINEAR)
    got = ResizeArea(16, 13)(image[None])[0]
    np.testing.assert_allclose(got, np.asarray(expected), atol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 64, 100])
@pytest.mark.parametrize("new_size", [1, 3, 64, 130])
def test_weights_sum_to_one_and_are_not_negative(size, new_size):
    weights = resampling_weights(size, new_size)
    assert weights.shape == (new_size, size)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


def test_same_size_changes_nothing():
    image = RNG.normal(size=(2, 6, 9)).astype(np.float32)
    np.testing.assert_array_equal(ResizeArea(6, 9)(image), image)


@pytest.mark.parametrize("size", [(64, 64), (50, 30), (100, 200)])
def test_torch_equals_numpy(size, device):
    image = RNG.normal(size=(3, 128, 96)).astype(np.float32)
    got = ResizeArea(*size)(torch.from_numpy(image).to(device)).cpu().numpy()
    np.testing.assert_allclose(got, ResizeArea(*size)(image), atol=1e-4)


def test_resizing_is_differentiable():
    image = torch.ones(1, 6, 6, requires_grad=True)
    ResizeArea(4)(image).sum().backward()
    np.testing.assert_allclose(image.grad.sum(), 16, rtol=1e-5)


def test_integers_become_floating_point():
    assert ResizeArea(2)(np.full((1, 4, 4), 200, np.uint8)).tolist() == [[[200.0] * 2] * 2]


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize(("shape", "inside"), [((20, 40), (4, 8)), ((40, 20), (8, 4))])
def test_letterbox_keeps_the_aspect_and_pads_evenly(make, shape, inside):
    out = np.asarray(Letterbox(8, fill=-1)(make(np.ones((1, *shape), np.float32))))[0]
    assert out.shape == (8, 8)
    assert (out == 1).sum() == np.prod(inside)
    np.testing.assert_array_equal(out, out[::-1, ::-1])


def test_letterbox_of_a_thin_image_keeps_a_row():
    assert Letterbox(8)(np.ones((1, 1, 1000), np.float32)).sum() == pytest.approx(8)


def test_crop_takes_the_middle():
    image = np.arange(40).reshape(1, 4, 10)
    np.testing.assert_array_equal(CenterSquareCrop()(image), image[:, :, 3:7])
    np.testing.assert_array_equal(CenterSquareCrop()(torch.from_numpy(image)), image[:, :, 3:7])


@pytest.mark.parametrize("make", [lambda: ResizeArea(0), lambda: Letterbox(0)])
def test_sizes_must_be_positive(make):
    with pytest.raises(ValueError, match="positive"):
        make()


@pytest.mark.parametrize(
    ("wrapped", "plain"),
    [
        (ResizeAread("image", 3), ResizeArea(3)),
        (Letterboxd("image", 3), Letterbox(3)),
        (CenterSquareCropd("image"), CenterSquareCrop()),
    ],
)
def test_dictionary_classes_equal_the_array_classes(wrapped, plain):
    data = {"image": RNG.normal(size=(1, 6, 9)).astype(np.float32), "label": 1}
    out = wrapped(data)
    np.testing.assert_array_equal(out["image"], plain(data["image"]))
    assert out["label"] == 1
    assert data["image"].shape == (1, 6, 9)
