import math

import pytest
import torch

from monai_gan_aug.metrics.diversity import (
    mean_pairwise_distance,
    pairwise_similarity,
    vendi_score,
)


def test_matches_a_double_loop(device):
    rows = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    distances = [math.dist(rows[i].tolist(), rows[j].tolist()) for i in range(6) for j in range(i)]
    got = mean_pairwise_distance(rows.to(device)).item()
    assert got == pytest.approx(sum(distances) / len(distances), rel=1e-5)


def test_repeating_one_image_is_no_diversity():
    assert mean_pairwise_distance(torch.ones(5, 3)).item() == 0


@pytest.mark.parametrize("shape", [(1, 3), (4,), (2, 3, 4)])
def test_rejects_bad_shapes(shape):
    with pytest.raises(ValueError, match="got"):
        mean_pairwise_distance(torch.zeros(shape))


def test_vendi_counts_orthogonal_kinds():
    """Opposite rows have likeness 0: two kinds, however often each occurs."""
    rows = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).repeat(5, 1)
    assert vendi_score(rows).item() == pytest.approx(2, rel=1e-6)


def test_vendi_of_unequal_kinds_is_the_exponential_entropy():
    rows = torch.tensor([[1.0, 0.0]] * 3 + [[-1.0, 0.0]])
    expected = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert vendi_score(rows).item() == pytest.approx(expected, rel=1e-6)


def test_likeness_of_copies_is_one_and_classes_are_kept_apart():
    draw = torch.Generator().manual_seed(0)
    two = torch.rand(2, 1, 16, 16, generator=draw) * 2 - 1
    labels = torch.arange(10) % 2
    assert pairwise_similarity(two[labels], labels, "ssim", pairs=20).item() == pytest.approx(1)


def test_likeness_needs_pairs():
    with pytest.raises(ValueError, match="no class with two"):
        pairwise_similarity(torch.zeros(2, 1, 16, 16), torch.tensor([0, 1]), "ssim")
