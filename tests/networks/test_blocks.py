import pytest
import torch
from torch import nn

from monai_gan_aug.networks.blocks import (
    LatentProjection,
    apply_spectral_norm,
    down_block,
    up_block,
)


def test_down_block_is_conv_norm_leaky_relu():
    block = down_block(3, 8, slope=0.1).eval()
    x = torch.randn(2, 3, 16, 16)
    convolved = nn.functional.conv2d(x, block.conv.weight, stride=2, padding=1)
    expected = nn.functional.leaky_relu(convolved / (1 + 1e-5) ** 0.5, 0.1)
    torch.testing.assert_close(block(x), expected)


def test_up_block_without_norm_is_a_transposed_convolution():
    block = up_block(8, 3, norm=None, act=None)
    x = torch.randn(2, 8, 4, 4)
    expected = nn.functional.conv_transpose2d(x, block.conv.weight, stride=2, padding=1)
    torch.testing.assert_close(block(x), expected)


def test_latent_projection_is_a_transposed_convolution_of_one_pixel():
    projection = LatentProjection(6, 5).eval()
    weight = projection.linear.weight.view(5, 4, 4, 6).permute(3, 0, 1, 2)
    z = torch.randn(2, 6)
    expected = nn.functional.conv_transpose2d(z[:, :, None, None], weight)
    torch.testing.assert_close(projection(z), torch.relu(expected / (1 + 1e-5) ** 0.5))


def test_spectral_norm_bounds_every_weight():
    network = apply_spectral_norm(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(4, 4)))
    for _ in range(50):
        weights = [network[0].weight.flatten(1), network[1].weight]
    for weight in weights:
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(3, 8, 4), nn.Conv3d(2, 4, 3), nn.Linear(5, 9)]
)
def test_spectral_norm_divides_by_the_largest_singular_value(layer):
    original = layer.weight.detach().clone()
    axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
    sigma = torch.linalg.matrix_norm(original.transpose(0, axis).flatten(1), 2)
    apply_spectral_norm(layer)
    for _ in range(100):
        weight = layer.weight
    torch.testing.assert_close(weight, original / sigma, rtol=1e-3, atol=1e-4)
