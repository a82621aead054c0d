import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance

from monai_gan_aug.metrics.kernel import kernel_distance


def brute_force(real, fake):
    """Independent double loop, no matrix algebra."""
    k = lambda a, b: (float(a @ b) / len(a) + 1) ** 3
    pairs = lambda s: [k(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j]
    cross = [k(a, b) for a in real for b in fake]
    mean = lambda v: sum(v) / len(v)
    return mean(pairs(real)) + mean(pairs(fake)) - 2 * mean(cross)


def test_matches_brute_force(device):
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(7, 5, generator=rng), torch.randn(4, 5, generator=rng) + 0.5
    got = kernel_distance(real.to(device), fake.to(device)).item()
    assert got == pytest.approx(brute_force(real, fake), rel=1e-5)


def test_is_zero_on_average_for_one_law():
    rng = torch.Generator().manual_seed(0)
    draws = [
        kernel_distance(torch.randn(20, 4, generator=rng), torch.randn(20, 4, generator=rng)).item()
        for _ in range(400)
    ]
    mean, spread = torch.tensor(draws).mean(), torch.tensor(draws).std() / 20
    assert abs(mean) < 4 * spread


@pytest.mark.parametrize(("real", "fake"), [((1, 5), (4, 5)), ((4, 5), (4, 6)), ((4,), (4,))])
def test_rejects_bad_shapes(real, fake):
    with pytest.raises(ValueError, match="got"):
        kernel_distance(torch.zeros(real), torch.zeros(fake))


def test_agrees_with_torchmetrics():
    class Given(torch.nn.Module):
        num_features = 5

        def forward(self, rows):
            return rows

    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(12, 5, generator=rng), torch.randn(12, 5, generator=rng) + 0.5
    outside = KernelInceptionDistance(feature=Given(), subsets=1, subset_size=12, normalize=True)
    outside.update(real, real=True)
    outside.update(fake, real=False)
    expected = outside.compute()[0].item()
    assert kernel_distance(real, fake).item() == pytest.approx(expected, rel=1e-5)
