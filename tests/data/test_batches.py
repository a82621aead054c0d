"""Batch loaders: full batches, exact resume, fixed order for evaluation."""

import numpy as np
import pytest
import torch

from monai_gan_aug.data.batches import BatchLoader, EvaluationLoader
from monai_gan_aug.errors import DataError


class Numbers:
    """A data set whose image is its index."""

    def __init__(self, targets):
        self.targets = np.asarray(targets)

    def __len__(self):
        return len(self.targets)

    def batch(self, indices):
        return {
            "image": torch.as_tensor(np.asarray(indices)),
            "label": torch.as_tensor(self.targets[indices]),
        }


def drawn(loader):
    return [batch["image"].tolist() for batch in loader]


def test_every_batch_is_full_and_their_number_is_steps():
    loader = BatchLoader(Numbers([0] * 10), batch_size=4, steps=7)
    assert len(loader) == 7
    assert [len(one) for one in drawn(loader)] == [4] * 7


def test_passes_follow_each_other_without_a_gap():
    loader = BatchLoader(Numbers([0] * 10), batch_size=4, steps=5)
    flat = [index for batch in drawn(loader) for index in batch]
    assert sorted(flat[:10]) == sorted(flat[10:]) == list(range(10))


def test_batch_may_be_larger_than_the_data_set():
    (one,) = drawn(BatchLoader(Numbers([0, 1, 1]), batch_size=9, steps=1))
    assert np.bincount(one).tolist() == [3, 3, 3]


def test_next_loop_continues_the_stream():
    whole = drawn(BatchLoader(Numbers([0] * 10), 4, steps=6))
    halves = BatchLoader(Numbers([0] * 10), 4, steps=3)
    assert drawn(halves) + drawn(halves) == whole


@pytest.mark.parametrize("balance", ["none", "weighted"])
def test_resumes_exactly(balance):
    data = Numbers([0] * 9 + [1] * 3)
    first = BatchLoader(data, 5, steps=20, balance=balance, seed=7)
    stream = iter(first)
    before = [next(stream)["image"].tolist() for _ in range(8)]
    state = first.state_dict()
    rest = [batch["image"].tolist() for batch in stream]
    second = BatchLoader(data, 5, steps=12, balance=balance, seed=7)
    second.load_state_dict(state)
    assert len(before) == 8
    assert drawn(second) == rest


def test_weighted_batches_have_equal_classes():
    loader = BatchLoader(Numbers([0] * 97 + [1] * 3), 8, steps=5, balance="weighted")
    assert all(batch["label"].float().mean() == 0.5 for batch in loader)


@pytest.mark.parametrize("state", [{}, {"position": -1}, {"position": "3"}, {"position": 1.5}])
def test_damaged_state_is_refused(state):
    with pytest.raises(ValueError, match="position"):
        BatchLoader(Numbers([0]), 1, 1).load_state_dict(state)


@pytest.mark.parametrize("options", [{"batch_size": 0, "steps": 1}, {"batch_size": 1, "steps": 0}])
def test_numbers_below_one_are_refused(options):
    with pytest.raises(ValueError, match="at least 1"):
        BatchLoader(Numbers([0]), **options)


def test_unknown_balance_is_refused():
    with pytest.raises(ValueError, match="balance"):
        BatchLoader(Numbers([0]), 1, 1, balance="synthetic")


def test_empty_data_set_is_refused():
    with pytest.raises(DataError, match="no images"):
        BatchLoader(Numbers([]), 1, 1)


def test_evaluation_is_in_order_and_complete():
    loader = EvaluationLoader(Numbers([0] * 10), batch_size=4)
    assert drawn(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(loader) == 3


@pytest.mark.parametrize("balance", ["none", "weighted"])
@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_together_see_the_batches_of_one(balance, world_size):
    source = Numbers(np.arange(20) % 3)
    whole = drawn(BatchLoader(source, 6, 4, balance=balance, seed=3))
    parts = [
        drawn(BatchLoader(source, 6, 4, balance=balance, seed=3, rank=r, world_size=world_size))
        for r in range(world_size)
    ]
    for batch, *shares in zip(whole, *parts, strict=True):
        assert batch == [index for share in shares for index in share]
        assert {len(share) for share in shares} == {6 // world_size}


@pytest.mark.parametrize(("rank", "world_size"), [(0, 4), (2, 2), (-1, 2)])
def test_a_batch_that_cannot_be_shared_equally_is_refused(rank, world_size):
    with pytest.raises(ValueError, match=f"multiple of the {world_size} processes"):
        BatchLoader(Numbers([0] * 20), 6, 1, rank=rank, world_size=world_size)
