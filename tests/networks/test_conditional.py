import pytest
import torch

from monai_gan_aug.networks.conditional import LabelledLatent, ProjectionHead, required_labels


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


def test_missing_labels_are_an_error():
    with pytest.raises(ValueError, match="conditional on 2 classes"):
        required_labels(None, 2, "generator")
