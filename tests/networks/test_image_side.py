import pytest
import torch
from torch.nn import functional

from monai_gan_aug.networks.image_side import FromImage, ToImage


@pytest.mark.parametrize("channels", [1, 3])
def test_from_image_is_the_strided_convolution(channels, device):
    layer = FromImage(channels, 8).to(device)
    x = torch.randn(2, channels, 16, 24, device=device)
    expected = functional.conv2d(x, layer.weight, stride=2, padding=1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_to_image_is_the_transposed_convolution(channels, device):
    layer = ToImage(8, channels).to(device)
    x = torch.randn(2, 8, 6, 4, device=device)
    expected = functional.conv_transpose2d(x, layer.weight, stride=2, padding=1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)
