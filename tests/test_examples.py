"""The examples run as their headers say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.phantoms.series import class_counts, write_phantom_series

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"

pytestmark = pytest.mark.slow


def run(*words: object, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_example_is_listed():
    listed = re.findall(r"\]\(([^)]+)\)", (EXAMPLES / "README.md").read_text())
    assert all((EXAMPLES / name).exists() for name in listed)
    there = {path.name for path in EXAMPLES.iterdir()} - {"README.md", "__pycache__"}
    assert there == {Path(name).parts[0] for name in listed}


def test_adversarial_training_in_python(tmp_path):
    script = EXAMPLES / "adversarial_training.py"
    run(script, "--out", "discs", "--epochs", 2, "--images", 64, folder=tmp_path)
    pictures = sorted((tmp_path / "discs" / "samples").iterdir())
    assert [p.name for p in pictures] == ["step_00000050.png", "step_00000100.png"]
    first, last = (np.asarray(Image.open(p), dtype=float) for p in pictures)
    assert not np.array_equal(first, last)
    assert (tmp_path / "discs" / "generator.pt").is_file()


def test_own_generator_trains_and_generates(tmp_path):
    phantoms, listed, made = tmp_path / "ct", tmp_path / "datalist.json", tmp_path / "made"
    write_phantom_series(phantoms, class_counts(24), slices=1, size=64, workers=1, progress=False)
    prepare = ("prepare", phantoms, "--kind", "dicom", "--out", listed)
    run("-m", "monai_gan_aug", *prepare, folder=tmp_path)

    knobs = {"dataset_dir": phantoms, "datalist": listed, "output_dir": tmp_path / "run"}
    knobs |= {"cache_dir": tmp_path / "cache", "device": "cpu", "windows": "['brain']"}
    knobs |= {"image_size": 32, "generator_width": 8}
    knobs |= {"steps_per_epoch": 2, "max_epochs": 1, "batch_size": 4, "workers": 1}
    files = ["common.yaml", "../../../examples/own_generator/family_own.yaml", "train.yaml"]
    training = {"config_file": [f"configs/{name}" for name in files], **knobs}
    generation = {
        "config_file": "configs/inference.yaml",
        "ckpt_path": tmp_path / "run" / "checkpoints",
        "trusted_networks": "['subpixel_generator']",
        "samples_per_class": 3,
        "synthetic_dir": made,
        "device": "cpu",
    }
    for options in (training, generation):
        words = [str(word) for key, value in options.items() for word in (f"--{key}", value)]
        bundle, module = ROOT / "bundles" / "medical_image_gan", EXAMPLES / "own_generator"
        run("-m", "monai.bundle", "run", *words, folder=bundle, PYTHONPATH=f"{module}:{ROOT}")
    assert len(list((made / "images").iterdir())) == 6
