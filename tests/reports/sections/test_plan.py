"""What was planned, what was changed, and every look stand in the report."""

from dataclasses import replace

import pytest

from monai_gan_aug.records.results import TrainingOverlap
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.contents import gather
from monai_gan_aug.reports.markdown import render_markdown
from monai_gan_aug.reports.sections.plan import (
    changes,
    looks_table,
    overlap_sentence,
    plan_table,
    revisions_table,
)
from tests.drawing import draw_plan, draw_study, plain_study


def changed(study):
    """The study with another relevant effect and fewer seeds after the first look."""
    first = draw_plan()
    other = replace(first.plan, relevant_effect=0.9, seeds=(1, 2))
    plan = first.revised(other, "2026-12-01T00:00:00Z", results=True)
    plan = plan.looked("b" * 64, "2026-12-01T01:00:00Z", "underpowered", "Changed.")
    verdict = replace(study.verdict, look=2, changes=plan.changes, unused_seeds=(0, 7))
    return replace(study, plan=plan, verdict=verdict)


def test_a_kept_plan_says_the_same_twice():
    study = draw_study()
    assert all(planned == done for _, planned, done in plan_table(study).rows)
    assert not revisions_table(study).rows
    assert not changes(study.verdict)
    assert [row[0] for row in looks_table(study).rows] == ["1"]


def test_what_was_changed_stands_beside_what_was_planned():
    study = changed(draw_study())
    differing = [row for row in plan_table(study).rows if row[1] != row[2]]
    assert differing == [("relevant effect", "0.02", "0.9"), ("seeds", "0, 1, 2", "1, 2")]
    assert [row[2] for row in revisions_table(study).rows] == ["yes", "yes"]
    assert [(row[0], row[4]) for row in looks_table(study).rows] == [
        ("1", "no relevant gain"),
        ("2", "underpowered"),
    ]


@pytest.mark.parametrize("what", ["relevant effect: 0.02, then 0.9", "Seeds 0 and 7 have results"])
def test_changes_and_unused_seeds_are_in_every_report(write_study, what):
    study = changed(draw_study())
    contents = gather(write_study(plain_study(study)))
    assert StudyRecord.from_dict(study.to_dict()) == study
    assert any(what in sentence for sentence in contents.changes)
    assert what in render_markdown(contents, "files").replace("\\", "")


def test_the_overlap_is_said_in_words():
    assert "share 15% of their training patients" in overlap_sentence(TrainingOverlap(0.15))
    fixed = overlap_sentence(TrainingOverlap(0.0, ("unlabelled images",), 400))
    assert "unlabelled images are nearly the same" in fixed
    assert "400 patients" in fixed
