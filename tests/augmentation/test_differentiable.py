import pytest
import torch

from monai_gan_aug.augmentation.differentiable import (
    DiffAugment,
    cut_out,
    scale_contrast,
    scale_saturation,
    shift_brightness,
    translate,
)

OPERATIONS = [shift_brightness, scale_saturation, scale_contrast, translate, cut_out]


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_keeps_the_shape_and_lets_gradients_through(operation, channels, device):
    images = torch.randn(4, channels, 16, 12, device=device, requires_grad=True)
    out = operation(images)
    assert out.shape == images.shape
    out.square().sum().backward()
    assert images.grad.abs().sum() > 0


def test_each_image_has_its_own_draw():
    torch.manual_seed(0)
    out = DiffAugment()(torch.rand(1, 1, 16, 16).expand(8, -1, -1, -1))
    assert len({tuple(image.flatten().tolist()) for image in out}) == 8


def test_brightness_moves_all_pixels_alike():
    images = torch.randn(3, 2, 4, 4)
    moved = (shift_brightness(images) - images).flatten(1)
    torch.testing.assert_close(moved, moved[:, :1].expand_as(moved))
    assert moved.abs().max() <= 0.5


def test_contrast_keeps_the_mean():
    images = torch.randn(3, 1, 8, 8)
    torch.testing.assert_close(
        scale_contrast(images).mean((1, 2, 3)), images.mean((1, 2, 3)), atol=1e-6, rtol=1e-4
    )


def test_translation_moves_a_point_by_at_most_an_eighth():
    torch.manual_seed(0)
    images = torch.zeros(400, 1, 16, 16)
    images[:, :, 8, 8] = 1
    positions = translate(images)[:, 0].nonzero()
    assert len(positions) == 400
    offsets = positions[:, 1:] - 8
    assert offsets.abs().max() == 2
    assert len(offsets.unique(dim=0)) == 25


def test_translation_is_a_shift_of_the_padded_image():
    torch.manual_seed(1)
    image = torch.rand(1, 1, 8, 8)
    out = translate(image)
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1))
    shifts = [padded[..., y : y + 8, x : x + 8] for y in range(3) for x in range(3)]
    assert any(torch.equal(out, shift) for shift in shifts)


def test_cutout_zeroes_a_square_of_half_the_size():
    torch.manual_seed(0)
    holes = cut_out(torch.ones(256, 1, 16, 16)) == 0
    areas = holes.flatten(1).sum(1)
    assert areas.max() == 64
    assert areas.min() >= 16
    for hole in holes[:16, 0]:
        rows, columns = hole.any(1).sum(), hole.any(0).sum()
        assert hole.sum() == rows * columns


def test_empty_policy_changes_nothing():
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(DiffAugment("")(images), images)
    assert torch.equal(DiffAugment(None)(images), images)


def test_rejects_an_unknown_operation():
    with pytest.raises(ValueError, match="got \\['colour'\\]"):
        DiffAugment("colour,cutout")
