"""A published table stands beside ours, with its errata, in every format."""

import pytest

from monai_gan_aug.records.study_reading import read_study
from monai_gan_aug.reports.html import StudyReport
from monai_gan_aug.reports.published import published_table

ERRATUM = "An accuracy lies between sensitivity and specificity."


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
    read = read_study(write_study(published))
    (row,) = published_table(read).rows
    ours = read.arms[0].metrics["sensitivity"]
    assert row[0] == read.arms[0].title
    assert row[1] == 0.72
    assert tuple(row[2]) == (ours.mean, ours.lower, ours.upper)
    assert row[3] is None


def test_a_study_without_a_publication_has_no_such_table(study, write_study):
    assert published_table(read_study(write_study(study))).rows == ()


def test_every_format_names_table_and_errata(published, write_study):
    html = StudyReport(write_study(published)).write()
    for path in (html, html.with_suffix(".md")):
        text = path.read_text()
        assert "Beside the publication" in text
        assert "S2, table 3" in text
        assert ERRATUM in text


def test_another_report_does_not_mention_one(study, write_study):
    assert "Beside the publication" not in StudyReport(write_study(study)).write().read_text()
