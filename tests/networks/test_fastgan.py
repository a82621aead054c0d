import pytest
import torch

from monai_gan_aug.networks.fastgan import Discriminator, Generator, SkipLayerExcitation


def test_excitation_weighs_channels_between_nothing_and_all():
    torch.manual_seed(0)
    layer = SkipLayerExcitation(6, 3)
    fine = torch.ones(2, 3, 32, 32)
    weights = layer(torch.randn(2, 6, 8, 8), fine)
    per_channel = weights.flatten(2)
    assert torch.equal(per_channel.amin(2), per_channel.amax(2))
    assert ((per_channel > 0) & (per_channel < 1)).all()


@pytest.mark.parametrize(("size", "excited"), [(16, []), (32, ["32"]), (128, ["32", "64", "128"])])
def test_fine_maps_are_excited(size, excited):
    generator = Generator(size, latent_size=8, width=2)
    assert list(generator.excitations) == excited


@pytest.mark.parametrize("size", [16, 32, 64])
def test_reconstructions_stand_beside_what_they_should_be(size):
    network = Discriminator(size, 3, width=4)
    images = torch.rand(2, 3, size, size) * 2 - 1
    pairs = network.reconstructions(images)
    assert len(pairs) == (1 if size == 16 else 2)
    for drawn, wanted in pairs:
        assert drawn.shape == wanted.shape
        assert drawn.abs().max() <= 1
    small = torch.nn.functional.adaptive_avg_pool2d(images, pairs[0][1].shape[-2:])
    torch.testing.assert_close(pairs[0][1], small)


def test_a_part_is_a_quarter_of_the_image():
    torch.manual_seed(0)
    images = torch.rand(1, 1, 32, 32)
    _, wanted = Discriminator(32, width=4).reconstructions(images)[1]
    quarters = [images[..., y : y + 16, x : x + 16] for y in (0, 16) for x in (0, 16)]
    assert any(torch.allclose(wanted, quarter) for quarter in quarters)


def test_rejects_images_too_small_to_decode():
    with pytest.raises(ValueError, match="got 8"):
        Discriminator(8)
