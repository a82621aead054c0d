"""A training configuration with the published settings of the model zoo's ``mednist_gan``.

It runs with MONAI's engine, and with ours when nothing but its ``_target_`` changes. Networks,
losses, optimisers, latents and critic steps are those of the bundle (version 0.4); images are
phantoms, batches and epochs are small.
"""

import pytest
import torch
from monai.bundle import ConfigParser
from monai.utils.enums import GanKeys
from torch.nn import functional

OURS = "monai_gan_aug.engines.trainer.GanAugTrainer"


def only_images(batchdata, device=None, non_blocking=False):
    return batchdata["image"].to(device=device, non_blocking=non_blocking)


def towards(value, scores):
    return functional.binary_cross_entropy(scores, torch.full_like(scores, value))


def judge_both(generated, real, judge):
    return (towards(0.0, judge(generated.detach())) + towards(1.0, judge(real))) / 2


def fool(generated, judge):
    return towards(1.0, judge(generated))


def configuration(target):
    adam = {"_target_": "torch.optim.Adam", "lr": 2.0e-4, "betas": [0.5, 0.999]}
    return {
        "device": "$torch.device('cpu')",
        "images": phantom_images(),
        "dnetwork": {
            "_target_": "Discriminator",
            "in_shape": [1, 64, 64],
            "channels": [8, 16, 32, 64, 1],
            "strides": [2, 2, 2, 2, 1],
            "num_res_units": 1,
            "kernel_size": 5,
        },
        "gnetwork": {
            "_target_": "Generator",
            "latent_shape": 64,
            "start_shape": [64, 8, 8],
            "channels": [32, 16, 8, 1],
            "strides": [2, 2, 2, 1],
        },
        "loader": {
            "_target_": "DataLoader",
            "dataset": {"_target_": "CacheDataset", "data": "@images", "progress": False},
            "batch_size": 6,
            "shuffle": True,
        },
        "trainer": {
            "_target_": target,
            "device": "@device",
            "max_epochs": 2,
            "train_data_loader": "@loader",
            "g_network": "@gnetwork",
            "g_optimizer": {**adam, "params": "$@gnetwork.parameters()"},
            "g_loss_function": {"_target_": f"{__name__}.fool", "_mode_": "callable"}
            | {"judge": "@dnetwork"},
            "d_network": "@dnetwork",
            "d_optimizer": {**adam, "params": "$@dnetwork.parameters()"},
            "d_loss_function": {"_target_": f"{__name__}.judge_both", "_mode_": "callable"}
            | {"judge": "@dnetwork"},
            "d_prepare_batch": {"_target_": f"{__name__}.only_images", "_mode_": "callable"},
            "d_train_steps": 5,
            "g_update_latents": True,
            "latent_shape": 64,
            "key_train_metric": None,
        },
        "training": [
            "$@gnetwork.apply(monai.networks.normal_init)",
            "$@dnetwork.apply(monai.networks.normal_init)",
            "$@gnetwork.conv.add_module('activation', torch.nn.Sigmoid())",
            "$@trainer.run()",
        ],
    }


def phantom_images(count=30):
    """Bright discs of random place and size on noise, ``(1, 64, 64)`` in ``[0, 1]``."""
    draw = torch.Generator().manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    images = []
    for _ in range(count):
        y, x, radius = (torch.rand(3, generator=draw) * 20 + torch.tensor([22, 22, 6])).tolist()
        disc = ((rows - y) ** 2 + (columns - x) ** 2 < radius**2).float()
        noise = 0.1 * torch.rand(64, 64, generator=draw)
        images.append({"image": (0.8 * disc + noise)[None]})
    return images


@pytest.mark.parametrize("target", ["GanTrainer", OURS])
def test_runs_with_either_engine_and_only_the_target_changed(target):
    torch.manual_seed(0)
    parser = ConfigParser(configuration(target))
    networks = [parser.get_parsed_content(name) for name in ("gnetwork", "dnetwork")]
    trainer = parser.get_parsed_content("trainer")
    before = [next(network.parameters()).detach().clone() for network in networks]
    parser.get_parsed_content("training")
    assert trainer.state.epoch == 2
    out = trainer.state.output
    assert out[GanKeys.FAKES].shape == (6, 1, 64, 64)
    assert out[GanKeys.FAKES].min() >= 0
    assert out[GanKeys.FAKES].max() <= 1
    for old, network in zip(before, networks, strict=True):
        assert not torch.equal(old, next(network.parameters()))


def test_ours_gives_every_critic_step_images_of_its_own():
    """Five batches to an iteration, where MONAI uses one batch five times."""
    theirs, ours = (
        ConfigParser(configuration(target)).get_parsed_content("trainer")
        for target in ("GanTrainer", OURS)
    )
    assert theirs.state.epoch_length == 5
    assert ours.state.epoch_length == 1
