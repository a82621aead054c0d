"""Where the images came from, every setting, and the chain of hashes."""

import pytest

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections.provenance import (
    cohort_table,
    recipe_table,
    seeds_table,
    timing_table,
)


def test_cohort_averages_over_seeds(study, write_study):
    rows = {r[0]: r for r in cohort_table(StudyRecord.load(write_study(study))).rows}
    assert rows["PNEUMONIA"][4] == pytest.approx((80 + 81 + 82) / 3)
    assert rows["NORMAL"][1:5] == (410, 60, 20, 40)


def test_recipe_is_flattened_to_dotted_names(study, write_study):
    study["recipe"]["gan"]["optimiser"] = {"betas": [0.0, 0.9], "decay": None}
    rows = dict(recipe_table(StudyRecord.load(write_study(study))).rows)
    assert rows["gan.optimiser.betas"] == "0.0, 0.9"
    assert rows["gan.optimiser.decay"] == "none"
    assert rows["quality.kid.extractor"] == "small_cnn"


def test_timing_shares_are_of_the_total(study, write_study):
    rows = timing_table(StudyRecord.load(write_study(study))).rows
    assert rows[0] == ("gan", "12 min 34 s", "71%")


def test_how_the_split_was_asked_for_is_among_the_settings(study, write_study):
    study["recipe"]["split"] = {"training_patients_per_class": [10, 60], "test": 0.3}
    rows = dict(recipe_table(StudyRecord.load(write_study(study))).rows)
    assert rows["split.training_patients_per_class"] == "10, 60"
    assert rows["split.test"] == "0.3"


def test_every_gan_of_every_size_has_its_hashes(full_study, write_study):
    table = seeds_table(StudyRecord.load(write_study(full_study)))
    shown = {(row[0], row[1], row[3]) for row in table.rows}
    for size in ("all", "10", "25"):  # sixty patients are the study itself
        for seed in ("0", "1", "2"):
            assert {(size, seed, "all classes"), (size, seed, "with unlabelled images")} <= shown
    assert len(table.rows) == len(shown) == 18


def test_a_seed_without_a_gan_still_shows_its_split(study, write_study):
    for record in study["seeds"]:
        record["gans"] = []
    rows = seeds_table(StudyRecord.load(write_study(study))).rows
    assert [row[1] for row in rows] == [record["split_sha256"] for record in study["seeds"]]
