import logging

import pytest
import torch

from monai_gan_aug.engines import hardware
from monai_gan_aug.engines.hardware import (
    adapt_to_hardware,
    choose_threads,
    cpu_has_bfloat16,
    require_device,
    resolve_precision,
)
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.networks.dcgan import Discriminator, Generator

CPU = torch.device("cpu")


def test_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="--device cpu"):
        require_device(f"cuda:{torch.cuda.device_count()}")


@pytest.fixture
def _no_wishes(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_no_wishes")
def test_the_number_asked_for_wins_and_is_logged(monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="monai_gan_aug")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert choose_threads(2) == torch.get_num_threads() == 2
    assert "2 threads on the CPU, as asked for" in caplog.text


@pytest.mark.usefixtures("_no_wishes")
def test_the_environment_is_respected(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(hardware, "physical_cores", lambda: 8)
    assert choose_threads() == torch.get_num_threads() == 1


@pytest.mark.parametrize(("processes", "expected"), [(None, 2), ("2", 1), ("5", 1)])
@pytest.mark.usefixtures("_no_wishes")
def test_processes_share_the_cores(monkeypatch, processes, expected):
    monkeypatch.setattr(hardware, "physical_cores", lambda: 2)
    if processes:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    assert choose_threads() == expected


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="`threads` must be at least 1"):
        choose_threads(0)


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
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: has)
    assert resolve_precision("auto", None, CPU) == expected


def test_bfloat16_without_hardware_is_allowed_with_a_warning(monkeypatch, caplog):
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: False)
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
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: True)
    trainer = make_trainer(amp="auto")
    seen = []
    trainer.g_network.register_forward_hook(lambda module, x, images: seen.append(images.dtype))
    trainer.run()
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in trainer.g_network.parameters()} == {torch.float32}
    assert torch.isfinite(trainer.state.output[GanKeys.GLOSS])
    assert trainer.state.output[GanAugKeys.REAL_LOGITS].dtype == torch.float32


def pair():
    torch.manual_seed(0)
    return Generator(16, 1, 8, width=4), Discriminator(16, 1, width=4)


def test_keys_of_compiled_networks_stay_as_they_are():
    plain, compiled = pair(), pair()
    adapt_to_hardware(*compiled, compiled=True)
    for a, b in zip(plain, compiled, strict=True):
        assert list(a.state_dict()) == list(b.state_dict())


def test_a_compiled_network_draws_the_same_images():
    (plain, _), (compiled, other) = pair(), pair()
    adapt_to_hardware(compiled, other, compiled="eager")
    latents = torch.randn(3, 8)
    torch.testing.assert_close(compiled(latents), plain(latents))


def test_a_discriminator_with_a_penalty_is_not_compiled():
    generator, discriminator = pair()
    adapt_to_hardware(generator, discriminator, compiled="eager", double_backward=True)
    assert generator._compiled_call_impl is not None
    assert discriminator._compiled_call_impl is None


def test_a_compiled_trainer_takes_the_same_steps(make_trainer):
    plain, compiled = make_trainer(augment=None), make_trainer(augment=None, compiled="eager")
    for trainer in (plain, compiled):
        torch.manual_seed(5)
        trainer.run()
    for a, b in zip(plain.g_network.parameters(), compiled.g_network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_batch_norm_across_processes_is_refused_on_a_cpu(monkeypatch):
    monkeypatch.setattr(hardware, "world_size", lambda: 2)
    with pytest.raises(ValueError, match="`sync_batch_norm` needs GPUs"):
        adapt_to_hardware(*pair(), sync_batch_norm=True)


def test_channels_last_moves_the_weights_of_convolutions():
    generator, discriminator = pair()
    adapt_to_hardware(generator, discriminator, channels_last=True)
    assert discriminator.head.weight.is_contiguous(memory_format=torch.channels_last)
