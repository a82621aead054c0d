import numpy as np
import pytest
import torch
from scipy.stats import entropy
from torch import nn
from torch.nn import functional

from monai_gan_aug.data.batches import BatchLoader
from monai_gan_aug.engines.classification import PrepareImages
from monai_gan_aug.engines.semi_supervised import (
    GeneratorSteps,
    SemiSupervisedLoss,
    disagreement,
    prediction_entropy,
    realness,
)
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.networks.classifiers import SmallCNN
from monai_gan_aug.networks.dcgan import Generator


class Unlabelled:
    """Bright images; their labels are out of range, so reading them would fail."""

    targets = np.full(12, 99)

    def __len__(self):
        return 12

    def batch(self, indices):
        pixels = torch.full((len(indices), 1, 16, 16), 230, dtype=torch.uint8)
        return {DataKeys.IMAGE: pixels, DataKeys.LABEL: torch.from_numpy(self.targets[indices])}


def classifier():
    torch.manual_seed(0)
    return SmallCNN(1, 2, image_size=16, dropout=0.0)


def loss_of(network, *, generator=True, **knobs):
    torch.manual_seed(1)
    made = Generator(image_size=16, channels=1, latent_size=8, width=4) if generator else None
    loader = BatchLoader(Unlabelled(), 8, steps=1)
    return SemiSupervisedLoss(
        network, loader, PrepareImages(), made, latent_size=8, learning_rate=1e-2, **knobs
    )


def test_realness_is_the_log_odds_against_one_more_class_with_logit_zero():
    logits = torch.randn(5, 3)
    shares = functional.pad(logits, (0, 1)).softmax(1)
    generated = shares[:, -1]
    assert torch.allclose(realness(logits), torch.log((1 - generated) / generated), atol=1e-5)


def test_entropy_is_scipys():
    logits = torch.randn(7, 4)
    expected = entropy(logits.softmax(1).numpy(), axis=1).mean()
    assert prediction_entropy(logits).item() == pytest.approx(expected, rel=1e-5)


def test_disagreement_is_scipys_divergence_and_moves_one_side_only():
    logits, wanted = torch.randn(7, 4, requires_grad=True), torch.randn(7, 4, requires_grad=True)
    found = disagreement(logits, wanted)
    of_other, of_this = (x.detach().softmax(1).numpy() for x in (wanted, logits))
    assert found.item() == pytest.approx(entropy(of_other, of_this, axis=1).mean(), rel=1e-4)
    found.backward()
    assert wanted.grad is None


def test_only_labelled_images_enter_the_running_statistics():
    network, alone = classifier(), classifier()
    images, targets = torch.randn(8, 1, 16, 16), torch.arange(8) % 2
    loss = loss_of(network, consistency=1.0)
    for _ in range(3):
        loss(network(images), targets)
        loss.step_generator()
        alone(images)
    assert all(torch.equal(*pair) for pair in zip(network.buffers(), alone.buffers(), strict=True))


def test_consistency_costs_nothing_where_views_are_alike():
    network, targets = classifier(), torch.tensor([0, 1])
    logits = network(torch.randn(2, 1, 16, 16))
    plain = loss_of(network, generator=False)(logits, targets)
    consistent = loss_of(network, generator=False, consistency=5.0)(logits, targets)
    assert consistent.item() == pytest.approx(plain.item(), rel=1e-5)


def test_without_weights_it_is_plain_cross_entropy():
    network, targets = classifier(), torch.tensor([0, 1, 1])
    logits = network(torch.randn(3, 1, 16, 16))
    loss = loss_of(network, weight=0.0, entropy=0.0)(logits, targets)
    assert loss.item() == pytest.approx(functional.cross_entropy(logits, targets).item())


def test_the_classifier_learns_that_unlabelled_images_are_real():
    network = classifier()
    loss = loss_of(network)
    adam = torch.optim.Adam(network.parameters(), 1e-2)
    images, targets = torch.randn(8, 1, 16, 16), torch.arange(8) % 2
    for _ in range(60):
        adam.zero_grad()
        loss(network(images), targets).backward()
        adam.step()
    with torch.no_grad():
        real = realness(network(torch.full((4, 1, 16, 16), 230 / 127.5 - 1)))
        generated = realness(network(loss.generator(torch.randn(4, 8))))
    assert real.min() > 0 > generated.max()


def test_the_generator_comes_nearer_to_the_features_and_the_classifier_stays():
    network = classifier()
    loss = loss_of(network)
    loss(network(torch.randn(2, 1, 16, 16)), torch.tensor([0, 1]))
    before = {name: one.clone() for name, one in network.named_parameters()}
    bright, latents = torch.full((8, 1, 16, 16), 230 / 127.5 - 1), torch.randn(64, 8)

    @torch.no_grad()
    def distance():
        generated = network.features(loss.generator(latents)).mean(0)
        return (generated - network.features(bright).mean(0)).abs().mean().item()

    first = distance()
    for _ in range(40):
        loss.step_generator()
    assert distance() < 0.5 * first
    assert all(torch.equal(one, before[name]) for name, one in network.named_parameters())
    assert all(one.requires_grad for one in network.parameters())


def test_a_network_without_features_is_refused():
    with pytest.raises(TypeError, match="--network small_cnn"):
        loss_of(nn.Flatten())


def test_a_step_needs_a_generator_and_a_batch():
    with pytest.raises(RuntimeError, match="no generator"):
        loss_of(classifier(), generator=False).step_generator()


def test_other_losses_get_no_steps():
    GeneratorSteps(nn.CrossEntropyLoss()).attach(None)
    GeneratorSteps(loss_of(classifier(), generator=False)).attach(None)
