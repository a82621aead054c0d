"""External test sets: what is said of them stands beside what was found at home."""

import csv
import io
import itertools
import re
from typing import get_args

import pytest

from monai_gan_aug.records.results import Word
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.contents import gather
from monai_gan_aug.reports.markdown import render_markdown
from monai_gan_aug.reports.model_card import model_card
from monai_gan_aug.reports.sections import external

WORDS = get_args(Word)


@pytest.fixture
def read(full_study, write_study):
    return StudyRecord.load(write_study(full_study))


def found(results, *wanted):
    """The difference of two arms, read from the plain content."""
    rows = {(c["arm"], c["control"]): c["difference"] for c in results["comparisons"]}
    return tuple(rows[wanted][key] for key in ("mean", "lower", "upper"))


def metric(results, arm, name="auc"):
    value = {one["name"]: one for one in results["arms"]}[arm]["metrics"][name]
    return tuple(value[key] for key in ("mean", "lower", "upper"))


def test_every_set_has_its_arms_beside_their_values_at_home(full_study, read):
    arm, (baseline, other) = full_study["verdict"]["arm"], full_study["verdict"]["controls"]
    for one, content in zip(external.test_sets(read), full_study["external"], strict=True):
        assert one.name == content["name"]
        rows = one.table.rows
        for row, name in zip(rows, (baseline, arm, other), strict=True):
            assert row[1:3] == (metric(full_study, name), metric(content, name))
        assert rows[1][3:] == (None, None)
        for row, control in ((rows[0], baseline), (rows[2], other)):
            assert row[3:] == (found(full_study, arm, control), found(content, arm, control))


def test_every_difference_stands_in_csv_beside_that_at_home(full_study, read):
    text = external.external_table(read).to_csv().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    wanted = [(one, c) for one in full_study["external"] for c in one["comparisons"]]
    titles = {arm["name"]: arm["title"] for arm in full_study["arms"]}
    for row, (one, c) in zip(rows, wanted, strict=True):
        assert (row["set"], row["arm"]) == (one["name"], titles[c["arm"]])
        ends = ("", "_lower", "_upper")
        for place, results in (("own", full_study), ("external", one)):
            for what, values in (
                ("difference", found(results, c["arm"], c["control"])),
                ("arm", metric(results, c["arm"])),
                ("control", metric(results, c["control"])),
            ):
                assert tuple(float(row[f"{what}_{place}{end}"]) for end in ends) == values
        assert row["primary"] == ("yes" if c["primary"] else "no")


def test_every_metric_of_every_arm_stands_at_every_set(full_study, read):
    table = external.external_arms_table(read)
    names = [column.name for column in table.columns[2:]]
    wanted = [(one, arm) for one in full_study["external"] for arm in one["arms"]]
    for row, (one, arm) in zip(table.rows, wanted, strict=True):
        assert row[0] == one["name"]
        assert list(row[2:]) == [metric(one, arm["name"], name) for name in names]


def test_a_sweep_repeats_every_set_whatever_their_order(full_study, write_study):
    full_study["sweep"][1]["external"].reverse()
    table = external.external_sweep_table(StudyRecord.load(write_study(full_study)))
    wanted = [
        (one["name"], str(point["training_patients_per_class"]), one)
        for name in ("other_hospital", "other_country")
        for point in full_study["sweep"]
        for one in point["external"]
        if one["name"] == name
    ]
    for row, (name, size, one) in zip(table.rows, wanted, strict=True):
        assert row[:2] == (name, size)
        assert row[2] == metric(one, "classical")
        assert row[3] == found(one, "real_plus_synthetic", "classical")
        assert row[-1] == one["verdict"]["word"]


@pytest.mark.parametrize(("own", "here"), list(itertools.product(WORDS, WORDS)))
def test_a_gain_travels_only_if_both_verdicts_say_so(own, here):
    sentence = external.reading(own, here)
    assert ("gain is seen here as well" in sentence) is (own == here == "helps")
    assert ("harm is seen here as well" in sentence) is (own == here == "harms")
    surprising = own not in ("helps", "harms") and here in ("helps", "harms")
    assert ("take it as a hint" in sentence) is surprising
    open_here = own in ("helps", "harms") and here == "underpowered"
    assert ("stays open" in sentence) is open_here


def test_counts_name_every_class_unless_there_are_many(full_study, write_study):
    contents = gather(write_study(full_study))
    assert contents.external[0].counts == (
        "NORMAL 150 images of 70 patients; PNEUMONIA 210 images of 66 patients. "
        "Patients were told apart by: column patient_id."
    )
    for part in ("images", "patients"):
        for i in range(4):
            full_study["dataset"][part][f"c{i}"] = 9
            for record in full_study["seeds"]:
                for split in record[part].values():
                    split[f"c{i}"] = 1
            for place in (full_study, *full_study["sweep"]):
                for one in place["external"]:
                    one[part][f"c{i}"] = {"images": 30, "patients": 20}[part] + i
    full_study["dataset"]["labels"] += [f"c{i}" for i in range(4)]
    for arm in full_study["arms"] + [a for p in full_study["sweep"] for a in p["arms"]]:
        arm["confusion"] = [[5] * 6] * 6
    counts = gather(write_study(full_study)).external[0].counts
    assert counts.startswith("30\u2013210 images of 20\u201370 patients in each of 6 classes.")


def test_without_patient_ids_no_patients_are_counted(full_study, write_study):
    full_study["external"][0]["grouping"] = "none"
    counts = gather(write_study(full_study)).external[0].counts
    assert counts == "NORMAL 150 images; PNEUMONIA 210 images. Patients were told apart by: none."


def test_says_which_way_is_better_when_it_is_lower(full_study, write_study):
    assert "Lower is better" not in gather(write_study(full_study)).external[0].table.caption
    for place in (full_study, *full_study["sweep"]):
        for results in (place, *place["external"]):
            results["verdict"]["metric"] = "brier"
            for comparison in results["comparisons"]:
                comparison["metric"] = "brier"
    assert "Lower is better" in gather(write_study(full_study)).external[0].table.caption


def test_names_are_inert_in_text_and_card(full_study, write_study):
    hostile = "<script>x</script> [a](http://b)|*c*"
    for place in (full_study, *full_study["sweep"]):
        place["external"][0]["name"] = hostile
    full_study["external"][0].update(caveats=[hostile], grouping=hostile)
    contents = gather(write_study(full_study))
    for text in (render_markdown(contents, "files"), model_card(contents)):
        assert "<script" not in text
        assert not re.search(r"(?<!!)(?<!\\)\[a", text)


def test_a_study_without_other_sets_says_nothing_of_them(study, write_study):
    contents = gather(write_study(study))
    assert contents.external == ()
    names = ("external", "external-arms", "external-sweep")
    assert all(contents.tables[name].rows == () for name in names)
    for text in (render_markdown(contents, "files"), model_card(contents)):
        assert "ther test sets" not in text
