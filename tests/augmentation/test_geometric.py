"""Affine warps of batches, against torch's own pixel shuffling."""

import math

import pytest
import torch

from monai_gan_aug.augmentation.geometric import RandomAffine, affine_matrices, warp


def matrices(angle=0.0, zoom=1.0, shift=(0.0, 0.0), mirror=(1.0, 1.0)):
    return affine_matrices(
        torch.tensor([angle]), torch.tensor([zoom]), torch.tensor([shift]), torch.tensor([mirror])
    )


@pytest.fixture
def image():
    return torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0))


def test_identity_keeps_every_pixel(image):
    torch.testing.assert_close(warp(image, matrices()), image, atol=1e-5, rtol=0)


def test_mirror_is_a_flip(image):
    torch.testing.assert_close(
        warp(image, matrices(mirror=(-1.0, 1.0))), image.flip(3), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(
        warp(image, matrices(mirror=(1.0, -1.0))), image.flip(2), atol=1e-5, rtol=0
    )


def test_a_quarter_turn_is_rot90(image):
    turned = warp(image, matrices(angle=math.pi / 2))
    torch.testing.assert_close(turned, image.rot90(1, (2, 3)), atol=1e-5, rtol=0)


def test_positive_shift_goes_right_and_down(image):
    moved = warp(image, matrices(shift=(2 / 8, 4 / 8)))
    torch.testing.assert_close(moved[:, :, 2:, 1:], image[:, :, :-2, :-1], atol=1e-5, rtol=0)


def test_zoom_magnifies():
    spot = torch.zeros(1, 1, 16, 16)
    spot[..., 6:10, 6:10] = 1
    assert warp(spot, matrices(zoom=2.0)).sum() > 2.5 * spot.sum()


def test_outside_repeats_the_border():
    moved = warp(torch.full((1, 1, 8, 8), 0.7), matrices(shift=(1.0, 0.0)))
    assert moved.min() == pytest.approx(0.7)


def test_draws_stay_in_range():
    law = RandomAffine(degrees=10, zoom=1.2, shift=0.1, flips="both")
    drawn = law.draw(500, torch.Generator().manual_seed(1))
    linear = drawn[:, :, :2]
    zoom = linear.det().abs().rsqrt()
    assert zoom.min() >= 1 / 1.2 - 1e-5
    assert zoom.max() <= 1.2 + 1e-5
    assert (linear.det() < 0).float().mean() == pytest.approx(0.5, abs=0.08)


def test_without_flips_nothing_is_mirrored():
    drawn = RandomAffine(degrees=180).draw(200, torch.Generator().manual_seed(1))
    assert (drawn[:, :, :2].det() > 0).all()


@pytest.mark.parametrize("law", [{"zoom": 0.5}, {"flips": "maybe"}, {"shift": -1}])
def test_refuses_impossible_laws(law):
    with pytest.raises(ValueError, match=r"must be|at least"):
        RandomAffine(**law)
