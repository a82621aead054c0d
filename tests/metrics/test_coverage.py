import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from monai_gan_aug.metrics.coverage import local_density, nearest_rows, prdc


def sets(real=60, fake=50, shift=0.4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(real, 3, generator=draw), torch.randn(fake, 3, generator=draw) + shift


def by_loops(real, fake, k):
    """Independent: scikit-learn's neighbours and plain loops."""
    radius = lambda rows: NearestNeighbors(n_neighbors=k + 1).fit(rows).kneighbors(rows)[0][:, k]
    of_real, of_fake = radius(real), radius(fake)
    distance = lambda a, b: float(np.linalg.norm(a - b))
    inside = [[distance(r, f) <= size for r, size in zip(real, of_real, strict=True)] for f in fake]
    recalled = [
        any(distance(r, f) <= size for f, size in zip(fake, of_fake, strict=True)) for r in real
    ]
    return (
        np.mean([any(row) for row in inside]),
        np.mean(recalled),
        np.mean([sum(row) for row in inside]) / k,
        np.mean([any(column) for column in zip(*inside, strict=True)]),
    )


@pytest.mark.parametrize("k", [1, 5])
def test_agrees_with_plain_loops(k):
    real, fake = sets()
    found = prdc(real, fake, k)
    expected = by_loops(real.numpy(), fake.numpy(), k)
    got = (found.precision, found.recall, found.density, found.coverage)
    assert got == pytest.approx(expected, abs=1e-6)


def test_blocks_do_not_change_the_result(monkeypatch):
    real, fake = sets()
    whole = prdc(real, fake)
    monkeypatch.setattr("monai_gan_aug.metrics.coverage.ROWS_AT_ONCE", 7)
    assert prdc(real, fake) == whole


def test_collapse_keeps_precision_and_loses_recall_and_coverage():
    real, _ = sets(200)
    draw = torch.Generator().manual_seed(1)
    collapsed = real[:1] + 1e-3 * torch.randn(200, 3, generator=draw)
    found = prdc(real, collapsed)
    assert found.precision > 0.95
    assert found.recall < 0.05
    assert found.coverage < 0.1


def test_one_outlier_among_reals_moves_precision_but_hardly_density():
    """The reason for density (Naeem et al., figure 3)."""
    real, _ = sets(100)
    draw = torch.Generator().manual_seed(1)
    far = 8 + 0.1 * torch.randn(100, 3, generator=draw)
    spoilt = torch.cat([real, torch.full((1, 3), 8.0)])
    found = prdc(spoilt, far)
    assert found.precision == 1
    assert found.density < 0.3


def test_local_density_averages_to_the_density():
    real, fake = sets()
    assert local_density(real, fake).mean().item() == pytest.approx(prdc(real, fake).density)


def test_nearest_rows_finds_each_row_of_itself():
    real, _ = sets()
    distances, positions = nearest_rows(real, real.flip(0))
    assert distances.max() < 1e-6
    assert torch.equal(positions, torch.arange(59, -1, -1))


@pytest.mark.parametrize(("real", "fake"), [((5, 3), (9, 3)), ((9, 3), (9, 4)), ((9,), (9,))])
def test_rejects_bad_sets(real, fake):
    with pytest.raises(ValueError, match="got"):
        prdc(torch.zeros(real), torch.zeros(fake), k=5)


@pytest.mark.slow
def test_ten_thousand_images_stay_below_two_gibibytes():
    program = (
        "import resource, torch\n"
        "from monai_gan_aug.metrics.coverage import prdc\n"
        "torch.manual_seed(0)\n"
        "prdc(torch.randn(10_000, 160), torch.randn(10_000, 160))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    scale = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * scale < 2 * 2**30
