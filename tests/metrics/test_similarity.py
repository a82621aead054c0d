import pytest
import torch

from monai_gan_aug.metrics.similarity import authentic_share, nearest_by_correlation


@pytest.fixture
def images():
    noise = torch.randn(12, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.avg_pool2d(noise, 5, stride=1, padding=2)


CHANGES = {
    "nothing": lambda x: x,
    "shift": lambda x: x.roll((2, -1), (2, 3)),
    "flip": lambda x: x.flip(3),
    "turn": lambda x: x.flip(2, 3),
    "contrast": lambda x: 0.5 * x + 0.3,
}


@pytest.mark.parametrize("typical", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_finds_the_image_whatever_was_done_to_it(images, change, typical):
    mean = images.mean(0) if typical else None
    distances, positions = nearest_by_correlation(CHANGES[change](images), images, typical=mean)
    assert torch.equal(positions, torch.arange(12))
    assert distances.max() < 0.01


def test_a_shift_beyond_the_limit_is_not_followed(images):
    distances, _ = nearest_by_correlation(images.roll(4, 2), images, shift=2)
    assert distances.min() > 0.5


def test_matches_the_correlation_coefficient(images):
    got = nearest_by_correlation(images[:1], images[1:2], shift=0)[0].item()
    flips = [images[0], images[0].flip(1), images[0].flip(2), images[0].flip(1, 2)]
    pairs = [torch.stack([one.flatten(), images[1].flatten()]) for one in flips]
    best = max(torch.corrcoef(pair)[0, 1].item() for pair in pairs)
    assert got == pytest.approx((2 * (1 - best)) ** 0.5, rel=1e-4)


def test_no_image_is_its_own_neighbour_when_asked(images):
    distances, positions = nearest_by_correlation(images, images, others_only=True)
    assert (positions != torch.arange(12)).all()
    assert distances.min() > 0.1


def test_copies_are_not_authentic_and_far_images_are():
    radii = torch.tensor([1.0, 2.0])
    nearest = torch.tensor([0, 1, 1, 0])
    assert authentic_share(torch.tensor([0.1, 0.1, 3.0, 2.0]), nearest, radii) == 0.5


def test_rejects_other_shapes(images):
    with pytest.raises(ValueError, match="got"):
        nearest_by_correlation(images, images[:, :, 1:])
