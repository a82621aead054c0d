"""The two commands of the README that judge a GAN on somebody's own folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drawing import draw_noise

ROOT = Path(__file__).resolve().parents[2]
QUICK = {
    "image_size": 16,
    "seeds": "[0,1]",
    "classifier::total_steps": 4,
    "gan::knobs": "{'max_epochs': 1, 'steps_per_epoch': 3}",
    "gan::samples_per_class": 8,
    "study::arms": "[classical, classical_twice, duplicated_reals, real_plus_synthetic]",
}

pytestmark = pytest.mark.slow


def run(*words: object, **knobs: object) -> str:
    options = [str(word) for key, value in knobs.items() for word in (f"--{key}", value)]
    environment = {**os.environ, "MONAI_FAIL_ON_DUPLICATE_CONFIG": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words), *options],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_folder_is_prepared_and_studied(tmp_path):
    for number in range(40):
        label = ("healthy", "ill")[number % 2]
        path = tmp_path / "mine" / label / f"{label}{number // 2}_0.png"
        draw_noise(path, number, (20, 24))
    mine, listed, out = tmp_path / "mine", tmp_path / "datalist.json", tmp_path / "out"
    pattern = ("--patient-pattern", "^([a-z]+[0-9]+)_")
    shares = ("--fractions", "0.4", "0.2", "0.4")
    run("monai_gan_aug", "prepare", mine, *pattern, *shares, "--out", listed)
    study = ("monai.bundle", "run", "--config_file", "configs/studies/your_data.yaml")
    printed = run(*study, dataset_dir=mine, datalist=listed, output_dir=out, **QUICK)
    found = json.loads((out / "study.json").read_text())
    assert found["verdict"]["sentence"] in printed
    assert found["dataset"]["patients"] == {"healthy": 20, "ill": 20}
    assert (out / "report.html").is_file()
