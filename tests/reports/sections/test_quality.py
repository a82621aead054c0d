"""Tables of image quality say how a number reads, and never mix recipes."""

import csv
import io
import json

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.quality import QualityRow
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections.quality import (
    QualityTable,
    quality_table,
    screening_table,
    selection_table,
    sets_table,
)


def row(name, metric="mdsi", value=0.5, baseline=0.4, lower=True, **more):
    return QualityRow(metric, value, baseline, lower, more.pop("recipe", {}), set=name, **more)


def test_each_number_is_read_against_real_images(study, write_study):
    study["quality"][0]["rows"][0].update(value=0.003)
    read = StudyRecord.load(write_study(study))
    (found,) = quality_table(read).rows
    assert found[0] == "KID (lower is better)"
    assert found[5] == "worse than real in 2 of 3 repeats"


def test_higher_is_better_turns_the_reading_round(study, write_study):
    for item in (row for part in study["quality"] for row in part["rows"]):
        item.update(metric="coverage", lower_is_better=False, value=0.9, real_versus_real=0.8)
    (found,) = quality_table(StudyRecord.load(write_study(study))).rows
    assert found[5] == "worse than real in 0 of 3 repeats"


def test_several_seeds_show_mean_and_range(study, write_study):
    found = quality_table(StudyRecord.load(write_study(study))).rows[0][2]
    assert tuple(found) == pytest.approx((0.071, 0.061, 0.081))


def test_classes_have_their_own_table(study, write_study):
    read = StudyRecord.load(write_study(study))
    assert {r[1] for r in quality_table(read).rows} == {"all"}
    assert {r[1] for r in quality_table(read, by_class=True).rows} == {"NORMAL", "PNEUMONIA"}


def test_the_screen_stands_beside_its_control(study, write_study):
    rows = screening_table(StudyRecord.load(write_study(study))).rows
    assert len(rows) == 3
    assert rows[0][0] == "Membership AUC, by pixels"
    assert tuple(rows[0][3]) == (0.55, 0.46, 0.64)
    assert rows[0][4] == 0.5


def test_sets_are_lines_and_real_images_the_last_one():
    table = sets_table([row("DC-GAN"), row("DC-GAN", "psnr", 12.9, 14, False), row("W-GAN")])
    assert [column.title for column in table.columns] == ["Set", "MDSI \u2193", "PSNR \u2191"]
    assert [line[0] for line in table.rows] == ["DC-GAN", "W-GAN", "Real versus real"]
    assert table.rows[1][2] is None
    assert table.rows[2][1:] == (0.4, 14)


@pytest.mark.parametrize("other", [row("b", recipe={"pairing": "nearest"}), row("b", baseline=0.3)])
def test_sets_measured_in_different_ways_share_no_table(other):
    with pytest.raises(DataError, match="evaluate all sets in one run"):
        sets_table([row("a"), other])


def test_a_quality_file_becomes_markdown_and_csv(tmp_path):
    items = [
        {
            "set": name,
            "metric": "kid",
            "value": value,
            "real_versus_real": 0.1,
            "lower_is_better": True,
            "recipe": {},
            "interval": [0.1, 0.9],
        }
        for name, value in (("one", 0.5), ("two", 0.6))
    ]
    (tmp_path / "quality.json").write_text(json.dumps(items))
    written = QualityTable(tmp_path / "quality.json").write()
    assert "| two |" in written.read_text()
    lines = list(csv.DictReader(io.StringIO((tmp_path / "quality.csv").read_text("utf-8-sig"))))
    assert [line["kid"] for line in lines] == ["0.5", "0.6", "0.1"]
    assert lines[0]["kid_upper"] == "0.9"


def test_no_quality_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"run evaluate\.yaml"):
        QualityTable(tmp_path / "quality.json").write()


def test_a_selection_stands_beside_as_many_images_at_random(full_study, write_study):
    table = selection_table(StudyRecord.load(write_study(full_study)))
    assert len(table.rows) == 6
    normal, pneumonia = (
        dict(zip([column.name for column in table.columns], row, strict=True))
        for row in table.rows[:2]
    )
    assert (normal["coverage_selected"], normal["coverage_random"]) == (0.55, 0.7)
    assert normal["coverage_lost"] == pytest.approx(0.15)
    assert pneumonia["coverage_selected"] is None  # too few images to tell
