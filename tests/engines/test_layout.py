import pytest
import torch

from monai_gan_aug.engines import layout
from monai_gan_aug.engines.layout import prepare_networks
from monai_gan_aug.networks.dcgan import Discriminator, Generator


def pair():
    torch.manual_seed(0)
    return Generator(16, 1, 8, width=4), Discriminator(16, 1, width=4)


def test_keys_of_compiled_networks_stay_as_they_are():
    plain, compiled = pair(), pair()
    prepare_networks(*compiled, compiled=True)
    for a, b in zip(plain, compiled, strict=True):
        assert list(a.state_dict()) == list(b.state_dict())


def test_a_compiled_network_draws_the_same_images():
    (plain, _), (compiled, other) = pair(), pair()
    prepare_networks(compiled, other, compiled="eager")
    latents = torch.randn(3, 8)
    torch.testing.assert_close(compiled(latents), plain(latents))


def test_a_discriminator_with_a_penalty_is_not_compiled():
    generator, discriminator = pair()
    prepare_networks(generator, discriminator, compiled="eager", double_backward=True)
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
    monkeypatch.setattr(layout, "world_size", lambda: 2)
    with pytest.raises(ValueError, match="`sync_batch_norm` needs GPUs"):
        prepare_networks(*pair(), sync_batch_norm=True)


def test_channels_last_moves_the_weights_of_convolutions():
    generator, discriminator = pair()
    prepare_networks(generator, discriminator, channels_last=True)
    assert discriminator.head.weight.is_contiguous(memory_format=torch.channels_last)
