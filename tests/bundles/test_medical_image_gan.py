"""The bundle as a user runs it: train, generate, evaluate; and what must not happen."""

import json
import logging
import os
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow, run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.provenance import SyntheticDatalist, check_chain
from tests.drawing import draw_datalist, save_pixels

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "medical_image_gan"
CANARY = "CANARY^PATIENT"


def files(last):
    names = ("common", "family_dcgan", "train") if last == "train" else (last,)
    return [f"configs/{name}.yaml" for name in names]


def after(knobs, *left_out):
    """Knobs of what comes after training."""
    return {key: value for key, value in knobs.items() if key not in (*LEARNED, *left_out)}


@pytest.fixture
def data(tmp_path):
    """Bright and dark noise of ten patients each; file names carry a canary."""
    rng = np.random.default_rng(0)

    def draw(path, index):
        save_pixels(path, rng.integers(0, 128, (20, 20)) + 127 * (index % 2))

    counts = {"training": 20, "validation": 4, "test": 16}
    labels = ("dark", "bright")
    draw_datalist(tmp_path / "data", draw, labels=labels, below=f"{CANARY}/", **counts)
    return tmp_path / "data"


@pytest.fixture
def knobs(data, tmp_path):
    return {
        "dataset_dir": str(data),
        "datalist": str(data / "datalist.json"),
        "cache_dir": str(tmp_path / "cache"),
        "output_dir": str(tmp_path / "run"),
        "device": "cpu",
        "image_size": 16,
    }


TRAINING = {
    "max_epochs": 2,
    "steps_per_epoch": 3,
    "batch_size": 4,
    "generator_width": 4,
    "discriminator_width": 4,
    "latent_size": 8,
    "workers": 1,
}
LEARNED = ("image_size", "only_labels")
"""Knobs that only training takes; then they stand in the checkpoint."""


def test_trains_generates_and_evaluates(knobs, tmp_path, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    output = Path(knobs["output_dir"])
    run(config_file=files("train"), **knobs, **TRAINING)
    assert json.loads((output / "curves.json").read_text())["step"] == [3, 6]
    assert len(list((output / "samples").glob("*.png"))) == 2
    events = EventAccumulator(str(output / "events"))
    events.Reload()
    assert "g_loss" in events.Tags()["scalars"]

    made = tmp_path / "synthetic"
    run(
        config_file=files("inference"),
        **after(knobs, "datalist", "cache_dir"),
        samples_per_class=6,
        synthetic_dir=str(made),
    )
    real = Datalist.load(Path(knobs["datalist"]))
    synthetic = SyntheticDatalist.load(made / "datalist.json")
    check_chain(real, synthetic)
    assert [entry.label for entry in synthetic.training] == [0] * 6 + [1] * 6
    assert (made / "grid.png").is_file()

    run(
        config_file=files("evaluate"),
        **after(knobs),
        synthetic=[str(made / "datalist.json")],
        classifier_steps=2,
        workers=1,
    )
    rows = json.loads((output / "quality.json").read_text())["rows"]
    assert {"kid", "diversity", "gan_test", "psnr"} <= {row["metric"] for row in rows}
    assert "Real versus real" in (output / "quality.md").read_text()

    run(
        config_file=files("screen"),
        **after(knobs),
        synthetic=[str(made / "datalist.json")],
        discriminator_checkpoint=str(output / "checkpoints"),
        minimum_patients=8,
        near_copies="drop",
        workers=1,
    )
    screening = json.loads((output / "screening.json").read_text())
    assert "no proof of privacy" in screening["caveat"]
    assert "membership_by_discriminator" in {row["metric"] for row in screening["rows"]}
    assert not (output / "closest_pairs.png").exists()

    run(
        config_file=files("select"),
        **after(knobs),
        synthetic=str(made / "datalist_screened.json"),
        budget=2,
        workers=1,
    )
    chosen = SyntheticDatalist.load(made / "datalist_selected.json")
    assert len(chosen.training) == 4
    assert {"filter", "truncation"} <= set(chosen.provenance.settings)
    assert_without_canary([output, made, Path(knobs["cache_dir"])])


def assert_without_canary(folders):
    for folder in folders:
        for path in folder.rglob("*"):
            assert CANARY not in str(path)
            assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


def test_one_gan_per_class_fits_the_labels_of_the_data(knobs, tmp_path, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    knobs["only_labels"] = ["bright"]
    run(config_file=files("train"), **knobs, **TRAINING)
    assert load_checkpoint(Path(knobs["output_dir"]) / "checkpoints")["training"]["labels"] == [
        "bright"
    ]
    made = tmp_path / "synthetic"
    run(
        config_file=files("inference"),
        **after(knobs, "datalist", "cache_dir"),
        samples_per_class=2,
        synthetic_dir=str(made),
    )
    synthetic = SyntheticDatalist.load(made / "datalist.json")
    assert synthetic.labels == ("dark", "bright")
    assert [entry.label for entry in synthetic.training] == [1, 1]


def command(config, *words):
    names = repr(files(config))
    return [sys.executable, "-m", "monai.bundle", "run", "--config_file", names, *words]


def flags(knobs):
    return [word for key, value in knobs.items() for word in (f"--{key}", str(value))]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, write_data):
    """The output folder of a training with a window, and its data knobs."""
    folder = tmp_path_factory.mktemp("trained")
    given = write_data(folder, training=8, validation=2, test=2, shape=(1, 20, 20))
    run(
        config_file=[str(BUNDLE / name) for name in files("train")],
        **given,
        **{**TRAINING, "max_epochs": 1},
        image_size=16,
        windows=["brain"],
        output_dir=str(folder / "run"),
    )
    return folder / "run", given


def root_cause(error):
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@pytest.mark.parametrize(
    ("knob", "value"),
    [("image_size", 32), ("windows", ["lung"]), ("latent_size", 16), ("only_labels", "benign")],
)
def test_a_knob_that_contradicts_the_checkpoint_is_refused(
    knob, value, trained, tmp_path, monkeypatch
):
    monkeypatch.chdir(BUNDLE)
    made = {"ckpt_path": str(trained[0] / "checkpoints"), "synthetic_dir": str(tmp_path / "set")}
    with pytest.raises(RuntimeError) as caught:
        run(config_file="configs/inference.yaml", **made, **{knob: value}, device="cpu")
    cause = root_cause(caught.value)
    assert isinstance(cause, DataError)
    assert f"`{knob}` is " in str(cause)
    assert not (tmp_path / "set").exists()


def test_a_contradicted_recipe_is_refused_by_quality_and_screen(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    made = {"ckpt_path": str(trained[0] / "checkpoints"), "synthetic_dir": str(tmp_path / "set")}
    run(config_file="configs/inference.yaml", **made, samples_per_class=2, device="cpu")
    listed = str(tmp_path / "set" / "datalist.json")
    for name, synthetic in (("evaluate", [listed]), ("screen", [listed]), ("select", listed)):
        knobs = {**trained[1], "synthetic": synthetic, "windows": ["lung"]}
        with pytest.raises(RuntimeError) as caught:
            run(config_file=f"configs/{name}.yaml", **knobs)
        assert "`windows` is ['lung'] here" in str(root_cause(caught.value))


def test_tools_find_every_property_of_the_one_file(trained, monkeypatch, caplog):
    monkeypatch.chdir(BUNDLE)
    workflow = ConfigWorkflow(
        "configs/inference.yaml", workflow_type="infer", ckpt_path=str(trained[0] / "checkpoints")
    )
    workflow.initialize()
    assert workflow.check_properties() == []
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == []
    assert workflow.network_def(torch.zeros(2, 8), torch.tensor([0, 1])).shape == (2, 1, 16, 16)


def test_the_preset_may_be_listed_after_the_one_file(trained, tmp_path, monkeypatch):
    """For checkpoints that do not describe their networks."""
    monkeypatch.chdir(BUNDLE)
    names = ("inference", "common", "family_dcgan")
    sizes = {key: TRAINING[key] for key in ("generator_width", "latent_size")}
    run(
        config_file=[f"configs/{name}.yaml" for name in names],
        **{**trained[1], "image_size": 16, "windows": ["brain"], **sizes},
        ckpt_path=str(trained[0] / "checkpoints"),
        synthetic_dir=str(tmp_path / "set"),
        samples_per_class=2,
    )
    assert len(list((tmp_path / "set" / "images").iterdir())) == 4


@pytest.mark.slow
def test_one_file_is_enough_from_any_folder(trained, tmp_path):
    """As tools of the model zoo call it."""
    words = ["--config_file", str(BUNDLE / "configs" / "inference.yaml")]
    words += ["--bundle_root", str(BUNDLE), "--ckpt_path", str(trained[0] / "checkpoints")]
    words += ["--synthetic_dir", str(tmp_path / "set"), "--samples_per_class", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = SyntheticDatalist.load(tmp_path / "set" / "datalist.json")
    assert [entry.label for entry in made.training] == [0, 0, 1, 1]


@pytest.mark.slow
def test_a_misspelt_knob_ends_the_run_before_it_begins(knobs):
    done = subprocess.run(
        command("train", *flags(knobs), "--learningrate", "5"),
        cwd=BUNDLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "--learningrate is no knob" in done.stderr
    assert "learning_rate" in done.stderr.splitlines()[-1]
    assert not Path(knobs["output_dir"]).exists()


@pytest.mark.slow
def test_sigterm_saves_and_a_resumed_run_goes_on(knobs, monkeypatch):
    latest = Path(knobs["output_dir"]) / "checkpoints" / "latest.json"
    settings = {**TRAINING, "max_epochs": 100_000}
    with subprocess.Popen(
        command("train", *flags(knobs), *flags(settings)),
        cwd=BUNDLE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # The checkpoint of the first epoch is there; at its end, if the process ended by itself.
        log = "".join(takewhile(lambda line: " Epoch 2 of " not in line, process.stderr))
        os.kill(process.pid, signal.SIGTERM)
        log += process.communicate()[1]
    assert process.returncode == 143, log
    unwanted = [
        line for line in log.splitlines() if " ERROR " in line and "terminating" not in line
    ]
    assert unwanted == []
    step = load_checkpoint(latest)["trainer"]["iteration"]
    monkeypatch.chdir(BUNDLE)
    settings["max_epochs"] = step // 3 + 2
    run(config_file=files("train"), **knobs, **settings, resume=True)
    assert load_checkpoint(latest)["trainer"]["iteration"] == 3 * settings["max_epochs"]
