import pytest
import torch

from monai_gan_aug.networks.dcgan import Discriminator, Generator


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("size", "latent", "count"),
    [(64, 256, 4_854_656), (128, 256, 15_342_464), (64, 100, 3_576_704)],
)
def test_generator_has_the_published_number_of_parameters(size, latent, count):
    assert parameters(Generator(size, 3, latent, width=64)) == count


@pytest.mark.parametrize(("size", "count"), [(64, 2_765_568), (128, 11_164_416)])
def test_discriminator_has_the_published_number_of_parameters(size, count):
    assert parameters(Discriminator(size, 3, width=64)) == count


@pytest.mark.parametrize(("size", "count"), [(64, 2_763_776), (128, 11_160_576)])
def test_critic_without_norm_has_the_published_number_of_parameters(size, count):
    network = Discriminator(size, 3, width=64, norm=None)
    assert parameters(network) == count
    assert not list(network.buffers())


@pytest.mark.parametrize("upsample", ["deconv", "nearest"])
@pytest.mark.parametrize("num_classes", [0, 3])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_pair_agrees_on_shapes_and_range(size, channels, num_classes, upsample, device):
    generator = Generator(
        size, channels, 16, width=4, num_classes=num_classes, upsample=upsample
    ).to(device)
    discriminator = Discriminator(size, channels, width=4, num_classes=num_classes).to(device)
    labels = torch.tensor([0, 1], device=device) if num_classes else None
    images = generator(torch.randn(2, 16, device=device), labels)
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert discriminator(images, labels).shape == (2,)


@pytest.mark.parametrize("upsample", ["deconv", "nearest"])
@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("num_classes", [0, 2])
def test_gradients_reach_every_parameter(num_classes, spectral, upsample):
    generator = Generator(16, 1, 8, width=4, num_classes=num_classes, upsample=upsample)
    discriminator = Discriminator(
        16, 1, width=4, num_classes=num_classes, norm=None, spectral_norm=spectral
    )
    labels = torch.tensor([0, 1, 1]) if num_classes else None
    discriminator(generator(torch.randn(3, 8), labels), labels).square().sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_class_changes_the_image_and_the_logit():
    generator = Generator(16, 1, 8, width=4, num_classes=2).eval()
    discriminator = Discriminator(16, 1, width=4, num_classes=2).eval()
    z = torch.randn(1, 8)
    zero, one = torch.tensor([0]), torch.tensor([1])
    assert not torch.equal(generator(z, zero), generator(z, one))
    image = generator(z, zero)
    assert discriminator(image, zero) != discriminator(image, one)


@pytest.mark.parametrize("size", [0, 4, 48, 63])
@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_rejects_sizes_that_do_not_halve(network, size):
    with pytest.raises(ValueError, match=f"got {size}"):
        network(image_size=size)


@pytest.mark.parametrize("num_classes", [0, 2])
def test_volumes_are_as_easy_as_images(num_classes):
    generator = Generator(16, 2, 8, width=4, num_classes=num_classes, spatial_dims=3)
    discriminator = Discriminator(16, 2, width=4, num_classes=num_classes, spatial_dims=3)
    labels = torch.tensor([0, 1, 1]) if num_classes else None
    volumes = generator(torch.randn(3, 8), labels)
    assert volumes.shape == (3, 2, 16, 16, 16)
    logits = discriminator(volumes, labels)
    assert logits.shape == (3,)
    logits.square().sum().backward()
    assert all(p.grad is not None for p in generator.parameters())


def test_an_appended_embedding_widens_the_first_layer():
    multiplied, appended = (
        Generator(16, 1, 8, width=4, num_classes=2, label_embedding=kind)
        for kind in ("multiply", "concatenate")
    )
    assert multiplied.blocks[0].linear.in_features == 8
    assert appended.blocks[0].linear.in_features == 16
    assert appended(torch.randn(2, 8), torch.tensor([0, 1])).shape == (2, 1, 16, 16)


def test_repeated_pixels_need_nine_weights_where_transposed_convolutions_need_sixteen():
    deconv, nearest = (Generator(64, 1, 8, width=8, upsample=u) for u in ("deconv", "nearest"))
    pairs = 64 * 32 + 32 * 16 + 16 * 8 + 8 * 1
    assert parameters(deconv) - parameters(nearest) == 7 * pairs - 1  # one bias


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"upsample": "bilinear"}, "got 'bilinear'"),
        ({"upsample": "nearest"}, "volumes need deconv"),
    ],
)
def test_upsampling_that_is_not_there_is_refused(knobs, message):
    with pytest.raises(ValueError, match=message):
        Generator(16, 1, 8, width=4, spatial_dims=3, **knobs)
