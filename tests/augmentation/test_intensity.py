"""Brightness, contrast and noise."""

import pytest
import torch

from monai_gan_aug.augmentation.intensity import RandomIntensity, adjust


def generators():
    return torch.Generator().manual_seed(0), torch.Generator().manual_seed(1)


def test_contrast_keeps_the_mean_and_scales_the_rest():
    images = torch.rand(3, 1, 8, 8) * 0.2
    changed = adjust(images, torch.full((3,), 1.5), torch.zeros(3))
    torch.testing.assert_close(changed.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)))
    torch.testing.assert_close(changed.std(dim=(1, 2, 3)), 1.5 * images.std(dim=(1, 2, 3)))


def test_brightness_is_added_and_clipped():
    changed = adjust(torch.tensor([[[[0.0, 0.9]]]]), torch.ones(1), torch.tensor([0.3]))
    torch.testing.assert_close(changed, torch.tensor([[[[0.3, 1.0]]]]))


def test_noise_has_the_standard_deviation_asked_for():
    noisy = RandomIntensity(noise=0.2)(torch.zeros(400, 1, 16, 16), *generators())
    assert noisy.std(dim=(1, 2, 3)).mean() == pytest.approx(0.1, rel=0.05)


def test_input_is_kept():
    images = torch.zeros(2, 1, 4, 4)
    RandomIntensity(contrast=2, brightness=0.5, noise=0.5)(images, *generators())
    assert (images == 0).all()


@pytest.mark.parametrize("law", [{"contrast": 0.5}, {"noise": -1}])
def test_refuses_impossible_laws(law):
    with pytest.raises(ValueError, match="at least 1"):
        RandomIntensity(**law)
