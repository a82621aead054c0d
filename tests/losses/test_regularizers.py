import pytest
import torch

from monai_gan_aug.losses.penalties import dragan_penalty, gradient_penalty, r1_penalty
from monai_gan_aug.losses.regularizers import (
    R1,
    BalancedConsistency,
    DiscriminatorView,
    Dragan,
    GradientPenalty,
    LeCam,
    Reconstruction,
    chosen_regularizers,
)
from monai_gan_aug.networks.dcgan import Discriminator
from monai_gan_aug.networks.fastgan import Discriminator as FastDiscriminator


def batch(seed):
    return torch.randn(6, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


def view(network, augment=lambda x: x, labels=None):
    plain_real, plain_fake = batch(0), batch(1) + 1
    real, fake = augment(plain_real), augment(plain_fake)

    def discriminate(images, labels=None):
        return network(images) if labels is None else network(images, labels)

    logits = [discriminate(images, labels) for images in (real, fake)]
    logits = [each[:, 0] if each.ndim == 2 else each for each in logits]
    return DiscriminatorView(
        discriminate, network, real, fake, labels, *logits, plain_real, plain_fake
    )


def critic(**more):
    torch.manual_seed(0)
    return Discriminator(16, width=4, norm=None, **more)


@pytest.mark.parametrize(
    ("regularizer", "function"),
    [(GradientPenalty, gradient_penalty), (R1, r1_penalty), (Dragan, dragan_penalty)],
)
@pytest.mark.parametrize("interval", [1, 4])
def test_a_lazy_penalty_is_as_many_times_stronger(regularizer, function, interval):
    seen = view(critic())
    torch.manual_seed(1)
    value = regularizer(2.0, interval)(seen)
    torch.manual_seed(1)
    expected = function(seen.network, seen.real, seen.fake, weight=2.0)
    torch.testing.assert_close(value, interval * expected)


@pytest.mark.parametrize("regularizer", [GradientPenalty(), R1(), Dragan(), LeCam()])
def test_auxiliary_class_logits_are_not_penalised(regularizer):
    network = critic(num_classes=3, label_head="auxiliary")
    regularizer(view(network, labels=torch.tensor([0, 1, 2] * 2))).backward()
    assert network.head.weight.grad.abs().sum() > 0
    assert network.verdict.head.weight.grad is None or not network.verdict.head.weight.grad.any()


def test_lecam_is_the_distance_from_the_mean_of_the_other_side():
    seen = view(critic())
    real, fake = seen.real_logits.detach(), seen.fake_logits.detach()
    expected = (real - fake.mean()).square().mean() + (fake - real.mean()).square().mean()
    torch.testing.assert_close(LeCam(0.5)(seen).detach(), 0.5 * expected)


def test_lecam_follows_the_means_slowly():
    lecam = LeCam(decay=0.9)
    first, second = view(critic()), view(critic(), augment=lambda x: 3 * x)
    lecam(first)
    lecam(second)
    means = [
        torch.stack([each.real_logits.mean(), each.fake_logits.mean()]).detach()
        for each in (first, second)
    ]
    torch.testing.assert_close(lecam.means, 0.9 * means[0] + 0.1 * means[1])


def test_lecam_goes_on_from_its_state():
    whole, parts = LeCam(), LeCam()
    whole(view(critic()))
    parts.load_state_dict(whole.state_dict())
    seen = view(critic(), augment=lambda x: 2 * x)
    assert torch.equal(whole(seen), parts(seen))


def test_consistency_of_an_unchanged_image_is_nothing():
    assert BalancedConsistency(lambda x: x)(view(critic())) == 0


def test_consistency_is_the_squared_difference_of_both_sides():
    network = critic()
    seen = view(network)
    twins = [network(-batch(0)), network(-batch(1) - 1)]
    expected = (twins[0] - seen.real_logits).square().mean()
    expected = expected + (twins[1] - seen.fake_logits).square().mean()
    torch.testing.assert_close(BalancedConsistency(torch.neg, 2.0)(seen), 2 * expected)


def test_consistency_augments_the_plain_images():
    seen = []

    def augment(images):
        seen.append(images)
        return images

    BalancedConsistency(augment)(view(critic(), augment=lambda x: x + 5))
    assert torch.equal(seen[0], batch(0))
    assert torch.equal(seen[1], batch(1) + 1)


def test_reconstruction_falls_when_it_is_followed():
    torch.manual_seed(0)
    network = FastDiscriminator(16, width=4)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    values = []
    for _ in range(15):
        optimizer.zero_grad()
        value = Reconstruction()(view(network))
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.9 * values[0]


def test_reconstruction_needs_a_network_that_decodes():
    with pytest.raises(ValueError, match="fastgan"):
        Reconstruction()(view(critic()))


def test_only_weights_that_are_set_are_chosen():
    assert chosen_regularizers() == []
    names = [each.name for each in chosen_regularizers(10, 1, 1, 16, 10, 0.3, 1, 10, torch.neg)]
    assert names == ["gradient", "r1", "dragan", "lecam", "reconstruction", "consistency"]
    assert chosen_regularizers(r1=2.0, r1_interval=8)[0].interval == 8


def test_values_of_several_regularisers_can_be_told_apart():
    made = chosen_regularizers(1, 1, 1, 1, 1, 1, 1, 1, torch.neg)
    assert len({each.name for each in made}) == len(made)


@pytest.mark.parametrize("make", [GradientPenalty, R1, Dragan, LeCam, Reconstruction])
def test_rejects_weights_that_do_nothing(make):
    with pytest.raises(ValueError, match="got 0"):
        make(0)


def test_rejects_what_cannot_be():
    with pytest.raises(ValueError, match=r"`interval`.*got 0"):
        R1(1.0, interval=0)
    with pytest.raises(ValueError, match=r"`decay`.*got 1"):
        LeCam(decay=1)
    with pytest.raises(ValueError, match="`augment`"):
        chosen_regularizers(consistency=1.0)
