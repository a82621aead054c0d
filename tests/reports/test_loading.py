import copy
import json

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.reports.loading import read_study


def test_reads_what_was_written(study, write_study):
    read = read_study(write_study(study))
    assert read.baseline == "classical"
    assert [c.control for c in read.decisive()] == ["classical", "classical_twice"]
    assert read.arms[3].metrics["auc"].mean == study["arms"][3]["metrics"]["auc"]["mean"]


def test_accepts_a_study_without_curves_quality_or_grids(study, write_study):
    for key in ("curves", "quality", "grids"):
        del study[key]
    assert read_study(write_study(study)).quality == ()


def test_missing_file_names_the_next_step(tmp_path):
    with pytest.raises(DataError, match=r"^study.json does not exist: run the study first"):
        read_study(tmp_path / "study.json")


def test_folder_names_the_next_step(tmp_path):
    with pytest.raises(DataError, match=r"is a folder: name the study\.json in it"):
        read_study(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"schema": NaN}', b"[" * 200_000])
def test_refuses_what_is_not_json(tmp_path, content):
    path = tmp_path / "study.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is not a JSON file"):
        read_study(path)


@pytest.mark.parametrize("content", ["[]", "3", "null", '{"schema": 2}', "{}"])
def test_refuses_another_schema(tmp_path, content):
    path = tmp_path / "study.json"
    path.write_text(content)
    with pytest.raises(DataError, match="has schema"):
        read_study(path)


@pytest.mark.parametrize(
    "key", ["name", "title", "dataset", "recipe", "seeds", "arms", "comparisons", "verdict"]
)
def test_refuses_a_missing_part(study, write_study, key):
    path = write_study(study)
    del study[key]
    path.write_text(json.dumps(study))
    with pytest.raises(DataError, match=f"study.json: {key} is missing"):
        read_study(path)


CONTRADICTIONS = {
    "one class": (lambda s: s["dataset"].update(labels=["NORMAL"]), "two or more"),
    "uncounted class": (lambda s: s["dataset"]["images"].pop("NORMAL"), "dataset.images counts"),
    "matrix shape": (lambda s: s["arms"][0].update(confusion=[[1, 2]]), "a row per class"),
    "twin arms": (lambda s: s["arms"].append(s["arms"][0]), "more than once"),
    "unknown arm": (lambda s: s["comparisons"][0].update(arm="x"), "not among the arms"),
    "unknown class": (lambda s: s["grids"][0].update(label="x"), "not classes"),
    "no control": (lambda s: s["verdict"].update(controls=[]), "controls is empty"),
    "no interval": (lambda s: s["comparisons"].pop(), "comparison with an interval"),
    "no metric": (lambda s: s["arms"][1]["metrics"].pop("auc"), "has no auc"),
    "upside down": (lambda s: s["comparisons"][0].update(lower=1), "upside down"),
    "no seeds": (lambda s: s.update(seeds=[]), "at least one repeat"),
    "quality of no class": (lambda s: s["quality"][0].update(label="x"), "not classes"),
    "unknown seed": (lambda s: s["quality"][0].update(seed=9), "not in seeds"),
    "short per_seed": (lambda s: s["comparisons"][0].update(per_seed=[1]), "1 values for 3"),
    "roc outside": (lambda s: s["curves"]["roc"]["real"].update(fpr=[2], tpr=[0]), "0 and 1"),
    "gan lengths": (lambda s: s["curves"]["gan"][0]["d_real"].pop(), "differ in length"),
    "loss lengths": (lambda s: s["curves"]["classifier"][0]["loss"].pop(), "misses values"),
    "odd word": (lambda s: s["verdict"].update(word="maybe"), "must be one of"),
}


@pytest.mark.parametrize(("change", "message"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_refuses_a_study_that_contradicts_itself(study, write_study, change, message):
    study = copy.deepcopy(study)
    path = write_study(study)
    change(study)
    path.write_text(json.dumps(study))
    with pytest.raises(DataError, match=rf"^study.json: .*{message}"):
        read_study(path)


def test_refuses_quality_rows_of_different_recipes(study, write_study):
    study["quality"][1]["recipe"]["extractor"] = "inception"
    with pytest.raises(DataError, match=r"kid have different recipes \(extractor\)"):
        read_study(write_study(study))


def test_quality_may_rest_on_different_numbers_of_images(study, write_study):
    study["quality"][1]["recipe"]["held_out"] = 61
    rows = read_study(write_study(study)).quality[:3]
    assert [row.sizes for row in rows] == [(120, 60, 500), (120, 61, 500), (120, 60, 500)]
