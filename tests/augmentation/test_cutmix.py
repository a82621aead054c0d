"""CutMix."""

import pytest
import torch

from monai_gan_aug.augmentation.cutmix import CutMix, chosen_mixing
from monai_gan_aug.augmentation.mixup import MixUp


def test_labels_follow_the_area():
    labels = torch.tensor([0, 1, 0, 1, 1, 0])
    images = labels.float()[:, None, None, None].expand(-1, 1, 12, 12)
    mix = CutMix(1.0, num_classes=2, seed=3)
    for _ in range(20):
        mixed, targets = mix(images, labels)
        torch.testing.assert_close(mixed.mean((1, 2, 3)), targets[:, 1])


def test_every_pixel_comes_from_one_of_two_images_at_its_place():
    images = torch.arange(4.0)[:, None, None, None] * 100 + torch.arange(64.0).view(1, 1, 8, 8)
    mixed, _ = CutMix(1.0, num_classes=2, seed=1)(images, torch.tensor([0, 1, 0, 1]))
    assert torch.equal(mixed % 100, images % 100)
    assert all(len(image.div(100, rounding_mode="floor").unique()) <= 2 for image in mixed)


def test_shares_spread_over_the_whole_range():
    mix = CutMix(1.0, num_classes=2)
    labels = torch.tensor([0, 1] * 8)
    shares = [mix(torch.zeros(16, 1, 32, 32), labels)[1].max(dim=1).values for _ in range(200)]
    smallest = torch.stack([largest.min() for largest in shares])
    assert smallest.min() < 0.6
    assert smallest.max() > 0.95


def test_the_input_is_kept():
    images = torch.rand(4, 1, 8, 8)
    before = images.clone()
    CutMix(1.0, num_classes=2)(images, torch.tensor([0, 1, 0, 1]))
    assert torch.equal(images, before)


def test_zero_leaves_the_batch_alone():
    images, labels = torch.rand(2, 1, 4, 4), torch.tensor([0, 1])
    assert CutMix(0.0, num_classes=2)(images, labels) == (images, labels)


@pytest.mark.parametrize(
    ("mixup", "cutmix", "kind"), [(0.2, 0, MixUp), (0, 1.0, CutMix), (0, 0, MixUp)]
)
def test_knobs_choose_the_kind(mixup, cutmix, kind):
    mixing = chosen_mixing(mixup, cutmix, num_classes=2)
    assert type(mixing) is kind
    assert mixing.alpha == mixup + cutmix


def test_both_at_once_are_refused():
    with pytest.raises(ValueError, match="exclude"):
        chosen_mixing(0.2, 1.0, num_classes=2)
