"""The GAN bundle in two processes, and with its optional fragments."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser, run

from monai_gan_aug.engines.alarms import Guard
from monai_gan_aug.engines.checkpoint import load_checkpoint

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "medical_image_gan"


def files(*last):
    return [f"configs/{name}.yaml" for name in ("common", "family_dcgan", "train", *last)]


@pytest.fixture
def knobs(tmp_path, write_data):
    """Knobs for a tiny run on noise."""
    given = write_data(tmp_path / "data", training=6, validation=3, test=3, shape=(1, 20, 20))
    return {
        **given,
        "output_dir": str(tmp_path / "run"),
        "image_size": 16,
        "max_epochs": 2,
        "steps_per_epoch": 2,
        "batch_size": 4,
        "generator_width": 4,
        "discriminator_width": 4,
        "latent_size": 8,
        "workers": 1,
    }


@pytest.mark.slow
def test_two_processes_train_the_bundle(knobs):
    words = [word for key, value in knobs.items() for word in (f"--{key}", str(value))]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    config = ["--config_file", repr(files("multi_gpu"))]
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "monai.bundle", "run", *config, *words],
        cwd=BUNDLE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "2 processes train together on cpu" in done.stderr
    output = Path(knobs["output_dir"])
    assert json.loads((output / "curves.json").read_text())["step"] == [2, 4]
    assert len(list((output / "events").iterdir())) == 1
    assert load_checkpoint(output / "checkpoints")["trainer"]["iteration"] == 4


def test_one_process_may_use_the_same_files(knobs, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    run(config_file=files("multi_gpu"), **knobs)
    content = load_checkpoint(Path(knobs["output_dir"]) / "checkpoints")
    assert content["trainer"]["iteration"] == 4
    assert "others" not in content["trainer"]["random"]


def test_the_checkpoint_nearest_to_the_validation_images_is_kept(knobs, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    run(config_file=files("best_by_kid"), **knobs)
    best = load_checkpoint(Path(knobs["output_dir"]) / "checkpoints" / "best")["best"]
    assert best["metric"] == "kid"


def test_what_a_guard_does_is_a_knob(knobs, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    parser = ConfigParser(ConfigParser.load_config_files(files()))
    parser.update({**knobs, "on_divergence": "rollback", "on_collapse": "stop"})
    handlers = parser.get_parsed_content("train::handlers")
    actions = {type(h).__name__: h.action for h in handlers if isinstance(h, Guard)}
    assert actions == {
        "FiniteLossGuard": "rollback",
        "GradientGuard": "rollback",
        "OneSidedGuard": "warn",
        "CollapseGuard": "stop",
    }
