import copy

import pytest
import torch
from torch import nn

from monai_gan_aug.engines.steps import (
    Player,
    Precision,
    discriminator_step,
    frozen,
    generator_step,
    untracked,
)
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.networks.dcgan import Discriminator, Generator


def player(network, loss):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    return Player(network, optimizer, loss, Precision().scaler())


def pair(norm=None):
    torch.manual_seed(0)
    generator = Generator(16, 1, 8, width=4)
    discriminator = Discriminator(16, 1, width=4, norm=norm)
    return (
        player(generator, GeneratorLoss("bce")),
        player(discriminator, DiscriminatorLoss("bce")),
    )


def images(count=6):
    return torch.randn(count, 1, 16, 16, generator=torch.Generator().manual_seed(1))


def weights(network):
    return copy.deepcopy(network.state_dict())


def same(before, after):
    return all(torch.equal(before[name], after[name]) for name in before)


def test_discriminator_step_descends_its_own_loss():
    _, side = pair()
    reals, fakes = images(), -images()
    first = discriminator_step(side, reals, fakes, judge=side.network)[GanKeys.DLOSS]
    second = discriminator_step(side, reals, fakes, judge=side.network)[GanKeys.DLOSS]
    assert second < first


@pytest.mark.parametrize("norm", [None, "batch"])
def test_one_pass_or_two_give_the_separate_logits(norm):
    _, side = pair(norm)
    reals, fakes = images(), images() * 0.5 + 1
    expected = copy.deepcopy(side.network)
    out = discriminator_step(side, reals, fakes, judge=side.network)
    torch.testing.assert_close(out[GanAugKeys.REAL_LOGITS], expected(reals).detach())
    torch.testing.assert_close(out[GanAugKeys.FAKE_LOGITS], expected(fakes).detach())


def test_parts_add_up_to_the_whole_batch():
    _, whole = pair()
    _, parts = pair()
    reals, fakes = images(), -images()
    first = discriminator_step(whole, reals, fakes, judge=whole.network)
    second = discriminator_step(parts, reals, fakes, judge=parts.network, accumulation=3)
    torch.testing.assert_close(first[GanKeys.DLOSS], second[GanKeys.DLOSS])
    for a, b in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_generator_step_leaves_the_discriminator_alone():
    generator, side = pair("batch")
    before = weights(side.network)
    generator_step(
        generator,
        torch.randn(6, 8),
        generate=lambda z, labels: generator.network(z),
        judge=lambda x, labels: side.network(x),
        discriminator=side.network,
    )
    assert same(before, side.network.state_dict())
    assert all(parameter.grad is None for parameter in side.network.parameters())


def test_freezing_changes_no_gradient_of_the_generator():
    generator, side = pair()
    z = torch.randn(6, 8)
    expected = copy.deepcopy(generator.network)
    generator.loss_function(side.network(expected(z))).backward()
    generator_step(
        generator,
        z,
        generate=lambda z, labels: generator.network(z),
        judge=lambda x, labels: side.network(x),
        discriminator=side.network,
    )
    for a, b in zip(generator.network.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_spectral_norm_iterates_once_per_step():
    torch.manual_seed(0)
    network = Discriminator(16, 1, width=4, norm=None, spectral_norm=True)
    side = player(network, DiscriminatorLoss("hinge"))
    calls = []
    norm = network.head.parametrizations.weight[0]
    norm.register_forward_hook(lambda *_: calls.append(1))
    discriminator_step(side, images(), -images(), judge=network, penalty=two_calls)
    assert len(calls) == 1


def two_calls(judge, real, fake, labels):
    return judge(real, labels).mean() + judge(fake, labels).mean()


def test_frozen_restores_what_was_learning():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False))
    with frozen(network):
        assert not any(parameter.requires_grad for parameter in network.parameters())
    assert [parameter.requires_grad for parameter in network.parameters()] == [True, True] + [
        False
    ] * 2


def test_untracked_uses_batch_statistics_without_moving_the_running_ones():
    norm = nn.BatchNorm2d(3)
    x = torch.randn(4, 3, 2, 2) * 5
    expected = copy.deepcopy(norm)(x)
    before = weights(norm)
    with untracked(norm):
        torch.testing.assert_close(norm(x), expected)
    assert same(before, norm.state_dict())
    assert norm.track_running_stats
