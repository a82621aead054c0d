"""The main job as a user runs it: one command, killed once, run again, read as a report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monai_gan_aug.phantoms.series import class_counts, write_phantom_series
from tests.integration.interrupted import kill_once_there

ROOT = Path(__file__).resolve().parents[2]
QUICK = {
    "seeds": "[0,1]",
    "data::split::training_patients_per_class": 4,
    "data::split::validation_patients_per_class": 2,
    "gan::knobs::max_epochs": 12,
    "gan::knobs::steps_per_epoch": 4,
    "classifier::total_steps": 6,
    "gan::samples_per_class": 16,
}

pytestmark = pytest.mark.slow


def command(data: Path, out: Path, **knobs: object) -> list[str]:
    given = {"dataset_dir": data, "output_dir": out, **QUICK, **knobs}
    return [
        *(sys.executable, "-m", "monai.bundle", "run"),
        *("--config_file", "configs/studies/phantom_ct.yaml"),
        *(word for key, value in given.items() for word in (f"--{key}", str(value))),
    ]


def start(*arguments: object, **knobs: object) -> subprocess.Popen:
    environment = {**os.environ, "MONAI_FAIL_ON_DUPLICATE_CONFIG": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command(*arguments, **knobs),
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantom_series(folder, class_counts(24), slices=1, size=64, workers=1, progress=False)
    return folder


@pytest.fixture(scope="module")
def study(phantoms, tmp_path_factory):
    """A study that was killed inside its first GAN, again after it, and then run to its end."""
    out = tmp_path_factory.mktemp("study")
    kill_once_there(start(phantoms, out), out, "seed-*/gan/checkpoints/latest.json")
    kill_once_there(start(phantoms, out), out, "seed-*/gan/job.json")
    finished = {path: path.stat().st_mtime_ns for path in out.glob("seed-*/*/job.json")}
    last = start(phantoms, out)
    log = last.communicate(timeout=400)[0]
    assert last.returncode == 0, log
    return out, finished, log


def test_ends_with_a_verdict_and_a_report(study):
    out, _, _ = study
    record = json.loads((out / "study.json").read_text())
    words = ("helps", "harms", "no relevant gain", "underpowered")
    assert record["verdict"]["word"] in words
    assert record["verdict"]["sentence"] in (out / "report.html").read_text()


def test_what_was_finished_before_the_kill_is_not_run_again(study):
    _, finished, _ = study
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


def test_an_interrupted_gan_is_resumed(study):
    logs = [path.read_text() for path in study[0].glob("seed-*/gan/job.log")]
    assert any("Resumed after step" in text for text in logs)


def test_every_arm_takes_the_same_number_of_steps(study):
    record = json.loads((study[0] / "study.json").read_text())
    steps = {arm["name"]: arm["steps"] for arm in record["arms"]}
    twice = steps.pop("classical_twice")
    assert set(steps.values()) == {6}
    assert twice == 12


def test_says_nothing_about_metadata_or_logging(study):
    lines = [line for line in study[2].splitlines() if "WARNING" in line or "ERROR" in line]
    assert not [line for line in lines if "metadata" in line or "logging" in line.lower()]


def test_no_patient_in_the_output(study):
    """Datalists and the pool name files by contract; nothing else may."""
    named = []
    for path in study[0].rglob("*"):
        if path.name in ("datalist.json", "pool.json") or not path.is_file():
            continue
        if b"PHANTOM0" in path.read_bytes():
            named.append(path.name)
    assert named == []


def test_a_misspelt_knob_is_refused_with_the_nearest_name(phantoms, tmp_path):
    process = start(phantoms, tmp_path, seedz="[0,1]")
    log = process.communicate(timeout=120)[0]
    assert process.returncode != 0
    assert "did you mean seeds" in log
