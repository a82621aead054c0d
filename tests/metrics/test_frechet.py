import pytest
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance

from monai_gan_aug.metrics.frechet import frechet_distance, frechet_limit, memorisation_informed


class Given(nn.Module):
    """Features that are already there."""

    num_features = 6

    def forward(self, rows):
        return rows


def sets(real=40, fake=30, width=6, shift=0.5, seed=0):
    draw = torch.Generator().manual_seed(seed)
    spread = torch.linspace(0.5, 2, width)
    return (
        torch.randn(real, width, generator=draw).double() * spread,
        torch.randn(fake, width, generator=draw).double() + shift,
    )


def judged(metric, real, fake):
    metric = metric.set_dtype(torch.float64)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return metric.compute().item()


def test_agrees_with_torchmetrics():
    real, fake = sets()
    expected = judged(FrechetInceptionDistance(feature=Given(), normalize=True), real, fake)
    assert frechet_distance(real, fake).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("near", [True, False])
def test_the_memorisation_penalty_agrees_with_torchmetrics(near):
    real, fake = sets()
    fake = real[:30] + 0.05 * fake if near else -fake.abs() + 0 * real[:30] - real[:30].abs()
    metric = MemorizationInformedFrechetInceptionDistance(feature=Given(), normalize=True)
    expected = judged(metric, fake, real)  # it takes the mean over the real images, the paper not
    assert memorisation_informed(real, fake).item() == pytest.approx(expected, rel=1e-5)


def test_copies_are_penalised():
    real, _ = sets()
    copies = real[:30] + 1e-3
    assert memorisation_informed(real, copies) > 10 * frechet_distance(real, copies)


@pytest.mark.parametrize(("real", "fake"), [(5, 4), (5, 40), (40, 5)])
def test_few_rows_give_the_same_as_the_square_root_of_the_product(real, fake):
    real, fake = sets(real, fake, width=12)
    covariances = torch.cov(real.T) @ torch.cov(fake.T)
    root = torch.linalg.eigvals(covariances).real.clamp_min(0).sqrt().sum()
    traces = torch.cov(real.T).trace() + torch.cov(fake.T).trace()
    expected = (real.mean(0) - fake.mean(0)).square().sum() + traces - 2 * root
    assert frechet_distance(real, fake).item() == pytest.approx(expected.item(), rel=1e-5)


def test_is_symmetric_and_zero_for_one_set():
    real, fake = sets()
    assert frechet_distance(real, fake).item() == pytest.approx(frechet_distance(fake, real).item())
    assert abs(frechet_distance(real, real).item()) < 1e-9


def test_grows_as_sets_shrink_and_the_limit_grows_less():
    pairs = [sets(120, 120, width=8, shift=0.0, seed=seed) for seed in range(20)]
    pairs = [(real / torch.linspace(0.5, 2, 8), fake) for real, fake in pairs]
    small = torch.stack([frechet_distance(a[:30], b[:30]) for a, b in pairs]).mean()
    large = torch.stack([frechet_distance(a, b) for a, b in pairs]).mean()
    limit = torch.stack([frechet_limit(a, b) for a, b in pairs]).mean()
    assert small > 3 * large
    assert abs(limit) < 0.3 * large


@pytest.mark.parametrize(("real", "fake"), [((1, 5), (4, 5)), ((4, 5), (4, 6)), ((4,), (4,))])
def test_rejects_bad_shapes(real, fake):
    with pytest.raises(ValueError, match="got"):
        frechet_distance(torch.zeros(real), torch.zeros(fake))
