import pytest
import torch
from torch.nn import functional

from monai_gan_aug.networks.image_side import FromImage, ToImage, UpToImage


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


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_up_to_image_is_nearest_doubling_before_the_convolution(channels, bias, device):
    layer = UpToImage(8, channels, bias=bias).to(device)
    x = torch.randn(2, 8, 6, 4, device=device)
    doubled = functional.interpolate(x, scale_factor=2)
    expected = functional.conv2d(doubled, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kind", "even"), [(UpToImage, True), (ToImage, False)])
def test_repeated_pixels_draw_no_lattice_on_even_features(kind, even):
    torch.manual_seed(0)
    inside = kind(8, 1)(torch.ones(1, 8, 6, 6))[..., 2:-2, 2:-2]
    assert bool(inside.std() < 1e-5) is even
