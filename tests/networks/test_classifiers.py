"""The classifiers: shapes, sizes, gradients, and what they refuse."""

import pytest
import torch

import monai_gan_aug.published  # noqa: F401  (its classifiers register themselves)
from monai_gan_aug.networks.classifiers import (
    CLASSIFIERS,
    SmallCNN,
    classifier,
    register_classifier,
)

QUICK = ["small_cnn", "efficientnet-b0", "resnet18", "densenet121"]


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("channels", [1, 3])
def test_gives_one_logit_per_class(name, channels):
    network = classifier(name, channels, 3, image_size=32, dropout=0.1).eval()
    assert network(torch.zeros(2, channels, 32, 32)).shape == (2, 3)


@pytest.mark.parametrize("name", QUICK)
def test_gradients_reach_every_parameter(name):
    network = classifier(name, 1, 2, image_size=32, dropout=0.0)
    network(torch.randn(4, 1, 32, 32)).square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("size", [8, 20, 32, 50, 64, 224])
def test_small_cnn_takes_any_size(size):
    network = SmallCNN(1, 2, size).eval()
    images = torch.randn(2, 1, size, size)
    assert network(images).shape == (2, 2)
    assert network.features(images).shape == (2, network.feature_count)


def test_small_cnn_ends_on_a_map_of_about_four_pixels():
    assert [SmallCNN(1, 2, size).feature_count for size in (32, 64)] == [32 * 16, 48 * 16]


def test_same_seed_gives_the_same_weights():
    first, second = (torch.manual_seed(3) and SmallCNN(1, 2, 32) for _ in range(2))
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )


@pytest.mark.parametrize("name", QUICK)
def test_dropout_is_the_one_asked_for(name):
    network = classifier(name, 1, 2, image_size=32, dropout=0.35)
    assert 0.35 in {getattr(module, "p", None) for module in network.modules()}


def test_resnet50_is_the_known_one():
    count = sum(p.numel() for p in classifier("resnet50", 3, 1000, 64).parameters())
    assert count == 25_557_032


def test_every_name_is_there():
    """Other chapters may have registered more, if they were imported before."""
    wanted = {"small_cnn", "resnet18", "resnet50", "densenet121", "discriminator"}
    assert wanted | {f"efficientnet-b{n}" for n in range(8)} <= set(CLASSIFIERS)


@pytest.mark.parametrize(
    ("name", "known"), [("siim_isic", "efficientnet-b3"), ("head_ct", "resnet50")]
)
def test_networks_of_two_systems_are_known_ones(name, known):
    shapes = [
        {key: value.shape for key, value in classifier(n, 3, 2, image_size=64).state_dict().items()}
        for n in (name, known)
    ]
    assert shapes[0] == shapes[1]


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="'small_cnn' is the name"):
        register_classifier("small_cnn")(SmallCNN)


def test_a_discriminator_is_asked_for_by_its_file():
    with pytest.raises(ValueError, match=r"network_discriminator\.yaml"):
        classifier("discriminator", 1, 2, image_size=32)


@pytest.mark.parametrize(
    "arguments", [("vgg", 1, 2, 32), ("small_cnn", 1, 1, 32), ("small_cnn", 0, 2, 32)]
)
def test_refuses_what_cannot_be(arguments):
    with pytest.raises(ValueError, match="got"):
        classifier(*arguments)


def test_refuses_images_smaller_than_eight_pixels():
    with pytest.raises(ValueError, match="at least 8"):
        SmallCNN(1, 2, 4)
