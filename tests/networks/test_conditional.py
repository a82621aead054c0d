import pytest
import torch
from torch import nn

from monai_gan_aug.networks.conditional import (
    ConditionalBatchNorm,
    LabelledLatent,
    ProjectionHead,
    accepted_labels,
    call_network,
    class_count,
)
from monai_gan_aug.networks.dcgan import Discriminator, Generator
from monai_gan_aug.networks.unconditional import UnconditionalGenerator


class TakesLabels(nn.Module):
    """Adds its labels to its inputs."""

    num_classes = 2

    def forward(self, inputs, labels):
        return inputs + labels


class TakesNone(nn.Module):
    """A network of another package: no labels, no ``num_classes``."""

    def forward(self, inputs):
        return inputs


LABELS = torch.tensor([0, 1, 1])


def test_a_conditional_network_is_told_the_labels_and_no_other():
    inputs = torch.zeros(3, dtype=torch.long)
    assert call_network(TakesLabels(), inputs, LABELS).tolist() == [0, 1, 1]
    assert call_network(TakesNone(), inputs, LABELS).tolist() == [0, 0, 0]
    assert call_network(TakesNone(), inputs).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("network", "classes"),
    [
        (TakesNone(), 0),
        (UnconditionalGenerator(), 0),
        (Generator(16, width=4), 0),
        (Generator(16, width=4, num_classes=3), 3),
        (Discriminator(16, width=4, num_classes=3), 3),
    ],
)
def test_the_network_says_how_many_classes_it_wants(network, classes):
    assert class_count(network) == classes
    assert len(accepted_labels(network, LABELS)) == (classes > 0)
    assert accepted_labels(network, None) == ()


@pytest.mark.parametrize("conditional", [Generator, Discriminator])
def test_missing_labels_are_an_error(conditional):
    inputs = torch.zeros(2, 128) if conditional is Generator else torch.zeros(2, 1, 16, 16)
    with pytest.raises(ValueError, match="conditional on 2 classes"):
        call_network(conditional(16, width=4, num_classes=2), inputs)


def test_labels_mean_nothing_to_an_unconditional_generator():
    network = Generator(16, latent_size=8, width=4).eval()
    latents = torch.randn(3, 8)
    assert torch.equal(network(latents, LABELS), network(latents))


def test_labelled_latent_scales_each_component_by_that_of_its_class():
    layer = LabelledLatent(3, 6)
    z, labels = torch.randn(5, 6), torch.tensor([0, 2, 2, 1, 0])
    for row, latent, label in zip(layer(z, labels), z, labels, strict=True):
        assert torch.equal(row, latent * layer.embedding.weight[label])


def test_labelled_latent_has_no_mean_to_settle_on():
    layer = LabelledLatent(2, 4)
    z = torch.randn(50_000, 4, generator=torch.Generator().manual_seed(0))
    means = layer(z, torch.zeros(50_000, dtype=torch.long)).mean(0)
    assert means.abs().max() < 0.05


def test_projection_is_an_inner_product_with_pooled_features():
    head = ProjectionHead(2, 3)
    features, labels = torch.randn(4, 3, 2, 2), torch.tensor([0, 1, 1, 0])
    weight = head.embedding.weight.detach()
    expected = [
        sum(float(weight[label, c] * features[i, c].mean()) for c in range(3))
        for i, label in enumerate(labels)
    ]
    torch.testing.assert_close(head(features, labels).detach(), torch.tensor(expected))


@pytest.mark.parametrize("layer", [LabelledLatent, ProjectionHead])
def test_one_class_is_no_condition(layer):
    with pytest.raises(ValueError, match="got 1"):
        layer(1, 4)


def test_appended_embedding_stands_beside_the_latent():
    layer = LabelledLatent(2, 4, "concatenate")
    z, labels = torch.randn(3, 4), torch.tensor([0, 1, 1])
    out = layer(z, labels)
    assert out.shape == (3, layer.out_features)
    assert torch.equal(out[:, :4], z)
    assert torch.equal(out[:, 4:], layer.embedding.weight[labels])


def test_unknown_kind_of_embedding_is_refused():
    with pytest.raises(ValueError, match="got 'add'"):
        LabelledLatent(2, 4, "add")


@pytest.mark.parametrize("training", [True, False])
def test_equal_classes_make_conditional_norm_a_batch_norm(training):
    torch.manual_seed(0)
    layer = ConditionalBatchNorm(3, 2).train(training)
    plain = nn.BatchNorm2d(3).train(training)
    row = torch.randn(6)
    layer.embedding.weight.data[:] = row
    plain.weight.data, plain.bias.data = 1 + row[:3], row[3:].clone()
    maps = torch.randn(4, 3, 5, 5) * 2 + 1
    out = layer(maps, torch.tensor([0, 1, 1, 0]))
    torch.testing.assert_close(out, plain(maps), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(layer.norm.running_mean, plain.running_mean)


def test_every_class_has_its_own_gain_and_offset():
    layer = ConditionalBatchNorm(1, 2).eval()
    layer.embedding.weight.data = torch.tensor([[1.0, 3.0], [0.0, -1.0]])
    out = layer(torch.ones(2, 1, 1, 1), torch.tensor([0, 1])).flatten()
    torch.testing.assert_close(out, torch.tensor([5.0, 0.0]), rtol=1e-4, atol=1e-4)


def test_without_classes_there_is_nothing_to_learn_but_batch_norm():
    assert len(list(ConditionalBatchNorm(3).parameters())) == 2
