from itertools import islice

import torch

from monai_gan_aug.engines.batches import GroupedBatches, prepare_reals


def test_integer_images_become_signed():
    images = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    reals, labels = prepare_reals({"image": images, "label": torch.tensor([1])}, "cpu")
    assert reals.flatten().tolist() == [-1, 1]
    assert labels.tolist() == [1]


def test_floating_point_images_are_left_alone():
    images = torch.rand(2, 1, 4, 4)
    reals, labels = prepare_reals({"reals": images}, "cpu")
    assert torch.equal(reals, images)
    assert labels is None


def test_groups_run_on_where_an_epoch_of_the_loader_ends():
    groups = islice(GroupedBatches(range(5), 3), 4)
    assert list(groups) == [[0, 1, 2], [3, 4, 0], [1, 2, 3], [4, 0, 1]]


def test_an_empty_loader_ends():
    assert list(GroupedBatches([], 2)) == []
