import sys

import pytest

from monai_gan_aug.bundle import class_count, explain_errors, refuse_unknown_overrides
from monai_gan_aug.records.datalist import Datalist, Entry, SplitRecord

CONFIG = """
learning_rate: 2.0e-4
batch_size: 16
train:
  trainer:
    _target_: somewhere.Trainer
    max_epochs: 3
"""
COMMAND = ["/x/monai/bundle/__main__.py", "run"]


@pytest.fixture
def config(tmp_path):
    (tmp_path / "common.yaml").write_text(CONFIG)
    return str(tmp_path / "common.yaml")


@pytest.mark.parametrize(
    "words",
    [
        ["--learning_rate", "1.0"],
        ["--learning-rate=1.0"],
        ["--train::trainer::max_epochs", "5"],
        ["--train#trainer#amp", "True"],
        ["--batch_size", "-1", "--run_id", "run"],
    ],
)
def test_known_knobs_pass(config, words):
    refuse_unknown_overrides([*COMMAND, "--config_file", f"['{config}']", *words])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--learningrate", "5"], "--learningrate .* learning_rate"),
        (["--train::trainr::max_epochs=5"], "did you mean trainer"),
        (["--quite_another", "1"], "batch_size"),
    ],
)
def test_a_misspelt_knob_is_refused_with_the_nearest_names(config, words, message):
    with pytest.raises(SystemExit, match=message):
        refuse_unknown_overrides([*COMMAND, "--config_file", config, *words])


def test_an_argument_file_is_checked_as_well(config, tmp_path):
    (tmp_path / "run.yaml").write_text(f"config_file: [{config}]\nbatchsize: 4\n")
    with pytest.raises(SystemExit, match=r"--batchsize .* batch_size"):
        refuse_unknown_overrides([*COMMAND, "--args_file", str(tmp_path / "run.yaml")])


def test_other_programs_are_left_alone():
    refuse_unknown_overrides(["/x/pytest/__main__.py", "run", "--nonsense", "1"])


@pytest.mark.parametrize(
    ("condition", "only", "count"),
    [("class", None, 3), ("class", ["a", "b"], 2), ("class", "a", 0), (None, None, 0)],
)
def test_classes_are_counted_in_the_datalist(tmp_path, condition, only, count):
    entries = [Entry(f"{i}.png", i % 3, f"g{i}", f"i{i}") for i in range(6)]
    Datalist(("a", "b", "c"), tuple(entries), (), (), SplitRecord(0, "test")).save(
        tmp_path / "datalist.json"
    )
    assert class_count(condition, only, tmp_path / "datalist.json") == count


def test_an_unknown_condition_is_refused():
    with pytest.raises(ValueError, match="got 'label'"):
        class_count("label", None, "absent.json")


def test_an_error_ends_with_its_first_cause(capsys, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    explain_errors()
    try:
        try:
            raise ValueError("give it with --dataset_dir")
        except ValueError as cause:
            raise RuntimeError("Failed to evaluate") from cause
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert capsys.readouterr().err.splitlines()[-1] == "error: give it with --dataset_dir"
