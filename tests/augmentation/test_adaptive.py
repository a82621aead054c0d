import math

import pytest
import torch

from monai_gan_aug.augmentation.adaptive import AdaptiveAugment, turn_colours, warp


def always():
    return AdaptiveAugment(probability=1.0, limit=1.0)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_probability_nothing_is_the_identity(channels, device):
    images = torch.randn(4, channels, 16, 16, device=device)
    assert torch.equal(AdaptiveAugment()(images), images)


@pytest.mark.parametrize("shape", [(1, 16, 16), (2, 16, 16), (3, 16, 16), (1, 16, 24)])
def test_probability_one_changes_every_image(shape, device):
    torch.manual_seed(0)
    images = torch.randn(8, *shape, device=device)
    out = always()(images)
    assert out.shape == images.shape
    assert torch.isfinite(out).all()
    assert ((out - images).flatten(1).abs().amax(1) > 0.1).all()


def test_gradients_reach_the_images():
    images = torch.randn(8, 3, 16, 16, requires_grad=True)
    always()(images).square().sum().backward()
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()


def test_about_the_wanted_share_of_images_changes():
    torch.manual_seed(0)
    augment = AdaptiveAugment(probability=0.1)
    images = torch.randn(1, 1, 8, 8).expand(1000, -1, -1, -1)
    changed = (augment(images) != images).flatten(1).any(1).float().mean().item()
    # eight changes, some of which may draw "none": between 1 - 0.9 ** 5 and 1 - 0.9 ** 8
    assert 0.4 < changed < 0.6


@pytest.mark.parametrize(("logits", "direction"), [(5.0, 1), (-5.0, -1)])
def test_surer_than_the_target_means_more(logits, direction):
    augment = AdaptiveAugment(images=1000, every=1, probability=0.4)
    augment.observe(torch.full((20,), logits), 1)
    assert augment.probability.item() == pytest.approx(0.4 + direction * 0.02)


def test_the_target_is_a_mean_of_signs():
    """Eight of ten right is a mean of 0.6, whatever the size of the logits."""
    for right, direction in ((9, 1), (7, -1)):
        augment = AdaptiveAugment(target=0.6, images=1000, every=1, probability=0.5)
        logits = torch.full((10,), -100.0)
        logits[:right] = 0.001
        augment.observe(logits, 1)
        assert augment.probability.item() == pytest.approx(0.5 + direction * 0.01)


def test_adjusts_once_in_so_many_iterations_by_all_images_seen():
    augment = AdaptiveAugment(images=1000, every=4)
    for iteration in range(1, 5):
        assert augment.probability == 0
        augment.observe(torch.ones(10), iteration)
    assert augment.probability.item() == pytest.approx(0.04)


def test_stays_between_nothing_and_the_limit():
    augment = AdaptiveAugment(images=10, every=1)
    augment.observe(-torch.ones(100), 1)
    assert augment.probability == 0
    augment.observe(torch.ones(100), 2)
    assert augment.probability.item() == pytest.approx(0.8)


def test_state_goes_on_exactly():
    whole, parts = AdaptiveAugment(images=500), AdaptiveAugment(images=500)
    whole.observe(torch.ones(10), 1)
    parts.load_state_dict(whole.state_dict())
    for iteration in range(2, 6):
        for each in (whole, parts):
            each.observe(torch.ones(10), iteration)
    assert torch.equal(whole.probability, parts.probability)


def flat(value, count=1):
    return torch.full((count,), float(value))


@pytest.mark.parametrize("quarter", [0, 1, 2, 3])
@pytest.mark.parametrize("flip", [1, -1])
def test_quarter_turns_and_flips_are_exact(quarter, flip):
    image = torch.randn(1, 2, 8, 8)
    expected = image.flip(3) if flip < 0 else image
    expected = expected.rot90(quarter, (2, 3))
    out = warp(image, flat(flip), flat(quarter * math.pi / 2), flat(1), torch.zeros(1, 2))
    torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)


def test_whole_pixels_move_right_and_down():
    image = torch.randn(1, 1, 8, 8)
    out = warp(image, flat(1), flat(0), flat(1), torch.tensor([[2 / 4, 1 / 4]]))
    torch.testing.assert_close(out[..., 1:, 2:], image[..., :-1, :-2], atol=1e-5, rtol=1e-4)


def test_scaling_magnifies_about_the_centre():
    image = torch.zeros(1, 1, 16, 16)
    image[..., 6:10, 6:10] = 1
    out = warp(image, flat(1), flat(0), flat(2), torch.zeros(1, 2))
    assert out.sum().item() == pytest.approx(4 * 16, rel=0.02)


def test_rotation_of_a_wide_image_keeps_circles_round():
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    bump = torch.exp(-((rows - 7.5) ** 2 + (columns - 11.5) ** 2) / 8)[None, None]
    out = warp(bump, flat(1), flat(0.7), flat(1), torch.zeros(1, 2))
    torch.testing.assert_close(out[..., 4:-4, 8:-8], bump[..., 4:-4, 8:-8], atol=0.05, rtol=0)


def test_turning_colours_keeps_greys_and_lengths():
    images, angle = torch.randn(4, 3, 8, 8), torch.randn(4)
    turned = turn_colours(images, angle)
    torch.testing.assert_close(turned.mean(1), images.mean(1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(turned.norm(dim=1), images.norm(dim=1), atol=1e-4, rtol=1e-4)


def test_a_third_of_a_turn_permutes_the_colours():
    images = torch.randn(1, 3, 2, 2)
    turned = turn_colours(images, flat(2 * math.pi / 3))
    torch.testing.assert_close(turned, images[:, [2, 0, 1]], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [{"target": 1.0}, {"images": 0}, {"every": 0}, {"probability": 0.9}, {"limit": 1.5}],
)
def test_rejects_what_cannot_be(arguments):
    with pytest.raises(ValueError, match="got"):
        AdaptiveAugment(**arguments)
