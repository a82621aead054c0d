import pytest
import torch
from torch import nn

from monai_gan_aug.networks.initialisation import normal_initialisation


def test_weights_follow_the_published_law():
    network = nn.Sequential(nn.Conv2d(16, 64, 5), nn.BatchNorm2d(4096))
    normal_initialisation(network)
    assert network[0].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert network[1].weight.mean().item() == pytest.approx(1, abs=0.005)
    assert torch.count_nonzero(network[0].bias) == 0


def test_rejects_a_deviation_of_zero():
    with pytest.raises(ValueError, match="got 0"):
        normal_initialisation(nn.Conv2d(1, 1, 1), std=0)
