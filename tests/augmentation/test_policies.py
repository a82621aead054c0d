from types import SimpleNamespace

import pytest
import torch

from monai_gan_aug.augmentation.adaptive import AdaptiveAugment
from monai_gan_aug.augmentation.policies import DiscriminatorInput, InstanceNoise


def at(noise, iteration):
    noise._fade(SimpleNamespace(state=SimpleNamespace(iteration=iteration)))
    return noise.current


def test_noise_has_the_wanted_deviation():
    torch.manual_seed(0)
    out = InstanceNoise(0.3)(torch.zeros(8, 1, 64, 64))
    assert out.std().item() == pytest.approx(0.3, rel=0.02)


def test_noise_fades_linearly_to_nothing():
    noise = InstanceNoise(0.4, steps=10)
    assert [at(noise, i) for i in (1, 6, 11, 99)] == pytest.approx([0.4, 0.2, 0, 0])
    images = torch.randn(2, 1, 4, 4)
    assert torch.equal(noise(images), images)


def test_noise_without_steps_stays():
    assert at(InstanceNoise(0.4), 1000) == 0.4


@pytest.mark.parametrize("policy", ["", None])
def test_no_policy_changes_nothing(policy):
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(DiscriminatorInput(policy)(images), images)


def test_adaptive_is_a_policy():
    seen = DiscriminatorInput("adaptive", adaptive_target=0.5, adaptive_images=7)
    assert isinstance(seen.stages[0], AdaptiveAugment)
    assert seen.stages[0].target == 0.5
    assert seen.stages[0].images == 7


def test_noise_comes_after_augmentation():
    torch.manual_seed(0)
    seen = DiscriminatorInput("cutout", instance_noise=0.1)
    assert (seen(torch.ones(4, 1, 16, 16)) != 0).all()


def test_rejects_an_unknown_policy():
    with pytest.raises(ValueError, match="got \\['adaptve'\\]"):
        DiscriminatorInput("adaptve")


@pytest.mark.parametrize("arguments", [(-0.1, 0), (0.1, -1)])
def test_rejects_negative_noise(arguments):
    with pytest.raises(ValueError, match="got"):
        InstanceNoise(*arguments)


@pytest.mark.parametrize("loss", ["least_squares", "wasserstein"])
def test_adaptive_augmentation_needs_a_loss_whose_logits_have_a_sign(loss):
    with pytest.raises(ValueError, match=f"'{loss}'.*choose"):
        DiscriminatorInput("adaptive", loss=loss)
    DiscriminatorInput("translation", loss=loss)
