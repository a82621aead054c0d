"""Pairs that correlate: the same as by a double loop, whatever way they are found."""

import numpy as np
import pytest

from monai_gan_aug.data import similarity
from monai_gan_aug.data.similarity import correlated_pairs
from monai_gan_aug.errors import DataError


def hills(count, seed=0):
    """Smooth random images of 24 x 24 with a common shape, as those of one body part are."""
    draw = np.random.default_rng(seed)
    waves = np.cos(np.outer(np.arange(24), np.arange(12)) * np.pi / 24) / (1 + np.arange(12)) ** 1.5
    images = np.einsum("hk,nkl,wl->nhw", waves, draw.normal(size=(count, 12, 12)), waves)
    return (images + 2 * images[0]).reshape(count, -1).astype(np.float32)


def double_loop(vectors, threshold):
    table = np.corrcoef(vectors.astype(np.float64))
    return [tuple(map(int, pair)) for pair in np.argwhere(np.triu(table >= threshold, k=1))]


@pytest.mark.parametrize("block", [7, 64, 1000])
@pytest.mark.parametrize("threshold", [0.7, 0.95, 0.995])
def test_pairs_are_those_of_a_double_loop(block, threshold):
    vectors = np.concatenate((hills(150), hills(10) * 3 + 1e-3 * hills(10, seed=1)))
    expected = double_loop(vectors, threshold)
    assert expected
    assert correlated_pairs(vectors, threshold, block=block) == expected


def test_noise_without_common_directions_is_searched_too():
    noise = np.random.default_rng(0).normal(size=(120, 300))
    noise[100] = noise[7] * 5 + 0.01 * noise[8]
    assert correlated_pairs(noise, 0.99, block=50) == [(7, 100)]


def test_few_dimensions():
    vectors = np.random.default_rng(0).normal(size=(70, 5))
    assert correlated_pairs(vectors, 0.9, block=16) == double_loop(vectors, 0.9)


def test_constant_rows_correlate_with_nothing():
    assert correlated_pairs(np.ones((5, 60)), 0.5) == []


def test_images_that_are_all_alike_are_refused_before_memory_is_full(monkeypatch):
    monkeypatch.setattr(similarity, "MAX_PAIRS", 100)
    with pytest.raises(DataError, match="nearly all alike"):
        correlated_pairs(np.tile(np.arange(60.0), (100, 1)), 0.99, block=10)


def test_input_is_kept():
    vectors = hills(5)
    before = vectors.copy()
    correlated_pairs(vectors, 0.9)
    np.testing.assert_array_equal(vectors, before)


@pytest.mark.parametrize("threshold", [0, 1.5])
def test_threshold_must_be_a_correlation(threshold):
    with pytest.raises(ValueError, match="threshold"):
        correlated_pairs(np.eye(3), threshold)
