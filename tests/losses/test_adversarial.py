import math

import pytest
import torch

from monai_gan_aug.losses.adversarial import KINDS, DiscriminatorLoss, GeneratorLoss

REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


BY_HAND = {
    "bce": lambda r, f: (
        -mean(math.log(sigmoid(x)) for x in r) - mean(math.log(1 - sigmoid(x)) for x in f)
    ),
    "least_squares": lambda r, f: mean((x - 1) ** 2 for x in r) + mean(x**2 for x in f),
    "hinge": lambda r, f: mean(max(0, 1 - x) for x in r) + mean(max(0, 1 + x) for x in f),
    "wasserstein": lambda r, f: mean(f) - mean(r),
}


@pytest.mark.parametrize("kind", KINDS)
def test_discriminator_loss_by_hand(kind):
    got = DiscriminatorLoss(kind)(REAL, FAKE).item()
    assert got == pytest.approx(BY_HAND[kind](REAL.tolist(), FAKE.tolist()))


@pytest.mark.parametrize("kind", KINDS)
def test_real_is_real_and_fake_is_fake(kind):
    loss = DiscriminatorLoss(kind)
    assert loss(torch.tensor([1.0]), torch.tensor([-1.0])) < loss(
        torch.tensor([-1.0]), torch.tensor([1.0])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_generator_gains_from_logits_of_real(kind):
    loss = GeneratorLoss(kind)
    assert loss(torch.tensor([0.5])) < loss(torch.tensor([-0.5]))


def test_smoothing_moves_the_optimum_to_its_target():
    loss = DiscriminatorLoss("bce", label_smoothing=0.1)
    logits = torch.linspace(-4, 6, 4001)
    values = torch.stack([loss(x[None], torch.tensor([-20.0])) for x in logits])
    assert torch.sigmoid(logits[values.argmin()]).item() == pytest.approx(0.9, abs=1e-3)


def test_flipping_swaps_the_expected_share():
    torch.manual_seed(0)
    loss = DiscriminatorLoss("least_squares", flip_probability=0.25)
    ones, zeros = torch.ones(20_000), torch.zeros(20_000)
    assert loss(ones, zeros).item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("loss", [GeneratorLoss, DiscriminatorLoss])
def test_rejects_an_unknown_kind(loss):
    with pytest.raises(ValueError, match="got 'bec'"):
        loss("bec")


@pytest.mark.parametrize(
    "arguments", [{"label_smoothing": 0.5}, {"kind": "hinge", "flip_probability": 0.1}]
)
def test_rejects_settings_that_mean_nothing(arguments):
    with pytest.raises(ValueError, match=r"must be in|needs targets"):
        DiscriminatorLoss(**arguments)
