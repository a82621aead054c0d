"""MixUp."""

import pytest
import torch

from monai_gan_aug.augmentation.mixup import MixUp


def test_labels_are_blended_as_the_images_are():
    labels = torch.tensor([0, 1, 0, 1, 1, 0])
    images = labels.float()[:, None, None, None].expand(-1, 1, 4, 4)
    mix = MixUp(1.0, num_classes=2, seed=3)
    for _ in range(5):
        blended, targets = mix(images, labels)
        torch.testing.assert_close(blended[:, 0, 0, 0], targets[:, 1])


def test_zero_leaves_the_batch_alone():
    images, labels = torch.rand(2, 1, 4, 4), torch.tensor([0, 1])
    assert MixUp(0.0, num_classes=2)(images, labels) == (images, labels)


def test_refuses_a_negative_parameter():
    with pytest.raises(ValueError, match="negative"):
        MixUp(-1.0, num_classes=2)
