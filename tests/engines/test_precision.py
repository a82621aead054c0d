import copy

import pytest
import torch
from torch import nn

from monai_gan_aug.engines import precision
from monai_gan_aug.engines.precision import cpu_has_bfloat16, resolve_precision
from monai_gan_aug.engines.sides import Side
from monai_gan_aug.engines.steps import Precision, discriminator_step
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.losses.adversarial import DiscriminatorLoss

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "there"),
    [
        ("flags : fpu avx512f avx512_vnni", False),
        ("flags : fpu avx512f avx512_bf16", True),
        ("flags : fpu amx_bf16 amx_tile", True),
        ("Features : fp asimd bf16 i8mm", True),
        ("", False),
    ],
)
def test_what_linux_says_about_the_processor_decides(tmp_path, flags, there):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\n{flags}\n")
    assert cpu_has_bfloat16(tmp_path / "cpuinfo") == there


def test_a_system_that_says_nothing_has_none(tmp_path):
    assert not cpu_has_bfloat16(tmp_path / "absent")


@pytest.mark.parametrize(
    ("has", "expected"), [(True, (True, {"dtype": torch.bfloat16})), (False, (False, {}))]
)
def test_auto_uses_bfloat16_where_it_is_there(monkeypatch, has, expected):
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: has)
    assert resolve_precision("auto", None, CPU) == expected


def test_bfloat16_without_hardware_is_allowed_with_a_warning(monkeypatch, caplog):
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: False)
    assert resolve_precision("bf16", None, CPU) == (True, {"dtype": torch.bfloat16})
    assert "slower than --amp False" in caplog.text


def test_half_precision_on_a_cpu_is_refused():
    with pytest.raises(ValueError, match="needs a GPU"):
        resolve_precision("fp16", None, CPU)


def test_half_precision_on_a_gpu_is_meant_literally():
    on, kwargs = resolve_precision("fp16", None, torch.device("cuda"))
    assert on
    assert kwargs["dtype"] == torch.float16


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match=r"one of .* got 'fp8'"):
        resolve_precision("fp8", None, CPU)


@pytest.mark.parametrize("amp", [True, False])
def test_the_flag_of_monai_keeps_its_meaning(amp):
    kwargs = {"dtype": torch.bfloat16}
    assert resolve_precision(amp, kwargs, CPU) == (amp, kwargs)


def test_a_trainer_in_bfloat16_computes_so_and_keeps_its_weights_in_full(make_trainer, monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: True)
    trainer = make_trainer(amp="auto")
    seen = []
    trainer.g_network.register_forward_hook(lambda module, x, images: seen.append(images.dtype))
    trainer.run()
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in trainer.g_network.parameters()} == {torch.float32}
    assert torch.isfinite(trainer.state.output[GanKeys.GLOSS])
    assert trainer.state.output[GanAugKeys.REAL_LOGITS].dtype == torch.float32


def scaled_side(init_scale):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=init_scale, enabled=init_scale is not None)
    return Side(network, optimizer, DiscriminatorLoss(), scaler, measured=True)


def step(side, factor=1.0):
    reals = factor * torch.ones(3, 1, 2, 2)
    discriminator_step(
        side,
        reals,
        -reals,
        judge=lambda images, labels: side.network(images),
        precision=Precision(),
    )


def test_a_gradient_scaler_changes_neither_the_update_nor_the_measured_length():
    plain, scaled = scaled_side(None), scaled_side(2.0**12)
    step(plain)
    step(scaled)
    torch.testing.assert_close(plain.gradient_norm, scaled.gradient_norm)
    for a, b in zip(plain.network.parameters(), scaled.network.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_scaler_skips_an_overflow_and_lowers_its_scale():
    side = scaled_side(2.0**12)
    before = copy.deepcopy(side.network.state_dict())
    step(side, factor=float("inf"))
    assert all(torch.equal(before[k], v) for k, v in side.network.state_dict().items())
    assert side.scaler.get_scale() == 2.0**11
    step(side)
    assert not all(torch.equal(before[k], v) for k, v in side.network.state_dict().items())
