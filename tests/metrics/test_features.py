import torch

from monai_gan_aug.metrics.features import RandomFeatures
from monai_gan_aug.metrics.kernel import kernel_distance


def test_is_a_function_of_the_seed():
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(RandomFeatures(1, seed=4)(images), RandomFeatures(1, seed=4)(images))
    assert not torch.equal(RandomFeatures(1, seed=4)(images), RandomFeatures(1, seed=5)(images))


def test_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    RandomFeatures(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_tells_textures_apart():
    extractor = RandomFeatures(1)
    rng = torch.Generator().manual_seed(0)
    rough = lambda: torch.rand(40, 1, 32, 32, generator=rng) * 2 - 1
    smooth = torch.nn.functional.avg_pool2d(rough(), 5, stride=1, padding=2)
    same = kernel_distance(extractor(rough()), extractor(rough()))
    different = kernel_distance(extractor(rough()), extractor(smooth))
    assert different > 10 * same.abs()
