"""The laws every pair of networks obeys, whatever its family."""

import pytest
import torch
from torch import nn

from monai_gan_aug.networks import dcgan, fastgan, resnet, stylegan

FAMILIES = {"dcgan": dcgan, "resnet": resnet, "stylegan": stylegan, "fastgan": fastgan}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
heads = pytest.mark.parametrize("label_head", ["projection", "auxiliary"])


def pair(family, size=16, channels=1, num_classes=0, width=2, **discriminator):
    torch.manual_seed(0)
    return (
        family.Generator(size, channels, 8, width=width, num_classes=num_classes),
        family.Discriminator(size, channels, width, num_classes, **discriminator),
    )


@pytest.mark.parametrize("num_classes", [0, 3])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128, 256])
@every_family
def test_pair_agrees_on_shapes_and_range(family, size, channels, num_classes, device):
    generator, discriminator = pair(family, size, channels, num_classes)
    generator, discriminator = generator.to(device), discriminator.to(device)
    labels = torch.tensor([0, 2], device=device) if num_classes else None
    with torch.no_grad():
        images = generator(torch.randn(2, 8, device=device), labels)
        logits = discriminator(images, labels)
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert logits.shape == (2,)
    assert generator.latent_size == 8
    assert generator.num_classes == discriminator.num_classes == num_classes


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("num_classes", [0, 2])
@every_family
def test_gradients_reach_every_parameter(family, num_classes, spectral):
    generator, discriminator = pair(
        family, 32, num_classes=num_classes, width=4, spectral_norm=spectral
    )
    labels = torch.tensor([0, 1, 1, 0]) if num_classes else None
    images = generator(torch.randn(4, 8), labels)
    total = discriminator(images, labels).square().sum()
    if family is fastgan:
        pairs = discriminator.reconstructions(images.detach())
        total = total + sum((drawn - wanted).abs().sum() for drawn, wanted in pairs)
    total.backward()
    for network in (generator, discriminator):
        assert [n for n, p in network.named_parameters() if p.grad is None] == []
        assert [n for n, p in network.named_parameters() if p.grad.abs().sum() == 0] == []


@heads
@every_family
def test_auxiliary_head_gives_one_more_logit_than_classes(family, label_head):
    _, discriminator = pair(family, num_classes=3, label_head=label_head)
    images, labels = torch.randn(4, 1, 16, 16), torch.tensor([0, 1, 2, 0])
    auxiliary = label_head == "auxiliary"
    assert discriminator.auxiliary == auxiliary
    assert discriminator(images, labels).shape == ((4, 4) if auxiliary else (4,))


@every_family
def test_auxiliary_head_does_not_look_at_the_labels(family):
    _, discriminator = pair(family, num_classes=2, label_head="auxiliary")
    images = torch.randn(4, 1, 16, 16)
    discriminator.eval()
    assert torch.equal(discriminator(images, torch.tensor([0, 1, 0, 1])), discriminator(images))


@every_family
def test_unconditional_auxiliary_is_plain(family):
    _, discriminator = pair(family, num_classes=0, label_head="auxiliary")
    assert not discriminator.auxiliary
    assert discriminator(torch.randn(4, 1, 16, 16)).shape == (4,)


@every_family
def test_the_class_changes_the_image_and_the_logit_once_learned(family):
    generator, discriminator = pair(family, num_classes=2)
    for network in (generator, discriminator):
        for module in network.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight)
    generator.eval(), discriminator.eval()
    z = torch.randn(1, 8)
    zero, one = torch.tensor([0]), torch.tensor([1])
    image = generator(z, zero)
    assert not torch.equal(image, generator(z, one))
    assert discriminator(image, zero) != discriminator(image, one)


@every_family
def test_evaluation_gives_one_image_per_latent(family):
    generator, _ = pair(family)
    generator.eval()
    z = torch.randn(3, 8)
    images = generator(z)
    assert torch.equal(images, generator(z))
    torch.testing.assert_close(generator(z[1:2])[0], images[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["Generator", "Discriminator"])
@every_family
def test_conditional_networks_ask_for_labels(family, name):
    network = dict(zip(("Generator", "Discriminator"), pair(family, num_classes=2), strict=True))
    inputs = torch.randn(2, 8) if name == "Generator" else torch.randn(2, 1, 16, 16)
    with pytest.raises(ValueError, match="conditional on 2 classes"):
        network[name](inputs)


@pytest.mark.parametrize("size", [0, 4, 48, 63])
@pytest.mark.parametrize("name", ["Generator", "Discriminator"])
@every_family
def test_rejects_sizes_that_do_not_halve(family, name, size):
    with pytest.raises(ValueError, match=f"got {size}"):
        getattr(family, name)(image_size=size)


@every_family
def test_rejects_an_unknown_label_head(family):
    with pytest.raises(ValueError, match="got 'guess'"):
        family.Discriminator(16, width=2, num_classes=2, label_head="guess")


@every_family
def test_width_scales_the_features(family):
    """Twice the width: about four times the parameters of the convolutions."""
    narrow, wide = (
        sum(p.numel() for p in family.Discriminator(32, width=width).parameters())
        for width in (16, 32)
    )
    assert 3.5 < wide / narrow < 4.1


@every_family
def test_a_gradient_penalty_can_be_differentiated(family):
    _, discriminator = pair(family, num_classes=2, width=4)
    images = torch.randn(4, 1, 16, 16, requires_grad=True)
    logits = discriminator(images, torch.tensor([0, 1, 0, 1]))
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    gradient.square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in discriminator.parameters())
