"""Tables of arms, the training figure, and a publication beside them."""

import csv
import io
from xml.etree import ElementTree

import pytest

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.figures import smooth
from monai_gan_aug.reports.html import StudyReport
from monai_gan_aug.reports.sections import arms
from monai_gan_aug.reports.sections.arms import arms_table, classifier_figure, published_table
from monai_gan_aug.reports.table import Table

ERRATUM = "An accuracy lies between sensitivity and specificity."


def rows_of(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.to_csv().decode("utf-8-sig"))))


def test_csv_round_trips_every_estimate(study, write_study):
    table = arms_table(StudyRecord.load(write_study(study)))
    for row, arm in zip(rows_of(table), study["arms"], strict=True):
        for name, estimate in arm["metrics"].items():
            got = [float(row[f"{name}{end}"]) for end in ("", "_lower", "_upper")]
            assert got == [estimate["mean"], estimate["lower"], estimate["upper"]]


def test_metric_of_the_verdict_comes_first(study, write_study):
    study["verdict"]["metric"] = "brier"
    for comparison in study["comparisons"]:
        comparison["metric"] = "brier"
    columns = arms_table(StudyRecord.load(write_study(study))).columns
    assert columns[1].name == "brier"


def test_lesser_metrics_have_a_table_of_their_own(study, write_study):
    for arm in study["arms"]:
        arm["metrics"]["ece"] = dict(arm["metrics"]["auc"])
    read = StudyRecord.load(write_study(study))
    main, more = arms_table(read), arms_table(read, more=True)
    assert "ece" not in {column.name for column in main.columns}
    assert {column.name for column in more.columns} == {"arm", "ece", "role", "steps"}


def test_the_verdicts_metric_is_never_a_lesser_one(study, write_study):
    for arm in study["arms"]:
        arm["metrics"]["accuracy"] = dict(arm["metrics"]["auc"])
    study["verdict"]["metric"] = "accuracy"
    for comparison in study["comparisons"]:
        comparison["metric"] = "accuracy"
    read = StudyRecord.load(write_study(study))
    assert arms_table(read).columns[1].name == "accuracy"
    assert arms_table(read, more=True).rows == ()


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter() if "}text" in e.tag]


def test_the_training_figure_names_every_arm_and_shows_the_validation_auc(study, write_study):
    read = StudyRecord.load(write_study(study))
    shown = set(texts(classifier_figure(read)))
    assert {arm.title for arm in read.arms} <= shown
    assert {"Training loss", "Validation AUC"} <= shown


def test_seeds_are_averaged_at_every_step(study, write_study, monkeypatch):
    """Two seeds with other values give one point per step, not two above each other."""
    drawn = []

    def watched(steps, values, points):
        drawn.append((list(steps), list(values)))
        return smooth(steps, values, points)

    monkeypatch.setattr(arms, "smooth", watched)
    first, second = study["curves"]["classifier"][:2]
    second.update(arm=first["arm"], seed=1)
    study["curves"]["classifier"] = [first, second]
    for training, loss in ((first, [1.0, 0.5]), (second, [3.0, 1.5])):
        training["curves"] = {"step": [50, 60], "loss": loss, "validation_auc": [None, 0.5]}
    classifier_figure(StudyRecord.load(write_study(study)))
    assert drawn == [([50, 60], [2.0, 1.0]), ([60], [0.5])]


def test_without_a_validation_split_there_is_no_panel_for_it(study, write_study):
    for training in study["curves"]["classifier"]:
        curves = training["curves"]
        curves["validation_auc"] = [None] * len(curves["step"])
    shown = texts(classifier_figure(StudyRecord.load(write_study(study))))
    assert "Validation AUC" not in shown
    assert "Optimiser step" in shown


@pytest.fixture
def published(study):
    arm = study["arms"][0]["name"]
    study["published"] = {
        "caption": "S2, table 3",
        "n": "22 patients",
        "metrics": ["sensitivity", "specificity"],
        "rows": {arm: [0.72, None], "an arm not run": [0.5, 0.5]},
        "errata": [ERRATUM],
    }
    return study


def test_published_number_comes_before_ours(published, write_study):
    read = StudyRecord.load(write_study(published))
    (row,) = published_table(read).rows
    ours = read.arms[0].metrics["sensitivity"]
    assert row[0] == read.arms[0].title
    assert row[1] == 0.72
    assert tuple(row[2]) == (ours.mean, ours.lower, ours.upper)
    assert row[3] is None


def test_a_study_without_a_publication_has_no_such_table(study, write_study):
    assert published_table(StudyRecord.load(write_study(study))).rows == ()


def test_every_format_names_table_and_errata(published, write_study):
    html = StudyReport(write_study(published)).write()
    for path in (html, html.with_suffix(".md")):
        text = path.read_text()
        assert "Beside the publication" in text
        assert "S2, table 3" in text
        assert ERRATUM in text


def test_another_report_does_not_mention_one(study, write_study):
    assert "Beside the publication" not in StudyReport(write_study(study)).write().read_text()
