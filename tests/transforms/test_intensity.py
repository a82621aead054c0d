"""Intensity maps: laws, inverses and the standard's own formula."""

import numpy as np
import pytest
import torch
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from monai_gan_aug.transforms.intensity import (
    ScalePercentile,
    ScalePercentiled,
    WindowIntensity,
    WindowIntensityd,
    from_signed,
    to_signed,
)

KINDS = {8: (np.uint8, torch.uint8), 16: (np.uint16, torch.uint16)}


@pytest.mark.parametrize("bits", [8, 16])
def test_signed_range_is_inverted_exactly_on_every_integer(bits):
    integers = np.arange(2**bits).astype(KINDS[bits][0])
    signed = to_signed(integers)
    assert (signed.min(), signed.max(), signed.dtype) == (-1, 1, np.float32)
    np.testing.assert_array_equal(from_signed(signed, bits), integers)


@pytest.mark.parametrize("bits", [8, 16])
def test_signed_range_is_the_same_in_torch(bits, device):
    integers = np.arange(2**bits).astype(KINDS[bits][0])
    tensor = torch.from_numpy(integers).to(device)
    signed = to_signed(tensor)
    np.testing.assert_allclose(signed.cpu().numpy(), to_signed(integers), atol=1e-6)
    back = from_signed(signed, bits)
    assert back.dtype == KINDS[bits][1]
    np.testing.assert_array_equal(back.cpu().numpy(), integers)


def test_quantising_clips_and_rounds_to_the_nearest():
    values = np.array([-5.0, -1.0, -0.997, 0.999, 1.0, 7.0])
    np.testing.assert_array_equal(from_signed(values, 8), [0, 0, 0, 255, 255, 255])
    np.testing.assert_array_equal(from_signed(torch.tensor(values), 8), [0, 0, 0, 255, 255, 255])


@pytest.mark.parametrize("bad", [np.array([np.nan]), torch.tensor([float("inf")])])
def test_quantising_refuses_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        from_signed(bad, 8)


def test_signed_range_refuses_other_types():
    with pytest.raises(TypeError, match="uint8"):
        to_signed(np.zeros(3))
    with pytest.raises(ValueError, match="bits"):
        from_signed(np.zeros(3), 12)


@pytest.mark.parametrize("window", [(40, 80), (-600.5, 1500), (0, 2)])
def test_window_equals_pydicom(window):
    dataset = Dataset()
    dataset.WindowCenter, dataset.WindowWidth = window
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsStored, dataset.PixelRepresentation = 16, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    values = np.arange(-3000, 3000, 7, dtype=np.int16)
    shown = apply_windowing(values, dataset)
    got = WindowIntensity(*window)(values.astype(np.float64))
    np.testing.assert_allclose(got, (shown + 32768) / 65535, atol=1e-9)


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_window_is_inverted_exactly_inside(make):
    values = make(np.linspace(0.5, 79, 50))
    window = WindowIntensity(40, 80)
    np.testing.assert_allclose(window.inverse(window(values)), values, atol=1e-9)


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize("transform", [WindowIntensity(3, 5), ScalePercentile(10, 90)])
def test_input_is_kept_and_kind_returned(make, transform):
    values = make(np.arange(10, dtype=np.float32).reshape(1, 2, 5))
    before = np.asarray(values).copy()
    out = transform(values)
    assert type(out) is type(values)
    assert out is not values
    np.testing.assert_array_equal(np.asarray(values), before)
    assert 0 <= out.min() < out.max() <= 1


def test_window_accepts_integers():
    np.testing.assert_allclose(WindowIntensity(40, 81)(np.array([0, 80])), [0.00625, 1], atol=0.01)


@pytest.mark.parametrize("width", [1, 0, -3, float("nan")])
def test_window_refuses_a_step(width):
    with pytest.raises(ValueError, match="width"):
        WindowIntensity(40, width)


def test_percentiles_do_not_depend_on_scale_or_offset():
    values = np.random.default_rng(0).normal(size=(1, 40, 40))
    scale = ScalePercentile(1, 99)
    np.testing.assert_allclose(scale(values), scale(7 * values - 3), atol=1e-5)
    assert np.isclose((scale(values) == 0).mean(), 0.01, atol=0.002)


def test_constant_image_becomes_zero():
    assert ScalePercentile()(np.full((1, 3, 3), 7.0)).max() == 0
    assert ScalePercentile()(torch.full((1, 3, 3), 7.0)).max() == 0


@pytest.mark.parametrize("high", [1e-45, 2e-38])
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
@pytest.mark.filterwarnings("error")
def test_a_range_too_small_to_divide_by_does_not_overflow(high, kind):
    image = np.zeros((1, 4, 100), np.float32)
    image[0, 0, :50] = high
    image[0, 3, 0] = 1e30
    scaled = np.asarray(ScalePercentile(0, 99)(kind(image)))
    assert np.isfinite(scaled).all()
    assert scaled.min() == 0
    assert scaled.max() <= 1


@pytest.mark.parametrize("pair", [(5, 5), (-1, 50), (50, 101)])
def test_percentiles_must_be_ordered(pair):
    with pytest.raises(ValueError, match="Percentiles"):
        ScalePercentile(*pair)


def test_dictionary_classes_change_their_keys_only():
    data = {"image": np.array([[[0.0, 40.0, 80.0]]]), "other": np.array([1.0])}
    for transform, plain in (
        (WindowIntensityd("image", 40, 80), WindowIntensity(40, 80)),
        (ScalePercentiled("image"), ScalePercentile()),
    ):
        out = transform(data)
        np.testing.assert_array_equal(out["image"], plain(data["image"]))
        assert out["other"] is data["other"]
        assert data["image"].max() == 80


def test_dictionary_window_is_inverted():
    transform = WindowIntensityd("image", 40, 80)
    data = {"image": np.array([[[10.0, 40.0, 70.0]]])}
    np.testing.assert_allclose(transform.inverse(transform(data))["image"], data["image"])
