import pytest
import torch
from torch import nn

from monai_gan_aug.networks.initialisation import (
    glorot_initialisation,
    normal_initialisation,
    orthogonal_initialisation,
)


def test_weights_follow_the_published_law():
    network = nn.Sequential(nn.Conv2d(16, 64, 5), nn.BatchNorm2d(4096))
    normal_initialisation(network)
    assert network[0].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert network[1].weight.mean().item() == pytest.approx(1, abs=0.005)
    assert torch.count_nonzero(network[0].bias) == 0


def test_rejects_a_deviation_of_zero():
    with pytest.raises(ValueError, match="got 0"):
        normal_initialisation(nn.Conv2d(1, 1, 1), std=0)


def test_glorot_keeps_the_mean_of_both_fans():
    layer = glorot_initialisation(nn.Linear(300, 500), gain=2.0)
    assert layer.weight.std().item() == pytest.approx(2 * (2 / 800) ** 0.5, rel=0.03)
    assert torch.count_nonzero(layer.bias) == 0


def test_orthogonal_rows_are_orthonormal():
    layer = orthogonal_initialisation(nn.Conv2d(8, 16, 3))
    weight = layer.weight.flatten(1)
    torch.testing.assert_close(weight @ weight.T, torch.eye(16), atol=1e-5, rtol=0)


def test_rejects_a_gain_of_zero():
    with pytest.raises(ValueError, match="got 0"):
        glorot_initialisation(nn.Conv2d(1, 1, 1), gain=0)
