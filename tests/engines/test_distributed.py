"""Two processes that talk by Gloo on this machine, beside one."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
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

ROOT = Path(__file__).resolve().parents[2]
STOPPED_AT = 5
HANGING_S = 240
"""No test depends on it: processes that wait for each other for ever end as a failure."""
LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")


def command(folder, what):
    return [sys.executable, *LAUNCHER, "-m", "tests.engines.two_processes", str(folder), what]


def start(folder, what):
    return subprocess.run(
        command(folder, what),
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=HANGING_S,
        check=False,
    )


def stop(folder, told):
    """Start a run, send SIGTERM once it waits for it, and return what it said."""
    log = folder / "log"
    with log.open("w") as stream:
        launcher = subprocess.Popen(
            command(folder, "stopped"),
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            start_new_session=True,
        )
    try:
        waiting = any(line.strip() == "waiting" for line in launcher.stdout)
        assert waiting, log.read_text()  # else all processes ended without a word
        if told == "everyone":  # as systemd and batch systems do
            for rank in (0, 1):
                os.kill(int((folder / "stopped" / f"pid_{rank}").read_text()), signal.SIGTERM)
        os.killpg(launcher.pid, signal.SIGTERM)
        assert launcher.wait(HANGING_S) != 0
    finally:
        if launcher.poll() is None:
            os.killpg(launcher.pid, signal.SIGKILL)
        launcher.stdout.close()
    return log.read_text()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """What two processes leave behind."""
    folder = tmp_path_factory.mktemp("pair")
    done = start(folder, "train")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def states(folder):
    return [torch.load(folder / f"rank_{rank}.pt", weights_only=True) for rank in (0, 1)]


def parts_of(folder):
    return [state["parts"] for state in states(folder)]


def flat(state, place=""):
    """Every tensor of a nested state as a list of numbers, by its place."""
    if isinstance(state, torch.Tensor):
        return {place: state.flatten().tolist()}
    return {k: v for key, below in state.items() for k, v in flat(below, f"{place}/{key}").items()}


def curves_of(folder, *runs):
    curves = [json.loads((folder / run / "curves.json").read_text()) for run in runs]
    return [{**each, **each.pop("penalties")} for each in curves]


@pytest.mark.slow
@pytest.mark.parametrize("run", ["plain", "whole", "adaptive", "remembered"])
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
    curves = curves_of(pair, "alone", "plain")
    assert curves[0]["step"] == curves[1]["step"]
    for name in ("g_loss", "d_loss", "d_real", "d_fake"):
        assert curves[0][name] == pytest.approx(curves[1][name], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("run", ["adaptive", "remembered"])
def test_adaptive_augmentation_and_lecam_have_one_state_in_both_processes(pair, run):
    first, second = parts_of(pair / run)
    assert flat(first) == flat(second)
    assert first["adaptive_augment"]["probability"] > 0


@pytest.mark.slow
def test_adaptive_augmentation_and_lecam_see_the_whole_batch(pair):
    """The probability moves up and down as in one process, and the means are those of all."""
    one, two = curves_of(pair, "adaptive_alone", "adaptive")
    assert one["augment_probability"] == pytest.approx(two["augment_probability"], rel=1e-6)
    assert one["penalty/lecam"] == pytest.approx(two["penalty/lecam"], rel=1e-4)
    steps = np.diff(one["augment_probability"])
    assert {-1, 1} <= set(np.sign(steps))
    alone = torch.load(pair / "adaptive_alone" / "rank_0.pt", weights_only=True)["parts"]
    means = [parts["regularizer_lecam"]["means"] for parts in (alone, *parts_of(pair / "adaptive"))]
    torch.testing.assert_close(means[0], means[1], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_keys_have_no_prefix_and_files_are_written_once(pair):
    networks = load_checkpoint(pair / "whole" / "checkpoints")["trainer"]["networks"]
    assert not any(key.startswith("module.") for net in networks.values() for key in net)
    assert len(list((pair / "whole" / "events").iterdir())) == 1
    assert len(list((pair / "whole" / "samples").iterdir())) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("whole", "parts"), [("whole", "parts"), ("remembered", "resumed")])
def test_a_resumed_pair_equals_an_uninterrupted_one_bit_for_bit(pair, whole, parts):
    for first, second in zip(states(pair / whole), states(pair / parts), strict=True):
        assert flat(first) == flat(second)
    curves = curves_of(pair, whole, parts)
    assert curves[0] == curves[1]


@pytest.mark.slow
def test_a_killed_process_ends_the_other_and_the_checkpoint_stays(tmp_path):
    done = start(tmp_path, "killed")
    assert done.returncode != 0
    content = load_checkpoint(tmp_path / "killed" / "checkpoints")
    assert content["trainer"]["iteration"] == 3
    assert list((tmp_path / "killed").rglob("*.partial")) == []


@pytest.mark.slow
@pytest.mark.parametrize("told", ["launcher", "everyone"])
def test_sigterm_to_a_pair_saves_one_checkpoint_from_which_it_goes_on(tmp_path, told):
    said = stop(tmp_path, told)
    (step,) = re.findall(r"Stopped by SIGTERM after step (\d+)", said)
    folder = tmp_path / "stopped" / "checkpoints"
    assert load_checkpoint(folder)["trainer"]["iteration"] == int(step)
    assert int(step) == STOPPED_AT
    assert list(tmp_path.rglob("*.partial")) == []
    for rank in (0, 1):
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "stopped" / f"pid_{rank}").read_text()), 0)
    done = start(tmp_path, "finish")
    assert done.returncode == 0, done.stderr[-3000:]
    for whole, parts in zip(*(states(tmp_path / n) for n in ("whole", "stopped")), strict=True):
        stopped = flat(parts)
        for key, value in flat(whole).items():
            if "running_" in key:  # averaged once more, when the run stopped: other roundings
                assert value == pytest.approx(stopped[key], rel=1e-5, abs=1e-6), key
            else:
                assert value == stopped[key], key
    curves = curves_of(tmp_path, "whole", "stopped")
    assert curves[0]["step"] == curves[1]["step"]
    penalties = [curve.pop("penalties", {}) for curve in curves]
    for before, after in (curves, penalties):
        for name, column in before.items():
            assert column == pytest.approx(after[name], rel=1e-6), name


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
