"""Sweeps and sample-size equivalents: what is drawn and said is what the study holds."""

import csv
import io
from xml.etree import ElementTree

import pytest

from monai_gan_aug.records.results import SampleSizeEquivalent
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections import scarcity


@pytest.fixture
def read(full_study, write_study):
    return StudyRecord.load(write_study(full_study))


def test_the_best_other_control_is_drawn_beside_baseline_and_candidate(full_study, write_study):
    classical, twice, real = (full_study["arms"][i]["name"] for i in range(3))
    read = StudyRecord.load(write_study(full_study))
    assert scarcity.heavy_arms(read) == ("real_plus_synthetic", classical, twice)
    full_study["arms"][2]["role"] = "control"
    for point in full_study["sweep"]:
        point["arms"][2]["metrics"]["auc"].update(mean=0.99, upper=1.0)
    read = StudyRecord.load(write_study(full_study))
    assert scarcity.heavy_arms(read) == ("real_plus_synthetic", classical, real)


def test_every_size_has_its_baseline_differences_and_word(full_study, read):
    table = scarcity.sweep_table(read)
    for row, point in zip(table.rows, full_study["sweep"], strict=True):
        baseline = point["arms"][0]["metrics"]["auc"]
        assert row[0] == str(point["training_patients_per_class"])
        assert tuple(row[1]) == (baseline["mean"], baseline["lower"], baseline["upper"])
        wanted = [
            c["difference"]["mean"]
            for c in point["comparisons"]
            if c["arm"] == "real_plus_synthetic"
        ]
        assert [cell.value for cell in row[2:4]] == wanted
        assert row[-1] == point["verdict"]["word"]


def test_every_arm_stands_at_every_size(full_study, read):
    table = scarcity.sweep_arms_table(read)
    for row, arm in zip(table.rows, full_study["arms"], strict=True):
        assert row[0] == arm["title"]
        values = [
            next(a for a in point["arms"] if a["name"] == arm["name"])["metrics"]["auc"]["mean"]
            for point in full_study["sweep"]
        ]
        assert [cell.value for cell in row[1:]] == values


def test_the_figure_says_its_numbers_to_a_screen_reader(read):
    root = ElementTree.fromstring(scarcity.scarcity_figure(read))
    assert "10 patients: Real + synthetic, half of each batch 0.833" in root.get("aria-label")
    shown = {"".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")}
    assert {"10", "25", "60", "3 other arms (numbers in the table)"} <= shown


def test_a_single_size_has_a_table_and_no_figure(full_study, write_study):
    from monai_gan_aug.reports.contents import gather

    full_study["sweep"] = full_study["sweep"][:1]
    contents = gather(write_study(full_study))
    assert "scarcity" not in contents.drawings
    assert len(contents.tables["sweep"].rows) == 1


@pytest.mark.parametrize(
    ("where", "ends", "words"),
    [
        ("inside", (62.0, 41.0, 90.0), "≈ 62 real patients [41 to 90]"),
        ("inside", (62.0, None, None), "≈ 62 real patients [fewer than 30 to more than 120]"),
        ("below", (None, None, 45.0), "below the curve: fewer than 30 real patients, interval up"),
        ("below", (None, None, None), "below the curve: fewer than 30 real patients"),
        ("above", (None, 70.0, None), "above the curve: more than 120 real patients, interval fr"),
    ],
)
def test_an_equivalent_in_words(where, ends, words):
    row = SampleSizeEquivalent("a", where, *ends, (30, 120))
    assert scarcity.equivalent_sentence(row).startswith(words)


def test_equivalents_stand_in_csv_and_not_twice_on_the_page(full_study, read):
    table = scarcity.equivalent_table(read)
    rows = list(csv.DictReader(io.StringIO(table.to_csv().decode("utf-8-sig"))))
    assert rows[0]["patients"] == str(full_study["sample_size_equivalent"][0]["patients"])
    assert rows[1]["where"] == "below"
    assert [column.name for column in table.shown.columns] == ["arm", "reading"]
