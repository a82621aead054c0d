import pytest
import torch
from torch import nn

from monai_gan_aug.losses.penalties import dragan_penalty, gradient_penalty, r1_penalty
from monai_gan_aug.networks.dcgan import Discriminator


def linear(slope):
    return lambda images, labels=None: slope * images.flatten(1).sum(1)


@pytest.mark.parametrize("slope", [0.25, 1.0])
def test_linear_discriminator_by_hand(slope):
    real, fake = torch.randn(3, 1, 4, 4), torch.randn(3, 1, 4, 4)
    norm = slope * 4  # sixteen equal components
    assert gradient_penalty(linear(slope), real, fake).item() == pytest.approx(
        10 * (norm - 1) ** 2, abs=1e-5
    )
    assert r1_penalty(linear(slope), real, fake).item() == pytest.approx(5 * norm**2, rel=1e-5)
    assert dragan_penalty(linear(slope), real).item() == pytest.approx(
        10 * (norm - 1) ** 2, abs=1e-5
    )


def test_quadratic_discriminator_by_hand():
    """The gradient of the half squared norm is the image itself."""
    real = torch.randn(5, 1, 4, 4)
    squared = real.square().flatten(1).sum(1)
    value = r1_penalty(lambda x: 0.5 * x.square().flatten(1).sum(1), real, weight=3.0)
    assert value.item() == pytest.approx(1.5 * squared.mean().item(), rel=1e-5)


def test_dragan_looks_within_half_a_deviation_above_reals():
    seen = {}

    def discriminator(images):
        seen["images"] = images.detach().clone()
        return images.square().flatten(1).sum(1)

    real = torch.randn(8, 1, 8, 8)
    dragan_penalty(discriminator, real)
    moved = seen["images"] - real
    assert moved.min() >= -1e-6
    assert moved.max() <= 0.5 * real.std() + 1e-6
    assert moved.max() > 0.4 * real.std()


def test_r1_looks_at_reals_and_gradient_penalty_between():
    seen = {}

    def spy(name):
        def discriminator(images):
            seen[name] = images.detach().clone()
            return images.square().flatten(1).sum(1)

        return discriminator

    real, fake = torch.zeros(4, 1, 2, 2), torch.ones(4, 1, 2, 2)
    r1_penalty(spy("r1"), real, fake)
    gradient_penalty(spy("between"), real, fake)
    assert torch.equal(seen["r1"], real)
    assert ((seen["between"] > 0) & (seen["between"] < 1)).all()


@pytest.mark.parametrize("penalty", [gradient_penalty, r1_penalty, dragan_penalty])
def test_reaches_the_weights_of_a_conditional_discriminator(penalty):
    network = Discriminator(16, 1, width=4, num_classes=2, norm=None)
    images, labels = torch.randn(2, 1, 16, 16), torch.tensor([0, 1])
    penalty(network, images, images + 0.1, labels).backward()
    assert network.head.weight.grad.abs().sum() > 0
    assert isinstance(network.verdict.head, nn.Module)
    assert network.verdict.head.embedding.weight.grad.abs().sum() > 0


def test_rejects_shapes_that_differ():
    with pytest.raises(ValueError, match="got"):
        gradient_penalty(linear(1), torch.zeros(2, 1, 4, 4), torch.zeros(3, 1, 4, 4))
