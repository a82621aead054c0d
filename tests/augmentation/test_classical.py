"""The classical augmentation as a whole."""

import pytest
import torch

from monai_gan_aug.augmentation.classical import STRENGTHS, ClassicalAugmentation


@pytest.fixture
def batch(device):
    rng = torch.Generator().manual_seed(0)
    return (torch.rand(6, 3, 16, 16, generator=rng) * 2 - 1).to(device)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_keeps_shape_range_and_input(strength, batch):
    before = batch.clone()
    out = ClassicalAugmentation(strength, flips="both")(batch)
    assert out.shape == batch.shape
    assert out.abs().max() <= 1
    assert torch.equal(batch, before)


def test_none_returns_the_batch_itself(batch):
    assert ClassicalAugmentation("none", flips="both")(batch) is batch


def test_same_seed_gives_the_same_sequence(batch):
    first, second = (ClassicalAugmentation("strong", seed=4) for _ in range(2))
    torch.rand(7)
    assert all(torch.equal(first(batch), second(batch)) for _ in range(3))


def test_images_and_batches_get_draws_of_their_own(batch):
    augment = ClassicalAugmentation("light")
    same = batch[:1].expand(2, -1, -1, -1)
    first, second = augment(same), augment(same)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)


def test_is_independent_of_the_global_generator(batch):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    ClassicalAugmentation("strong")(batch)
    assert torch.equal(torch.get_rng_state(), state)


def test_refuses_unknown_strength():
    with pytest.raises(ValueError, match="'light'"):
        ClassicalAugmentation("huge")
