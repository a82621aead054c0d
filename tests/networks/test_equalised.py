import pytest
import torch
from torch.nn import functional

from monai_gan_aug.networks.blocks import apply_spectral_norm
from monai_gan_aug.networks.equalised import (
    EqualConvolution,
    EqualLinear,
    MinibatchDeviation,
    ModulatedConvolution,
    activated,
)


@pytest.mark.parametrize("rate", [1.0, 0.01])
def test_linear_keeps_the_variance_whatever_its_rate(rate):
    torch.manual_seed(0)
    layer = EqualLinear(512, 256, rate=rate)
    assert layer.weight.std().item() == pytest.approx(1 / rate, rel=0.02)
    assert layer(torch.randn(256, 512)).std().item() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_convolution_keeps_the_variance(kernel_size):
    torch.manual_seed(0)
    layer = EqualConvolution(64, 64, kernel_size)
    out = layer(torch.randn(8, 64, 16, 16))[:, :, 1:-1, 1:-1]
    assert out.std().item() == pytest.approx(1, rel=0.05)


def test_halving_convolution_averages_afterwards():
    layer = EqualConvolution(3, 5, down=True)
    maps = torch.randn(2, 3, 8, 8)
    layer.down = False
    expected = functional.avg_pool2d(layer(maps), 2)
    layer.down = True
    torch.testing.assert_close(layer(maps), expected, rtol=1e-4, atol=1e-5)


def test_activation_keeps_the_second_moment():
    values = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    assert activated(values).square().mean().item() == pytest.approx(1.04, rel=0.02)


@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize("up", [False, True])
def test_modulation_is_one_kernel_per_image(up, demodulate):
    """An independent loop over images with the published formula."""
    torch.manual_seed(0)
    layer = ModulatedConvolution(3, 4, 8, up=up, demodulate=demodulate)
    maps, styles = torch.randn(5, 3, 6, 6), torch.randn(5, 8)
    for image, style, got in zip(maps, styles, layer(maps, styles), strict=True):
        scale = (layer.style.weight @ style) / 8**0.5 + 1
        kernel = layer.weight / 27**0.5 * scale[None, :, None, None]
        if demodulate:
            kernel = kernel / (kernel.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        entering = functional.interpolate(image[None], scale_factor=2) if up else image[None]
        expected = functional.conv2d(entering, kernel, padding=1)[0]
        torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)


def test_deviation_is_the_mean_over_the_group():
    maps = torch.randn(8, 3, 4, 4)
    out = MinibatchDeviation(4)(maps)
    assert torch.equal(out[:, :3], maps)
    for image in range(8):
        group = maps[image % 2 :: 2].double()
        expected = group.std(0, correction=0).mean().item()
        channel = out[image, 3].unique()
        assert len(channel) == 1
        assert channel.item() == pytest.approx(expected, rel=1e-4)


def test_deviation_of_equal_images_is_nothing():
    maps = torch.randn(1, 3, 4, 4).expand(4, -1, -1, -1)
    assert MinibatchDeviation()(maps)[:, 3].max() < 2e-4


def test_a_batch_that_groups_do_not_divide_is_one_group():
    maps = torch.randn(5, 2, 4, 4)
    expected = maps.std(0, correction=0).mean()
    torch.testing.assert_close(MinibatchDeviation(4)(maps)[:, 2].unique()[0], expected)


def test_spectral_norm_takes_the_place_of_the_run_time_factor():
    torch.manual_seed(0)
    layer = apply_spectral_norm(EqualLinear(16, 8))
    for _ in range(50):
        layer(torch.zeros(1, 16))
    layer.eval()
    eye = layer(torch.eye(16)) - layer(torch.zeros(1, 16))
    assert torch.linalg.matrix_norm(eye, 2).item() == pytest.approx(1, rel=0.01)
