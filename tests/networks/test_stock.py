"""MONAI's networks behind this package's conventions."""

import pytest
import torch
from monai.networks.nets import Discriminator, Generator

from monai_gan_aug.networks.stock import StockDiscriminator, StockGenerator


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_pair_agrees_on_shapes_and_range(size, channels):
    images = StockGenerator(size, channels)(torch.randn(2, 64))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert StockDiscriminator(size, channels)(images).shape == (2,)


def test_sizes_are_those_of_the_model_zoo():
    def count(network):
        return sum(parameter.numel() for parameter in network.parameters())

    generator = Generator(64, (64, 8, 8), [32, 16, 8, 1], [2, 2, 2, 1])
    discriminator = Discriminator(
        (1, 64, 64), (8, 16, 32, 64, 1), (2, 2, 2, 2, 1), num_res_units=1, kernel_size=5
    )
    assert count(StockGenerator()) == count(generator)
    assert count(StockDiscriminator()) == count(discriminator)


def test_logits_are_those_of_the_probabilities():
    """The published one ends in a sigmoid and sees images in ``[0, 1]``."""
    ours = StockDiscriminator(32).eval()
    published = Discriminator(
        (1, 32, 32), (8, 16, 32, 64, 1), (2, 2, 2, 2, 1), num_res_units=1, kernel_size=5
    ).eval()
    published.load_state_dict(ours.network.state_dict())
    images = torch.rand(3, 1, 32, 32)
    expected = published(images).flatten()
    assert torch.allclose(torch.sigmoid(ours(2 * images - 1)), expected, atol=1e-6)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="got 33"):
        StockGenerator(33)
