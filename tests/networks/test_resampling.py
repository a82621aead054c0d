import pytest
import torch
from torch.nn import functional

from monai_gan_aug.networks.resampling import DownConvolution, UpConvolution


@pytest.mark.parametrize("bias", [False, True])
def test_up_is_nearest_doubling_before_the_convolution(bias, device):
    layer = UpConvolution(3, 5, bias=bias).to(device)
    maps = torch.randn(2, 3, 6, 4, device=device)
    doubled = functional.interpolate(maps, scale_factor=2)
    expected = functional.conv2d(doubled, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(maps), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bias", [False, True])
def test_down_is_averaging_after_the_convolution(bias, device):
    layer = DownConvolution(3, 5, bias=bias).to(device)
    maps = torch.randn(2, 3, 6, 4, device=device)
    convolved = functional.conv2d(maps, layer.weight, layer.bias, padding=1)
    expected = functional.avg_pool2d(convolved, 2)
    torch.testing.assert_close(layer(maps), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [UpConvolution, DownConvolution])
def test_maps_keep_the_storage_of_the_weights(kind):
    maps = torch.randn(2, 4, 8, 8)
    plain, last = kind(4, 6), kind(4, 6).to(memory_format=torch.channels_last)
    assert plain(maps).is_contiguous()
    maps = maps.contiguous(memory_format=torch.channels_last)
    assert last(maps).is_contiguous(memory_format=torch.channels_last)
