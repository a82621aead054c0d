import torch

from monai_gan_aug.networks.stylegan import Discriminator, Generator, Mapping


def test_the_length_of_a_latent_does_not_matter():
    mapping = Mapping(8)
    z = torch.randn(4, 8)
    torch.testing.assert_close(mapping(z), mapping(3 * z), rtol=1e-4, atol=1e-5)


def test_noise_is_fresh_in_training_and_fixed_afterwards():
    torch.manual_seed(0)
    generator = Generator(16, latent_size=8, width=4)
    for name, parameter in generator.named_parameters():
        if name.endswith("strength"):
            parameter.data.fill_(1.0)
    z = torch.randn(1, 8)
    assert not torch.equal(generator(z), generator(z))
    generator.eval()
    assert torch.equal(generator(z), generator(z))


def test_images_are_the_sum_of_pictures_of_all_sizes():
    """Without its finest layers a generator still draws, only coarsely."""
    torch.manual_seed(0)
    generator = Generator(16, latent_size=8, width=4).eval()
    for picture in generator.pictures[1:]:
        picture.convolution.weight.data.zero_()
    image = generator(torch.randn(1, 8))
    coarse = torch.nn.functional.avg_pool2d(image, 4)
    assert coarse.std() > 0
    assert image[0, 0, 0, 0] != image[0, 0, 0, 8]


def test_the_discriminator_sees_that_images_are_alike():
    torch.manual_seed(0)
    network = Discriminator(16, width=4)
    image = torch.randn(1, 1, 16, 16)
    alone = network(image.expand(4, -1, -1, -1))
    among = network(torch.cat([image, 3 * torch.randn(3, 1, 16, 16)]))
    assert (alone[0] - among[0]).abs() > 1e-4
