import math

import pytest
import torch

from monai_gan_aug.metrics.diversity import mean_pairwise_distance


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
