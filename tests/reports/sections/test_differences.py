"""Tables of differences and claims, against the numbers of the study."""

import pytest

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections import differences


def test_every_difference_has_its_p_values_and_what_it_would_take(full_study, write_study):
    table = differences.comparisons_table(StudyRecord.load(write_study(full_study)))
    places = {column.name: i for i, column in enumerate(table.columns)}
    for row, c in zip(table.rows, full_study["comparisons"], strict=True):
        assert row[places["p_value"]] == c["p_value"]
        assert row[places["p_holm"]] == c.get("p_holm")
        for name in ("seeds_needed", "patients_needed"):
            needed = c.get(name)
            shown = needed and (needed["likely"], needed["low"], needed["high"])
            assert row[places[name]] == (shown or "no number would do")


def test_a_study_without_candidates_makes_no_claim(study, write_study):
    read = StudyRecord.load(write_study(study))
    assert differences.claims_sentences(read) == ()
    assert differences.claims_table(read).rows == ()


def test_single_splits_have_a_line_for_each_seed(full_study, write_study):
    rows = differences.splits_table(StudyRecord.load(write_study(full_study))).rows
    assert len(rows) == 3 * len(full_study["comparisons"])
    first = full_study["comparisons"][0]
    assert [row[3] for row in rows[:3]] == first["difference"]["per_seed"]
    assert [row[4] for row in rows[:3]] == [split["delong"] for split in first["single_splits"]]


def test_single_splits_without_tests_still_show_their_differences(study, write_study):
    rows = differences.splits_table(StudyRecord.load(write_study(study))).rows
    assert [row[3] for row in rows[:3]] == study["comparisons"][0]["difference"]["per_seed"]
    assert {row[4:] for row in rows} == {(None, None)}


@pytest.mark.parametrize(("holm", "word"), [(0.049, "yes"), (0.05, "not shown"), (1, "not shown")])
def test_a_claim_needs_a_corrected_p_below_five_percent(full_study, write_study, holm, word):
    full_study["corrected"]["every_control"][0]["holm"] = holm
    (first, _) = differences.claims_table(StudyRecord.load(write_study(full_study))).rows
    assert first[3:] == (word, holm)


def test_claims_in_words_when_none_holds(full_study, write_study):
    for claim in full_study["corrected"]["verdict_controls"]:
        claim["holm"] = 1.0
    assert differences.claims_sentences(StudyRecord.load(write_study(full_study))) == (
        "No candidate beats every control of the verdict after correction.",
        "No candidate beats every control after correction.",
    )


def test_claims_in_words_name_who_holds_them(full_study, write_study):
    for claim in full_study["corrected"]["every_control"]:
        claim["holm"] = 0.001
    sentences = differences.claims_sentences(StudyRecord.load(write_study(full_study)))
    assert sentences[0].startswith("“Real + synthetic, half of each batch” beats every")
    assert sentences[1] == (
        "“Real + synthetic, half of each batch” and “Warm start on synthetic” beat every control "
        "after correction."
    )
