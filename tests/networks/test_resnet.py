from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from monai_gan_aug.networks.resnet import Discriminator, Generator


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def residual(a, b, shortcut):
    return 9 * a * b + b + 9 * b * b + b + (a * b + b if shortcut else 0)


def test_generator_has_the_published_layers_at_64_pixels():
    widths = [1024, 512, 256, 128, 64]
    blocks = sum(residual(a, b, True) + 2 * a + 2 * b for a, b in pairwise(widths))
    expected = 128 * 16384 + 16384 + blocks + 2 * 64 + 9 * 64 * 3 + 3
    with torch.device("meta"):
        assert parameters(Generator(64, 3, 128, width=64)) == expected


def test_discriminator_has_the_published_layers_at_64_pixels():
    widths = [3, 128, 256, 512, 1024]
    first, *rest = pairwise(widths)
    blocks = residual(*first, True)
    blocks += sum(9 * a * b + b + 9 * b * b + b + a * b + b for a, b in rest)
    blocks += residual(1024, 1024, False)
    with torch.device("meta"):
        network = Discriminator(64, 3, width=64, spectral_norm=False)
    assert parameters(network) == blocks + 1024 + 1


def test_weights_follow_glorot_with_the_gain_of_a_relu_inside_blocks():
    network = Discriminator(32, 1, width=32, spectral_norm=False)
    weight = network.blocks[1].second.weight
    fan = 9 * (weight.shape[0] + weight.shape[1])
    assert weight.std().item() == pytest.approx(2**0.5 * (2 / fan) ** 0.5, rel=0.05)


@pytest.mark.parametrize("attention", [8, 16])
def test_attention_changes_the_images_once_it_has_weight(attention):
    torch.manual_seed(0)
    network = Generator(16, latent_size=8, width=8, attention=attention).eval()
    z = torch.randn(2, 8)
    before = network(z)
    network.attention.weight.data.fill_(1.0)
    assert not torch.equal(before, network(z))


@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_rejects_attention_at_a_size_that_is_not_there(network):
    with pytest.raises(ValueError, match=r"`attention`.*got 12"):
        network(16, width=8, attention=12)


def test_discriminator_cannot_attend_to_the_image():
    with pytest.raises(ValueError, match="smaller than the images"):
        Discriminator(16, width=8, attention=16)


def test_spectral_norm_leaves_conditional_gains_alone():
    network = Generator(16, latent_size=8, width=8, num_classes=2, spectral_norm=True)
    normed = [m for m in network.modules() if parametrize.is_parametrized(m)]
    assert not any(isinstance(module, nn.Embedding) for module in normed)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert all(parametrize.is_parametrized(module) for module in convolutions)


def test_batch_statistics_of_the_generator_are_conditional():
    network = Generator(16, latent_size=8, width=4, num_classes=3)
    gains = [m for m in network.modules() if isinstance(m, nn.Embedding)]
    assert len(gains) == 4
    assert all(torch.count_nonzero(gain.weight) == 0 for gain in gains)
