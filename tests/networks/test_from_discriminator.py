"""Classifiers made of discriminators: every family, one image at a time, weights left alone."""

import pytest
import torch
from torch import nn

from monai_gan_aug.networks import dcgan, fastgan, resnet, stylegan
from monai_gan_aug.networks.from_discriminator import DiscriminatorClassifier, parameter_groups

FAMILIES = {"dcgan": dcgan, "resnet": resnet, "stylegan": stylegan, "fastgan": fastgan}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def build(family, levels=1, size=32, channels=1, **knobs):
    torch.manual_seed(0)
    discriminator = family.Discriminator(size, channels, 4, num_classes=2)
    return DiscriminatorClassifier(
        discriminator, 3, image_size=size, channels=channels, levels=levels, **knobs
    )


@pytest.mark.parametrize("channels", [1, 3])
@every_family
def test_images_become_logits(family, channels):
    network = build(family, channels=channels)
    assert network(torch.randn(4, channels, 32, 32)).shape == (4, 3)
    assert network.features(torch.randn(4, channels, 32, 32)).shape == (4, network.feature_count)


@every_family
def test_a_prediction_depends_on_its_own_image_alone(family):
    network = build(family).eval()
    images = torch.randn(4, 1, 32, 32)
    with torch.no_grad():
        together, alone = network(images), network(images[2:3])
    torch.testing.assert_close(together[2:3], alone, atol=1e-5, rtol=1e-4)


@every_family
def test_the_state_of_the_discriminator_is_that_of_the_family(family):
    whole = family.Discriminator(32, 1, 4, num_classes=2).state_dict()
    assert build(family).discriminator.state_dict().keys() == whole.keys()


@every_family
def test_building_it_changes_no_weight_or_statistic(family):
    torch.manual_seed(0)
    fresh = family.Discriminator(32, 1, 4, num_classes=2).state_dict()
    found = build(family).discriminator.state_dict()
    assert all(torch.equal(found[name], value) for name, value in fresh.items())


@every_family
def test_gradients_reach_the_first_layer(family):
    network = build(family)
    network(torch.randn(4, 1, 32, 32)).square().sum().backward()
    first = next(p for p in network.discriminator.parameters() if p.ndim == 4)
    assert first.grad is not None
    assert first.grad.abs().sum() > 0


@every_family
def test_more_levels_put_finer_features_beside_the_coarsest(family):
    one, two = build(family).eval(), build(family, levels=2).eval()
    two.discriminator.load_state_dict(one.discriminator.state_dict())
    images = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(
            two.features(images)[:, : one.feature_count], one.features(images)
        )
    assert two.feature_count > one.feature_count


@pytest.mark.parametrize("grid", [1, 2, 4])
def test_the_grid_decides_how_much_of_the_place_is_kept(grid):
    assert build(dcgan, grid=grid).feature_count == 16 * grid**2


def test_too_many_levels_are_refused_with_the_number_there_is():
    with pytest.raises(ValueError, match="at most"):
        build(dcgan, levels=9)


def test_a_network_without_features_is_refused():
    with pytest.raises(TypeError, match="features"):
        DiscriminatorClassifier(nn.Linear(2, 2), 2, image_size=8)


def test_the_body_may_learn_more_slowly():
    network = build(dcgan)
    head, body = parameter_groups(network, 1e-3, 0.1)
    assert (head["lr"], body["lr"]) == (1e-3, pytest.approx(1e-4))
    counted = [id(p) for group in (head, body) for p in group["params"]]
    assert sorted(counted) == sorted(id(p) for p in network.parameters())


def test_other_networks_learn_at_one_rate():
    (group,) = parameter_groups(nn.Linear(2, 2), 1e-3, 0.1)
    assert (group["lr"], len(group["params"])) == (1e-3, 2)
