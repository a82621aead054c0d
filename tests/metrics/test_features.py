import hashlib

import pytest
import torch
from torch import nn

from monai_gan_aug.metrics.features import ClassifierFeatures, RandomFeatures, ScriptedFeatures
from monai_gan_aug.metrics.kernel import kernel_distance


def striped(count, seed=0):
    """Horizontal (0) and vertical (1) stripes in noise."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    wave = torch.sin(torch.arange(16.0))
    images = torch.randn(count, 1, 16, 16, generator=draw)
    images[labels == 0] += wave[:, None]
    images[labels == 1] += wave[None, :]
    return images / 3, labels


def fitted(seed=0, steps=40):
    return ClassifierFeatures(1, 2, steps=steps, seed=seed).fit(*striped(40))


def test_is_a_function_of_the_seed():
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(RandomFeatures(1, seed=4)(images), RandomFeatures(1, seed=4)(images))
    assert not torch.equal(RandomFeatures(1, seed=4)(images), RandomFeatures(1, seed=5)(images))


def test_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    RandomFeatures(3)
    fitted(steps=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_tells_textures_apart():
    extractor = RandomFeatures(1)
    rng = torch.Generator().manual_seed(0)
    rough = lambda: torch.rand(40, 1, 32, 32, generator=rng) * 2 - 1
    smooth = torch.nn.functional.avg_pool2d(rough(), 5, stride=1, padding=2)
    same = kernel_distance(extractor(rough()), extractor(rough()))
    different = kernel_distance(extractor(rough()), extractor(smooth))
    assert different > 10 * same.abs()


def test_a_fitted_classifier_tells_new_images_apart():
    images, labels = striped(60, seed=1)
    called = fitted().probabilities(images).argmax(1)
    assert (called == labels).float().mean() > 0.9


def test_fitting_is_a_function_of_the_seed():
    images, _ = striped(4, seed=1)
    assert torch.equal(fitted(3, 5)(images), fitted(3, 5)(images))
    assert not torch.equal(fitted(3, 5)(images), fitted(4, 5)(images))


def test_a_class_without_images_cannot_be_learned():
    images, labels = striped(8)
    with pytest.raises(ValueError, match=r"\[4, 4, 0\]"):
        ClassifierFeatures(1, 3).fit(images, labels)


@pytest.fixture
def scripted(tmp_path):
    path = tmp_path / "weights.pt"
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1))
    torch.jit.trace(network, torch.zeros(1, 3, 24, 24)).save(path)
    return path, network


def test_a_scripted_file_gives_its_features_and_its_checksum(scripted):
    path, network = scripted
    extractor = ScriptedFeatures(path, image_size=24)
    images = torch.randn(5, 1, 24, 24)
    expected = network(images.expand(-1, 3, -1, -1)).flatten(1)
    assert torch.allclose(extractor(images), expected, atol=1e-5)
    assert extractor.num_features == 4
    assert extractor.recipe["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_another_checksum_is_refused(scripted):
    with pytest.raises(ValueError, match="fetch the file again"):
        ScriptedFeatures(scripted[0], sha256="0" * 64)


def test_safetensors_weights_fill_their_network(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    make = lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1))
    trained, fresh = make(), make()
    safetensors.save_model(trained, str(tmp_path / "w.safetensors"))
    extractor = ScriptedFeatures(tmp_path / "w.safetensors", fresh, channels=1)
    images = torch.randn(2, 1, 8, 8)
    assert torch.allclose(extractor(images), trained(images).flatten(1))
    with pytest.raises(ValueError, match="give the `network`"):
        ScriptedFeatures(tmp_path / "w.safetensors")
