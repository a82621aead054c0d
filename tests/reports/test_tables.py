import csv
import io

import pytest

from monai_gan_aug.records.study_reading import read_study
from monai_gan_aug.reports import tables
from monai_gan_aug.reports.tables import Column, Interval, Table


def rows_of(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.to_csv().decode("utf-8-sig"))))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", "  =", "\n", "\uff1d"])
def test_csv_escapes_formulas(start):
    table = Table("t", "", (Column("A", "a"),), ((f"{start}cmd|'/c calc'!A0",),))
    assert rows_of(table)[0]["a"].startswith("'")


def test_csv_escapes_formulas_in_headings():
    table = Table("t", "", (Column("A", "=1+1"),), (("x",),))
    assert list(rows_of(table)[0]) == ["'=1+1"]


def test_csv_keeps_negative_numbers_as_numbers():
    cell = Interval(-0.1, -0.123456789, 0.5)
    table = Table("t", "", (Column("A", "a"), Column("B", "b")), ((cell, -3), (None, 4)))
    first, second = rows_of(table)
    assert first == {"a": "-0.1", "a_lower": "-0.123456789", "a_upper": "0.5", "b": "-3"}
    assert second == {"a": "", "a_lower": "", "a_upper": "", "b": "4"}


def test_csv_round_trips_every_estimate(study, write_study):
    table = tables.arms_table(read_study(write_study(study)))
    for row, arm in zip(rows_of(table), study["arms"], strict=True):
        for name, estimate in arm["metrics"].items():
            got = [float(row[f"{name}{end}"]) for end in ("", "_lower", "_upper")]
            assert got == [estimate["mean"], estimate["lower"], estimate["upper"]]


def test_metric_of_the_verdict_comes_first(study, write_study):
    study["verdict"]["metric"] = "brier"
    for comparison in study["comparisons"]:
        comparison["metric"] = "brier"
    columns = tables.arms_table(read_study(write_study(study))).columns
    assert columns[1].name == "brier"


def test_cohort_averages_over_seeds(study, write_study):
    rows = {r[0]: r for r in tables.cohort_table(read_study(write_study(study))).rows}
    assert rows["PNEUMONIA"][4] == pytest.approx((80 + 81 + 82) / 3)
    assert rows["NORMAL"][1:5] == (410, 60, 20, 40)


def test_recipe_is_flattened_to_dotted_names(study, write_study):
    study["recipe"]["gan"]["optimiser"] = {"betas": [0.0, 0.9], "decay": None}
    rows = dict(tables.recipe_table(read_study(write_study(study))).rows)
    assert rows["gan.optimiser.betas"] == "0.0, 0.9"
    assert rows["gan.optimiser.decay"] == "none"
    assert rows["quality.kid.extractor"] == "small_cnn"


def test_timing_shares_are_of_the_total(study, write_study):
    rows = tables.timing_table(read_study(write_study(study))).rows
    assert rows[0] == ("gan", "12 min 34 s", "71%")


def test_lesser_metrics_have_a_table_of_their_own(study, write_study):
    for arm in study["arms"]:
        arm["metrics"]["ece"] = dict(arm["metrics"]["auc"])
    read = read_study(write_study(study))
    main, more = tables.arms_table(read), tables.arms_table(read, more=True)
    assert "ece" not in {column.name for column in main.columns}
    assert {column.name for column in more.columns} == {"arm", "ece", "role", "steps"}


def test_the_verdicts_metric_is_never_a_lesser_one(study, write_study):
    for arm in study["arms"]:
        arm["metrics"]["accuracy"] = dict(arm["metrics"]["auc"])
    study["verdict"]["metric"] = "accuracy"
    for comparison in study["comparisons"]:
        comparison["metric"] = "accuracy"
    read = read_study(write_study(study))
    assert tables.arms_table(read).columns[1].name == "accuracy"
    assert tables.arms_table(read, more=True).rows == ()
