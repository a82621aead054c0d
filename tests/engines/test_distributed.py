"""Two processes that talk by Gloo on this machine, beside one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.engines.distributed import (
    any_process,
    average_in_place,
    join_processes,
    leave_processes,
    local_device,
    mean_over_processes,
    random_states,
    spread_random_state,
    world_size,
)

PROGRAM = Path(__file__).with_name("two_processes.py")


def start(folder, what):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    return subprocess.run(
        [sys.executable, *launcher, str(PROGRAM), str(folder), what],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """What two processes leave behind."""
    folder = tmp_path_factory.mktemp("pair")
    done = start(folder, "train")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def states(folder):
    return [torch.load(folder / f"rank_{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("run", ["plain", "whole"])
def test_both_processes_end_with_the_same_networks(pair, run):
    first, second = states(pair / run)
    for network in ("generator", "discriminator", "average"):
        for key, value in first[network].items():
            assert torch.equal(value, second[network][key]), key


@pytest.mark.slow
def test_each_process_draws_latents_of_its_own(pair):
    first, second = states(pair / "whole")
    assert not torch.equal(first["latents"], second["latents"])


@pytest.mark.slow
def test_two_processes_do_what_one_does_with_the_whole_batch(pair):
    one = torch.load(pair / "alone" / "rank_0.pt", weights_only=True)
    two = states(pair / "plain")[0]
    for network in ("generator", "discriminator"):
        for key, value in one[network].items():
            torch.testing.assert_close(value, two[network][key], rtol=1e-4, atol=1e-5)
    curves = [json.loads((pair / f / "curves.json").read_text()) for f in ("alone", "plain")]
    assert curves[0]["step"] == curves[1]["step"]
    for name in ("g_loss", "d_loss", "d_real", "d_fake"):
        assert curves[0][name] == pytest.approx(curves[1][name], rel=1e-4)


@pytest.mark.slow
def test_keys_have_no_prefix_and_files_are_written_once(pair):
    networks = load_checkpoint(pair / "whole" / "checkpoints")["trainer"]["networks"]
    assert not any(key.startswith("module.") for net in networks.values() for key in net)
    assert len(list((pair / "whole" / "events").iterdir())) == 1
    assert len(list((pair / "whole" / "samples").iterdir())) == 2


@pytest.mark.slow
def test_a_resumed_pair_equals_an_uninterrupted_one_bit_for_bit(pair):
    for whole, parts in zip(states(pair / "whole"), states(pair / "parts"), strict=True):
        assert torch.equal(whole["latents"], parts["latents"])
        for network in ("generator", "discriminator", "average"):
            for key, value in whole[network].items():
                assert torch.equal(value, parts[network][key]), key


@pytest.mark.slow
def test_a_killed_process_ends_the_other_and_the_checkpoint_stays(tmp_path):
    done = start(tmp_path, "killed")
    assert done.returncode != 0
    content = load_checkpoint(tmp_path / "killed" / "checkpoints")
    assert content["trainer"]["iteration"] == 3
    assert list((tmp_path / "killed").rglob("*.partial")) == []


def test_a_single_process_agrees_with_itself(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    join_processes("cpu")
    assert world_size() == 1
    values = [torch.tensor([1.0, 2.0])]
    average_in_place(values)
    assert values[0].tolist() == [1.0, 2.0]
    assert mean_over_processes(values[0]) is values[0]
    assert any_process(True)
    leave_processes()


def test_the_random_state_of_a_single_process_is_its_own():
    state = random_states()
    assert "others" not in state
    assert spread_random_state(state) is state


def test_without_a_gpu_processes_compute_on_the_cpu():
    assert local_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
