"""`study.json` is read as it was written, and refused when its parts do not fit together."""

import copy
import json

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.study import StudyRecord
from tests.drawing import draw_full_study, draw_study


def test_reads_what_was_written(study, write_study):
    read = StudyRecord.load(write_study(study))
    assert read.baseline == "classical"
    assert [c.control for c in read.decisive()] == ["classical", "classical_twice"]
    assert read.arms[3].metrics["auc"].mean == study["arms"][3]["metrics"]["auc"]["mean"]


@pytest.mark.parametrize("draw", [draw_study, draw_full_study])
def test_the_file_holds_the_whole_record(draw, tmp_path):
    draw().save(tmp_path / "study.json")
    assert StudyRecord.load(tmp_path / "study.json") == draw()


def test_accepts_a_study_without_curves_quality_or_grids(study, write_study):
    for key in ("curves", "quality", "grids"):
        del study[key]
    assert StudyRecord.load(write_study(study)).quality == ()


def test_missing_file_names_the_next_step(tmp_path):
    with pytest.raises(DataError, match=r"^study.json does not exist: run the study first"):
        StudyRecord.load(tmp_path / "study.json")


def test_folder_names_the_next_step(tmp_path):
    with pytest.raises(DataError, match=r"is a folder: name the record of a study in it"):
        StudyRecord.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"schema": NaN}', b"[" * 200_000])
def test_refuses_what_is_not_json(tmp_path, content):
    path = tmp_path / "study.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="it is not a JSON file"):
        StudyRecord.load(path)


@pytest.mark.parametrize("content", ["[]", "3", "null", '{"schema": 1}', "{}"])
def test_an_earlier_study_is_refused_with_the_way_out(tmp_path, content):
    path = tmp_path / "study.json"
    path.write_text(content)
    with pytest.raises(DataError, match="run the study again: finished jobs are not repeated"):
        StudyRecord.load(path)


def test_a_study_of_a_newer_version_is_refused_as_such(study, write_study):
    study["schema"] = StudyRecord.SCHEMA + 1
    with pytest.raises(DataError, match=r"^study\.json was made by a newer version"):
        StudyRecord.load(write_study(study))


@pytest.mark.parametrize("schema", ["2", 2.0, True, None, -1, 0])
def test_a_number_that_is_none_is_refused(study, write_study, schema):
    study["schema"] = schema
    with pytest.raises(DataError, match="schema must be a positive whole number"):
        StudyRecord.load(write_study(study))


@pytest.mark.parametrize(
    "key", ["name", "title", "dataset", "recipe", "seeds", "arms", "comparisons", "verdict"]
)
def test_refuses_a_missing_part(study, write_study, key):
    path = write_study(study)
    del study[key]
    path.write_text(json.dumps(study))
    with pytest.raises(
        DataError, match=rf"study\.json is not the record of a study \({key} is missing\)"
    ):
        StudyRecord.load(path)


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
    "upside down": (lambda s: s["comparisons"][0]["difference"].update(lower=1), "upside down"),
    "no seeds": (lambda s: s.update(seeds=[]), "at least one repeat"),
    "quality of no class": (lambda s: s["quality"][0]["rows"][0].update(label="x"), "not classes"),
    "unknown seed": (lambda s: s["quality"][0].update(seed=9), "not in seeds"),
    "short per_seed": (
        lambda s: s["comparisons"][0]["difference"].update(per_seed=[1]),
        "1 values for 3",
    ),
    "roc outside": (lambda s: s["curves"]["roc"]["real"].update(fpr=[2], tpr=[0]), "0 and 1"),
    "gan lengths": (lambda s: s["curves"]["gan"][0]["curves"]["d_real"].pop(), "differ in length"),
    "loss lengths": (
        lambda s: s["curves"]["classifier"][0]["curves"]["loss"].pop(),
        "differ in length",
    ),
    "screen of no seed": (lambda s: s["screening"][0].update(seed=9), "not in seeds"),
    "unknown key": (lambda s: s["arms"][0].update(colour="red"), "colour is not known"),
    "odd word": (lambda s: s["verdict"].update(word="maybe"), "must be one of"),
}


FULL_CONTRADICTIONS = {
    "claim of no arm": (
        lambda s: s["corrected"]["every_control"][0].update(arm="x"),
        "not among the arms",
    ),
    "control of no claim": (
        lambda s: s["corrected"]["verdict_controls"][0].update(controls=["x"]),
        "not among the arms",
    ),
    "equivalent of no arm": (
        lambda s: s["sample_size_equivalent"][0].update(arm="x"),
        "not among the arms",
    ),
    "equivalent nowhere": (
        lambda s: s["sample_size_equivalent"][0].update(where="x"),
        "must be one of",
    ),
    "selection of no class": (
        lambda s: s["selection"][0]["classes"][0].update(label="x"),
        "not classes",
    ),
    "size twice": (
        lambda s: s["sweep"][0].update(training_patients_per_class=25),
        "more than once",
    ),
    "no patients": (
        lambda s: s["sweep"][0].update(training_patients_per_class=0),
        "at least one training patient",
    ),
    "size without an arm": (lambda s: s["sweep"][0]["arms"].pop(), "other arms"),
    "size of another verdict": (
        lambda s: s["sweep"][1]["verdict"].update(arm="warm_start"),
        "verdict about something else",
    ),
    "size without comparison": (lambda s: s["sweep"][1]["comparisons"].pop(), "misses a comp"),
    "size without metric": (lambda s: s["sweep"][1]["arms"][0]["metrics"].pop("auc"), "without"),
    "size upside down": (
        lambda s: s["sweep"][1]["comparisons"][0]["difference"].update(lower=1),
        "upside down",
    ),
    "precision outside": (
        lambda s: s["curves"]["precision_recall"]["classical"].update(recall=[2], precision=[0]),
        "precision-recall curve of classical must pair",
    ),
    "calibration lengths": (
        lambda s: s["curves"]["calibration"]["classical"]["observed"].pop(),
        "calibration curve of classical must pair",
    ),
    "empty bin": (
        lambda s: s["curves"]["calibration"]["classical"]["count"].__setitem__(0, 0),
        "must count",
    ),
    "curve of no arm": (
        lambda s: s["curves"]["calibration"].update(
            x={"predicted": [], "observed": [], "count": []}
        ),
        "not among the arms",
    ),
    "external set twice": (
        lambda s: s["external"].append(s["external"][0]),
        "external sets .* more than once",
    ),
    "external set without a class": (
        lambda s: s["external"][0]["patients"].pop("NORMAL"),
        "external other_hospital patients counts",
    ),
    "external set without patients": (
        lambda s: s["external"][0]["patients"].update(NORMAL=0),
        "needs patients of every class",
    ),
    "more patients than images": (
        lambda s: s["external"][0]["patients"].update(NORMAL=151),
        "other_hospital needs patients",
    ),
    "external set without an arm": (
        lambda s: s["external"][0]["arms"].pop(),
        "external other_hospital has other arms",
    ),
    "external arm twice": (
        lambda s: s["external"][0]["arms"].append(s["external"][0]["arms"][0]),
        "external other_hospital: arms .* more than once",
    ),
    "external comparison of no arm": (
        lambda s: s["external"][0]["comparisons"][2].update(arm="x"),
        "external other_hospital: .* not among the arms",
    ),
    "external set of another verdict": (
        lambda s: s["external"][1]["verdict"].update(metric="brier"),
        "external other_country has a verdict about something else",
    ),
    "external set without comparison": (
        lambda s: s["external"][1]["comparisons"].pop(),
        "external other_country misses a comp",
    ),
    "external set without metric": (
        lambda s: s["external"][1]["arms"][0]["metrics"].pop("auc"),
        "external other_country has an arm without auc",
    ),
    "external set upside down": (
        lambda s: s["external"][1]["comparisons"][0]["difference"].update(lower=1),
        "upside down",
    ),
    "external repeats": (
        lambda s: s["external"][1]["comparisons"][0]["difference"].update(per_seed=[1]),
        "1 values for 3",
    ),
    "size without an external set": (
        lambda s: s["sweep"][0]["external"].pop(),
        "sweep with 10 patients has other external sets",
    ),
    "size with other external images": (
        lambda s: s["sweep"][0]["external"][0]["images"].update(NORMAL=151),
        "sweep with 10 patients has other external sets",
    ),
    "size with a damaged external set": (
        lambda s: s["sweep"][0]["external"][0]["comparisons"].pop(),
        "sweep with 10 patients, external other_hospital misses",
    ),
    "odd alarm": (lambda s: s["curves"]["gan"][1]["alarms"][0].update(kind="x"), "must be one of"),
}


@pytest.mark.parametrize(
    ("change", "message"), FULL_CONTRADICTIONS.values(), ids=FULL_CONTRADICTIONS
)
def test_refuses_a_full_study_that_contradicts_itself(full_study, write_study, change, message):
    content = copy.deepcopy(full_study)
    path = write_study(content)
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=rf"^study.json.*{message}"):
        StudyRecord.load(path)


def test_reads_every_part_of_a_full_study(full_study, write_study):
    read = StudyRecord.load(write_study(full_study))
    assert [point.training_patients_per_class for point in read.sweep] == [10, 25, 60]
    assert read.sample_size_equivalent[0].measured == (120, 480)
    assert [place.name for place in read.external] == ["other_hospital", "other_country"]
    assert all(len(point.external) == 2 for point in read.sweep)
    assert read.curves.gan[1].alarms[3].back_to == 1200


@pytest.mark.parametrize(("change", "message"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_refuses_a_study_that_contradicts_itself(study, write_study, change, message):
    study = copy.deepcopy(study)
    path = write_study(study)
    change(study)
    path.write_text(json.dumps(study))
    with pytest.raises(DataError, match=rf"^study.json.*{message}"):
        StudyRecord.load(path)


def test_refuses_quality_rows_of_different_recipes(study, write_study):
    study["quality"][1]["rows"][0]["recipe"]["extractor"] = "inception"
    with pytest.raises(DataError, match=r"kid have different recipes \(extractor\)"):
        StudyRecord.load(write_study(study))


def test_quality_may_rest_on_different_numbers_of_images(study, write_study):
    study["quality"][1]["rows"][0]["recipe"]["held_out"] = 61
    quality = StudyRecord.load(write_study(study)).quality
    assert [part.rows[0].sizes for part in quality] == [
        (120, 60, 500),
        (120, 61, 500),
        (120, 60, 500),
    ]
