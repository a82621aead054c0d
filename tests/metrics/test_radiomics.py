import math

import numpy as np
import pytest
import torch
from scipy import stats

from monai_gan_aug.metrics.radiomics import (
    FIRST_ORDER,
    RadiomicsFeatures,
    cooccurrence,
    first_order,
    texture,
)


@pytest.fixture
def grey():
    return torch.rand(3, 12, 10, generator=torch.Generator().manual_seed(0))


def test_first_order_agrees_with_scipy(grey):
    got = dict(zip(FIRST_ORDER, first_order(grey)[1].tolist(), strict=True))
    values = grey[1].flatten().numpy().astype(float)
    shares = np.bincount((values * 16).astype(int), minlength=16) / values.size
    expected = {
        "mean": values.mean(),
        "standard deviation": values.std(),
        "skewness": stats.skew(values),
        "excess kurtosis": stats.kurtosis(values),
        "median": np.median(values),
        "90th percentile": np.percentile(values, 90),
        "interquartile range": stats.iqr(values),
        "entropy": stats.entropy(shares, base=2),
        "uniformity": (shares**2).sum(),
    }
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, abs=1e-4), name


@pytest.mark.parametrize("distance", [1, 2])
def test_cooccurrence_agrees_with_counting(grey, distance):
    levels = (grey[0] * 16).long().tolist()
    total = np.zeros((16, 16))
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        counts = np.zeros((16, 16))
        for row in range(12):
            for column in range(10):
                y, x = row + down * distance, column + right * distance
                if 0 <= y < 12 and 0 <= x < 10:
                    counts[levels[row][column], levels[y][x]] += 1
        counts += counts.T
        total += counts / counts.sum() / 4
    assert np.allclose(cooccurrence(grey, distance)[0].numpy(), total, atol=1e-6)


def test_texture_agrees_with_sums_over_cells(grey):
    matrix = cooccurrence(grey, 1)
    contrast, gap, homogeneity, energy, entropy, correlation = texture(matrix)[0].tolist()
    p = matrix[0].numpy().astype(float)
    i, j = np.mgrid[:16, :16]
    mean = (i * p).sum()
    assert contrast == pytest.approx(((i - j) ** 2 * p).sum(), rel=1e-4)
    assert gap == pytest.approx((abs(i - j) * p).sum(), rel=1e-4)
    assert homogeneity == pytest.approx((p / (1 + (i - j) ** 2)).sum(), rel=1e-4)
    assert energy == pytest.approx((p**2).sum(), rel=1e-4)
    assert entropy == pytest.approx(-sum(v * math.log2(v) for v in p.flat if v > 0), rel=1e-4)
    covariance = ((i - mean) * (j - mean) * p).sum()
    assert correlation == pytest.approx(covariance / ((i - mean) ** 2 * p).sum(), abs=1e-4)


def test_a_constant_image_has_finite_features():
    assert torch.isfinite(RadiomicsFeatures()(torch.zeros(2, 1, 16, 16))).all()


def test_flipping_changes_nothing(grey):
    images = grey[:, None] * 2 - 1
    features = RadiomicsFeatures()
    assert torch.allclose(features(images), features(images.flip(3)), atol=1e-5)


def test_every_feature_has_a_name():
    features = RadiomicsFeatures()
    assert len(set(features.names)) == features.num_features == 23


def test_images_smaller_than_the_distance_are_refused():
    with pytest.raises(ValueError, match="larger than 2 px"):
        RadiomicsFeatures()(torch.zeros(1, 1, 2, 9))
