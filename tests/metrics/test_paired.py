import piqa
import pytest
import torch

from monai_gan_aug.metrics.paired import PAIRED, paired_metric, paired_values


def pairs(side=64, channels=3, noise=0.2):
    draw = torch.Generator().manual_seed(0)
    real = torch.rand(4, channels, side, side, generator=draw)
    real = torch.nn.functional.avg_pool2d(real, 3, 1, 1) * 2 - 1
    return real, (real + noise * torch.randn(real.shape, generator=draw)).clamp(-1, 1)


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("psnr", piqa.PSNR),
        ("ssim", piqa.SSIM),
        ("gmsd", piqa.GMSD),
        ("ms_gmsd", piqa.MS_GMSD),
        ("haar_psi", piqa.HaarPSI),
        ("mdsi", piqa.MDSI),
    ],
)
def test_is_piqa_on_the_unit_range(name, outside):
    real, fake = pairs()
    unit = [(one + 1) / 2 for one in (real, fake)]
    measure = outside(reduction="none")
    expected = torch.cat([measure(a[None], b[None]) for a, b in zip(*unit, strict=True)])
    assert torch.allclose(paired_values(name, real, fake), expected, atol=1e-5)


def test_large_images_get_all_scales_of_ms_ssim():
    real, fake = pairs(side=161)
    unit = [(one + 1) / 2 for one in (real, fake)]
    expected = piqa.MS_SSIM(reduction="none")(*unit)
    assert torch.allclose(paired_values("ms_ssim", real, fake), expected, atol=1e-4)


@pytest.mark.parametrize("name", PAIRED)
def test_the_arrow_points_to_the_original(name):
    real, little = pairs(32, 1, 0.05)
    much = pairs(32, 1, 0.8)[1]
    near, far = (paired_values(name, real, fake).mean() for fake in (little, much))
    assert (near < far) == PAIRED[name].lower_is_better


def test_a_pair_has_its_value_whatever_its_neighbours():
    real, fake = pairs(32, 1)
    for name in PAIRED:
        alone = paired_values(name, real[:1], fake[:1])
        assert torch.allclose(alone, paired_values(name, real, fake)[:1], atol=1e-5), name


def test_small_images_say_why_they_are_left_out():
    module, recipe = paired_metric("ms_ssim", 1, 16)
    assert module is None
    assert "16 px" in recipe["left_out"]
    with pytest.raises(ValueError, match="needs larger images"):
        paired_values("ms_ssim", *pairs(16, 1))


def test_fewer_scales_are_recorded():
    assert paired_metric("ms_ssim", 1, 32)[1]["scales"].startswith("2 of 5")


def test_rejects_pairs_of_different_shapes():
    with pytest.raises(ValueError, match="got"):
        paired_values("psnr", torch.zeros(2, 1, 8, 8), torch.zeros(3, 1, 8, 8))
