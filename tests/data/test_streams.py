"""Index streams: pure functions of seed and position with exact shares."""

import numpy as np
import pytest

from monai_gan_aug.data.streams import (
    BalancedStream,
    PermutationStream,
    ToppedUpStream,
    class_streams,
)
from monai_gan_aug.errors import DataError


def test_every_pass_is_a_permutation():
    indices = np.array([4, 8, 15, 16, 23])
    drawn = PermutationStream(indices, [0]).at(np.arange(50)).reshape(10, 5)
    assert (np.sort(drawn, axis=1) == indices).all()
    assert len({tuple(one) for one in drawn}) > 5


def test_any_order_of_asking_gives_the_same_indices():
    stream = PermutationStream(np.arange(7), [3])
    positions = np.random.default_rng(0).permutation(200)
    together = stream.at(np.arange(200))
    one_by_one = [PermutationStream(np.arange(7), [3]).at(np.array([p]))[0] for p in positions]
    np.testing.assert_array_equal(together[positions], one_by_one)


def test_seeds_differ():
    first, second = (PermutationStream(np.arange(50), [s]).at(np.arange(50)) for s in (0, 1))
    assert (first != second).any()


def test_empty_stream_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        PermutationStream(np.array([]), [0])


@pytest.mark.parametrize("batch", [6, 9, 30])
def test_balanced_batches_hold_equal_shares(batch):
    targets = np.array([0] * 90 + [1] * 9 + [2])
    stream = BalancedStream(class_streams(targets, [0]))
    drawn = targets[stream.at(np.arange(10 * batch))].reshape(10, batch)
    assert all((np.bincount(one, minlength=3) == batch / 3).all() for one in drawn)


def test_balanced_draws_use_every_image_of_a_class_equally():
    targets = np.array([0] * 12 + [1] * 3)
    drawn = BalancedStream(class_streams(targets, [0])).at(np.arange(2 * 24))
    counts = np.bincount(drawn, minlength=15)
    assert (counts[:12] == 2).all()
    assert (counts[12:] == 8).all()


def test_topping_up_shows_every_real_image_once_per_pass():
    stream = ToppedUpStream(np.array([2, 5]), np.arange(30), total=6, offset=100, seed=[0])
    for one in stream.at(np.arange(10 * 6)).reshape(10, 6):
        assert sorted(one[one < 100]) == [2, 5]
        assert (one >= 100).sum() == 4


def test_topping_up_walks_through_all_synthetic_images():
    stream = ToppedUpStream(np.array([2, 5]), np.arange(8), total=6, offset=100, seed=[0])
    drawn = stream.at(np.arange(2 * 6))
    assert sorted(drawn[drawn >= 100]) == list(range(100, 108))


def test_topping_up_without_synthetic_images_is_refused():
    with pytest.raises(DataError, match="generate"):
        ToppedUpStream(np.array([2]), np.array([], dtype=int), total=3, offset=9, seed=[0])
