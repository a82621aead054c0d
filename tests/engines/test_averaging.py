import pytest
import torch
from torch import nn

from monai_gan_aug.engines.averaging import WeightAverage


def test_follows_the_recursion_with_warm_up():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = WeightAverage(network, decay=0.9)
    expected = network[0].weight.detach().clone()
    for iteration in range(1, 120):
        with torch.no_grad():
            network[0].weight.add_(torch.randn(2, 2))
        average.update(iteration)
        decay = min(0.9, (1 + iteration) / (10 + iteration))
        expected = decay * expected + (1 - decay) * network[0].weight.detach()
    torch.testing.assert_close(average.network[0].weight, expected)


def test_averages_statistics_and_copies_counters():
    network = nn.BatchNorm1d(2)
    average = WeightAverage(network, decay=0.5)
    network(torch.randn(8, 2) + 3)
    average.update(100)
    torch.testing.assert_close(average.network.running_mean, network.running_mean / 2)
    assert average.network.num_batches_tracked == 1
    assert average.network.running_mean.data_ptr() != network.running_mean.data_ptr()


def test_the_average_does_not_learn():
    network = nn.Linear(2, 2)
    average = WeightAverage(network)
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.network.parameters())


def test_rejects_a_decay_of_one():
    with pytest.raises(ValueError, match="got 1"):
        WeightAverage(nn.Linear(1, 1), decay=1)
