"""The published systems: numbers of parameters as their sources state them, and shapes."""

import pytest
import torch

from monai_gan_aug.networks import dcgan
from monai_gan_aug.networks.binary import BinaryLogits
from monai_gan_aug.networks.classifiers import classifier
from monai_gan_aug.networks.preactivation import PreactivationResNet
from monai_gan_aug.published import bone_xray, head_ct, malaria, siim_isic


def trainable(network):
    return sum(parameter.numel() for parameter in network.parameters())


def total(network):
    """With the running statistics of the norms, as Keras counts."""
    running = [b for name, b in network.named_buffers() if "running_" in name]
    return trainable(network) + sum(buffer.numel() for buffer in running)


@pytest.mark.parametrize(
    ("network", "arguments", "count"),
    [
        (dcgan.Generator, {"image_size": 64, "channels": 3, "latent_size": 256}, 4_854_656),
        (dcgan.Generator, {"image_size": 128, "channels": 3, "latent_size": 256}, 15_342_464),
        (dcgan.Generator, {"image_size": 64, "channels": 3, "latent_size": 100}, 3_576_704),
        (dcgan.Discriminator, {"image_size": 64, "channels": 3}, 2_765_568),
        (dcgan.Discriminator, {"image_size": 128, "channels": 3}, 11_164_416),
        (dcgan.Discriminator, {"image_size": 64, "channels": 3, "norm": None}, 2_763_776),
        (dcgan.Discriminator, {"image_size": 128, "channels": 3, "norm": None}, 11_160_576),
        (siim_isic.ACGANGenerator, {"image_size": 64}, 19_918_515),
        (siim_isic.ACGANGenerator, {"image_size": 128}, 78_999_219),
        (siim_isic.ACGANDiscriminator, {"image_size": 64}, 104_035),
        (siim_isic.ACGANDiscriminator, {"image_size": 128}, 122_467),
        (head_ct.Generator, {}, 4_870_785),
        (head_ct.Discriminator, {}, 791_169),
        (bone_xray.Generator, {}, 3_979_651),
        (bone_xray.Discriminator, {}, 404_801),
        (bone_xray.Classifier, {}, 13_489),
        (malaria.Generator, {}, 2_041_475),
        (malaria.Discriminator, {}, 1_611_969),
        (malaria.Classifier, {}, 176_290),
        (PreactivationResNet, {}, 2_150_472),
    ],
)
def test_trainable_parameters_are_those_published(network, arguments, count):
    with torch.device("meta"):
        made = network(**arguments)
    assert trainable(made) == count


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (bone_xray.Classifier, 13_585),
        (malaria.Generator, 2_043_011),
        (malaria.Discriminator, 1_613_889),
    ],
)
def test_totals_with_running_statistics_are_those_published(network, count):
    assert total(network()) == count


def test_single_layers_of_s3_are_those_published():
    def layers(network):
        sizes = {}
        for name, parameter in network.named_parameters():
            layer = name.rsplit(".", 1)[0]
            sizes[layer] = sizes.get(layer, 0) + parameter.numel()
        return list(sizes.values())

    assert layers(bone_xray.Generator()) == [1_056_768, 262_272, 524_544, 2_097_664, 38_403]
    assert layers(bone_xray.Discriminator()) == [3_136, 131_200, 262_272, 8_193]


@pytest.mark.parametrize(
    ("module", "size", "channels"), [(head_ct, 32, 1), (bone_xray, 64, 3), (malaria, 64, 3)]
)
def test_unconditional_pairs_agree_on_shapes_and_learn(module, size, channels):
    generator, discriminator = module.Generator(), module.Discriminator()
    images = generator(torch.randn(3, generator.latent_size))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    logits = discriminator(images)
    assert logits.shape == (3,)
    logits.square().sum().backward()
    assert all(p.grad is not None for p in generator.parameters())


@pytest.mark.parametrize("size", [64, 128])
def test_auxiliary_pair_gives_one_logit_and_one_per_class(size):
    generator = siim_isic.ACGANGenerator(size, latent_size=8, num_classes=3)
    discriminator = siim_isic.ACGANDiscriminator(size, num_classes=3)
    images = generator(torch.randn(2, 8), torch.tensor([0, 2]))
    assert images.shape == (2, 3, size, size)
    assert discriminator(images, torch.tensor([0, 2])).shape == (2, 4)


def test_maps_have_the_published_sizes():
    grey = torch.zeros(1, 1, 64, 64)
    sizes = [(layer, grey := layer(grey)) for layer in bone_xray.Classifier().eval().stages]
    assert [tuple(maps.shape[1:]) for _, maps in sizes][::2] == [
        (32, 21, 21),
        (16, 7, 7),
        (16, 2, 2),
    ]
    cells = torch.zeros(1, 3, 64, 64)
    assert malaria.Discriminator().features(cells).flatten(1).shape[1] == 41_472
    assert malaria.Classifier().stages(cells).flatten(1).shape[1] == 2_304


def test_residual_network_has_one_map_of_eight_before_pooling():
    network = PreactivationResNet().eval()
    assert network.blocks(network.stem(torch.zeros(1, 3, 64, 64))).shape == (1, 512, 8, 8)


def test_bottleneck_is_linear_around_its_shortcut():
    """Identity mapping: without a residual a block passes its input on."""
    network = PreactivationResNet(stages=(2,), widths=(8, 16)).eval()
    block = network.blocks[1]
    block.residual[-1].conv.weight.data.zero_()
    maps = torch.randn(2, 16, 4, 4)
    assert torch.equal(block(maps), maps)


def test_two_logits_mean_what_the_sigmoid_means():
    logit = torch.linspace(-5, 5, 11)[:, None]
    assert torch.allclose(BinaryLogits()(logit).softmax(1)[:, 1], logit[:, 0].sigmoid())


def test_colour_is_turned_grey_as_pillow_does():
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).convert("L"), dtype=np.float32)
    ours = bone_xray.to_grey(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())
    assert np.abs(ours[0, 0].numpy() - expected).max() <= 0.51


@pytest.mark.parametrize(
    "network",
    [
        siim_isic.ACGANGenerator,
        siim_isic.ACGANDiscriminator,
        head_ct.Generator,
        head_ct.Discriminator,
        bone_xray.Generator,
        bone_xray.Discriminator,
        malaria.Generator,
        malaria.Discriminator,
    ],
)
def test_sizes_that_do_not_divide_are_refused(network):
    with pytest.raises(ValueError, match="got 33"):
        network(image_size=33)


@pytest.mark.parametrize("network", [bone_xray.Classifier, malaria.Classifier])
def test_classifiers_for_one_size_refuse_others(network):
    with pytest.raises(ValueError, match="64 x 64"):
        network(3)(torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize("name", ["bone_xray", "malaria_cnn", "malaria_resnet"])
def test_published_classifiers_are_known_by_name(name):
    network = classifier(name, 3, 2, image_size=64, dropout=0.3)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 2)
    assert 0.3 in {getattr(module, "p", None) for module in network.modules()}


@pytest.mark.parametrize("arguments", [("bone_xray", 1, 3, 64), ("malaria_cnn", 1, 2, 32)])
def test_published_classifiers_refuse_other_tasks(arguments):
    with pytest.raises(ValueError, match="64 x 64"):
        classifier(*arguments)
