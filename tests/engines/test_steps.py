import copy

import pytest
import torch
from torch import nn

from monai_gan_aug.engines.hardware import Precision
from monai_gan_aug.engines.steps import (
    Player,
    discriminator_step,
    frozen,
    generator_step,
    untracked,
)
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.losses.auxiliary import AuxiliaryDiscriminatorLoss
from monai_gan_aug.networks.dcgan import Discriminator, Generator
from monai_gan_aug.networks.stylegan import Discriminator as StyleDiscriminator


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
    first = discriminator_step(side, reals, fakes, discriminate=side.network)[GanKeys.DLOSS]
    second = discriminator_step(side, reals, fakes, discriminate=side.network)[GanKeys.DLOSS]
    assert second < first


@pytest.mark.parametrize("norm", [None, "batch"])
def test_one_pass_or_two_give_the_separate_logits(norm):
    _, side = pair(norm)
    reals, fakes = images(), images() * 0.5 + 1
    expected = copy.deepcopy(side.network)
    out = discriminator_step(side, reals, fakes, discriminate=side.network)
    torch.testing.assert_close(out[GanAugKeys.REAL_LOGITS], expected(reals).detach())
    torch.testing.assert_close(out[GanAugKeys.FAKE_LOGITS], expected(fakes).detach())


def test_parts_add_up_to_the_whole_batch():
    _, whole = pair()
    _, parts = pair()
    reals, fakes = images(), -images()
    first = discriminator_step(whole, reals, fakes, discriminate=whole.network)
    second = discriminator_step(parts, reals, fakes, discriminate=parts.network, accumulation=3)
    torch.testing.assert_close(first[GanKeys.DLOSS], second[GanKeys.DLOSS])
    for a, b in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_parts_share_weights_under_spectral_norm():
    def make():
        torch.manual_seed(0)
        network = Discriminator(16, 1, width=4, norm=None, spectral_norm=True)
        return player(network, DiscriminatorLoss("bce"))

    whole, parts = make(), make()
    discriminator_step(whole, images(), -images(), discriminate=whole.network)
    discriminator_step(parts, images(), -images(), discriminate=parts.network, accumulation=3)
    for a, b in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_generator_step_leaves_the_discriminator_alone():
    generator, side = pair("batch")
    before = weights(side.network)
    generator_step(
        generator,
        torch.randn(6, 8),
        generate=lambda z, labels: generator.network(z),
        discriminate=lambda x, labels: side.network(x),
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
        discriminate=lambda x, labels: side.network(x),
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
    discriminator_step(side, images(), -images(), discriminate=network, regularizers=[TwoCalls()])
    assert len(calls) == 1


class TwoCalls:
    """A regulariser that judges both batches once more."""

    name, interval = "two_calls", 1

    def __call__(self, view):
        return view.logits(view.real).mean() + view.logits(view.fake).mean()


def test_a_regulariser_adds_its_value_to_the_loss():
    _, plain = pair()
    _, more = pair()
    first = discriminator_step(plain, images(), -images(), discriminate=plain.network)
    second = discriminator_step(
        more, images(), -images(), discriminate=more.network, regularizers=[TwoCalls()]
    )
    value = second[GanAugKeys.penalty("two_calls")]
    assert value.ndim == 0
    assert not value.requires_grad
    torch.testing.assert_close(second[GanKeys.DLOSS], first[GanKeys.DLOSS] + value)


def test_regularisers_see_images_before_and_after_augmentation():
    _, side = pair()
    views = []

    class Spy(TwoCalls):
        def __call__(self, view):
            views.append(view)
            return super().__call__(view)

    discriminator_step(
        side,
        images(),
        -images(),
        discriminate=side.network,
        augment=lambda x: x + 1,
        regularizers=[Spy()],
    )
    torch.testing.assert_close(views[0].plain_real, images())
    torch.testing.assert_close(views[0].real, images() + 1)
    torch.testing.assert_close(views[0].fake, 1 - images())
    torch.testing.assert_close(views[0].plain_fake, -images())


def test_regularisers_are_not_rounded_under_mixed_precision():
    _, side = pair()
    seen = []

    class Spy(TwoCalls):
        def __call__(self, view):
            seen.append(torch.is_autocast_enabled("cpu"))
            return super().__call__(view)

    precision = Precision("cpu", True, {"dtype": torch.bfloat16})
    discriminator_step(
        side,
        images(),
        -images(),
        discriminate=side.network,
        regularizers=[Spy()],
        precision=precision,
    )
    assert seen == [False]


def test_a_loss_on_images_takes_no_regularisers():
    _, side = pair()
    side.loss_function = lambda fake, real: side.network(fake).mean()
    with pytest.raises(ValueError, match="loss on logits"):
        discriminator_step(
            side, images(), images(), discriminate=side.network, regularizers=[TwoCalls()]
        )


def test_a_loss_that_wants_labels_is_told_them():
    torch.manual_seed(0)
    network = Discriminator(16, 1, width=4, num_classes=3, label_head="auxiliary")
    told = []

    class Loss(AuxiliaryDiscriminatorLoss):
        def forward(self, real_logits, fake_logits, labels):
            told.append((real_logits.shape, labels.tolist()))
            return super().forward(real_logits, fake_logits, labels)

    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    out = discriminator_step(
        player(network, Loss()), images(), -images(), discriminate=network, labels=labels
    )
    assert told == [((6, 4), labels.tolist())]
    assert out[GanAugKeys.REAL_LOGITS].shape == (6,)


def test_networks_that_compare_images_judge_each_batch_alone():
    torch.manual_seed(0)
    network = StyleDiscriminator(16, 1, width=4)
    side = player(network, DiscriminatorLoss("bce"))
    expected = copy.deepcopy(network)
    out = discriminator_step(
        side, images(4), images(4) * 0.1, discriminate=lambda x, labels: network(x)
    )
    torch.testing.assert_close(out[GanAugKeys.REAL_LOGITS], expected(images(4)).detach())


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


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_gradients_of_both_players_are_those_of_the_whole_batch(parts):
    torch.manual_seed(0)
    drawing = nn.Sequential(nn.Linear(8, 256), nn.Tanh(), nn.Unflatten(1, (1, 16, 16)))
    players = player(drawing, GeneratorLoss()), pair()[1]
    for each in players:
        each.optimizer.param_groups[0]["lr"] = 0.0
    draw = torch.Generator().manual_seed(1)
    latents = torch.randn(7, 8, generator=draw)
    reals, fakes = torch.randn(2, 7, 1, 16, 16, generator=draw)

    def gradients(accumulation):
        generator, discriminator = copy.deepcopy(players)
        discriminator_step(
            discriminator,
            reals,
            fakes,
            discriminate=lambda images, labels: discriminator.network(images),
            accumulation=accumulation,
        )
        of_discriminator = [p.grad.clone() for p in discriminator.network.parameters()]
        generator_step(
            generator,
            latents,
            generate=lambda z, labels: generator.network(z),
            discriminate=lambda images, labels: discriminator.network(images),
            discriminator=discriminator.network,
            accumulation=accumulation,
        )
        return of_discriminator + [p.grad for p in generator.network.parameters()]

    for whole, summed in zip(gradients(1), gradients(parts), strict=True):
        torch.testing.assert_close(whole, summed, rtol=1e-4, atol=1e-6)


def test_the_length_of_the_gradient_is_that_of_all_weights_together():
    network = nn.Linear(3, 2)
    measured = player(network, None)
    measured.measured = True
    (network(torch.ones(1, 3)) * torch.tensor([3.0, 4.0])).sum().backward()
    measured.update()
    # weights: rows of (3, 3, 3) and (4, 4, 4); biases: 3 and 4
    assert measured.gradient_norm.item() == (4 * 9 + 4 * 16) ** 0.5


def test_nothing_is_measured_unless_asked_for():
    network = nn.Linear(3, 2)
    unmeasured = player(network, None)
    network(torch.ones(1, 3)).sum().backward()
    unmeasured.update()
    assert unmeasured.gradient_norm is None


def scaled_player(init_scale):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=init_scale, enabled=init_scale is not None)
    return Player(network, optimizer, DiscriminatorLoss(), scaler, measured=True)


def step(side, factor=1.0):
    reals = factor * torch.ones(3, 1, 2, 2)
    discriminator_step(
        side, reals, -reals, discriminate=lambda images, labels: side.network(images)
    )


def test_a_gradient_scaler_changes_neither_the_update_nor_the_measured_length():
    plain, scaled = scaled_player(None), scaled_player(2.0**12)
    step(plain)
    step(scaled)
    torch.testing.assert_close(plain.gradient_norm, scaled.gradient_norm)
    for a, b in zip(plain.network.parameters(), scaled.network.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_scaler_skips_an_overflow_and_lowers_its_scale():
    side = scaled_player(2.0**12)
    before = weights(side.network)
    step(side, factor=float("inf"))
    assert same(before, side.network.state_dict())
    assert side.scaler.get_scale() == 2.0**11
    step(side)
    assert not same(before, side.network.state_dict())
