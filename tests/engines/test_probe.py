import numpy as np
import pytest
import torch

from monai_gan_aug.engines.probe import KernelDistanceProbe
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.metrics.features import RandomFeatures
from monai_gan_aug.metrics.kernel import kernel_distance


class Copier(torch.nn.Module):
    """Draws the data set itself, or its negative."""

    num_classes = 0

    def __init__(self, images, sign):
        super().__init__()
        self.images, self.sign, self.at = images, sign, 0

    def forward(self, latents):
        self.at += len(latents)
        return self.sign * self.images[self.at - len(latents) : self.at]


class Reals:
    def __init__(self, count=24):
        draw = np.random.default_rng(0)
        self.images = torch.from_numpy(draw.integers(0, 256, (count, 1, 16, 16), dtype=np.uint8))

    def __len__(self):
        return len(self.images)

    def batch(self, indices):
        return {"image": self.images[indices], "label": torch.zeros(len(indices))}


def distance(make_trainer, images, sign, reals):
    trainer = make_trainer(average=False, g_network=Copier(images, sign))
    probe = KernelDistanceProbe(reals, RandomFeatures(1), batch_size=7)
    probe._measure(trainer)
    return trainer.state.metrics["kid"]


def test_equals_the_distance_of_all_features_at_once(make_trainer):
    reals = Reals()
    fakes = torch.randn(24, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    features = RandomFeatures(1)
    signed = reals.images / 127.5 - 1
    expected = kernel_distance(features(signed), features(fakes)).item()
    assert distance(make_trainer, fakes, 1, reals) == pytest.approx(expected, rel=1e-4)


def test_images_that_resemble_the_real_ones_are_nearer(make_trainer):
    reals = Reals()
    signed = reals.images / 127.5 - 1
    near = distance(make_trainer, signed, 1, reals)
    assert near < distance(make_trainer, torch.ones_like(signed), 1, reals)


def test_training_is_the_same_with_and_without(make_trainer, tiny_images, tmp_path):
    def weights(handlers):
        trainer = make_trainer(max_epochs=2, handlers=handlers)
        torch.manual_seed(5)
        trainer.run()
        return list(trainer.g_network.parameters())

    probe = KernelDistanceProbe(tiny_images, RandomFeatures(1))
    folder = RunFolder(tmp_path, best_metric="kid")
    for a, b in zip(weights([folder, probe]), weights([]), strict=True):
        assert torch.equal(a, b)
    assert folder.best.value is not None


def test_needs_two_real_images():
    with pytest.raises(ValueError, match="at least 2 images"):
        KernelDistanceProbe(Reals(1), RandomFeatures(1))
