import torch
from torch import nn

from monai_gan_aug.engines.sides import Side
from monai_gan_aug.engines.steps import Precision


def test_the_length_of_the_gradient_is_that_of_all_weights_together():
    network = nn.Linear(3, 2)
    side = Side(
        network, torch.optim.SGD(network.parameters(), 0.1), None, Precision().scaler(), True
    )
    (network(torch.ones(1, 3)) * torch.tensor([3.0, 4.0])).sum().backward()
    side.update()
    # weights: rows of (3, 3, 3) and (4, 4, 4); biases: 3 and 4
    assert side.gradient_norm.item() == (4 * 9 + 4 * 16) ** 0.5


def test_nothing_is_measured_unless_asked_for():
    network = nn.Linear(3, 2)
    side = Side(network, torch.optim.SGD(network.parameters(), 0.1), None, Precision().scaler())
    network(torch.ones(1, 3)).sum().backward()
    side.update()
    assert side.gradient_norm is None
