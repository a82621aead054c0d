"""The plan of a study: nothing changes in silence, and looking again costs nothing."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.plan import Plan, PlanRecord, unused_seeds

quick = settings(deadline=None, max_examples=60)

PLAN = Plan("gan", "classical", ("shuffled",), ("mixup", "longer"), "auc", 0.02, (0, 1, 2), (20,))
OTHER = {
    "arm": "warm_start",
    "baseline": "mixup",
    "matched": (),
    "controls": ("mixup",),
    "metric": "brier",
    "relevant_effect": 0.9,
    "seeds": (1, 2),
    "training_patients": (10, 20),
}
START = PlanRecord("2026-01-01T00:00:00", PLAN)


def looked(record, evidence="aa"):
    return record.looked(evidence, "2026-01-02T00:00:00", "underpowered", "A sentence.")


@pytest.mark.parametrize("name", [item.name for item in fields(Plan)])
def test_every_change_is_named_and_changes_the_hash(name):
    changed = replace(PLAN, **{name: OTHER[name]})
    assert len(PLAN.changes(changed)) == 1
    assert changed.sha256 != PLAN.sha256
    assert PLAN.changes(PLAN) == ()


@quick
@given(st.permutations(["a", "b", "c"]), st.permutations([3, 1, 2]))
def test_order_means_nothing(controls, seeds):
    plan = replace(PLAN, controls=tuple(controls), seeds=tuple(seeds))
    assert plan == replace(PLAN, controls=("a", "b", "c"), seeds=(1, 2, 3))
    assert plan.sha256 == replace(PLAN, controls=("a", "b", "c"), seeds=(1, 2, 3)).sha256


def test_running_an_unchanged_plan_again_is_no_look():
    once = looked(START)
    again = looked(once.revised(PLAN, "2026-01-03", results=True))
    assert again == once
    assert again.next_look("aa") == 1
    assert again.changes == ()


def test_new_results_of_the_same_plan_are_a_look():
    once = looked(START)
    assert once.next_look("bb") == 2
    assert [look.number for look in looked(once, "bb").looks] == [1, 2]


@pytest.mark.parametrize("name", [item.name for item in fields(Plan)])
def test_a_change_after_results_is_a_look_and_stays(name):
    record = looked(START).revised(replace(PLAN, **{name: OTHER[name]}), "later", results=False)
    assert record.revisions[0].after_results
    assert record.next_look("aa") == 2
    assert len(record.changes) == 1
    assert record.first == PLAN


def test_coming_back_to_the_first_plan_is_a_look():
    record = looked(looked(START).revised(replace(PLAN, seeds=(1, 2)), "later", results=True), "bb")
    back = record.revised(PLAN, "later still", results=True)
    assert back.changes == ()
    assert back.next_look("aa") == 3


def test_a_change_before_any_result_is_free():
    record = START.revised(replace(PLAN, metric="brier"), "soon", results=False)
    assert record.changes == ()
    assert record.planned.metric == "brier"
    assert record.next_look("aa") == 1


def test_a_change_when_results_lie_on_disk_counts_as_a_look_at_them():
    record = START.revised(replace(PLAN, metric="brier"), "soon", results=True)
    assert record.next_look("aa") == 2
    assert [look.number for look in looked(record).looks] == [2]
    assert looked(record).next_look("aa") == 2


@quick
@given(st.lists(st.sampled_from(["metric", "seeds", "arm", "look", "look elsewhere"]), max_size=12))
def test_numbers_of_looks_only_grow(steps):
    record, evidence = START, 0
    for step in steps:
        if step == "look":
            record = looked(record, str(evidence))
        elif step == "look elsewhere":
            evidence += 1
            record = looked(record, str(evidence))
        else:
            value = (
                OTHER[step] if getattr(record.plan, step) != OTHER[step] else getattr(PLAN, step)
            )
            record = record.revised(replace(record.plan, **{step: value}), "t", results=False)
    numbers = [look.number for look in record.looks]
    assert numbers == sorted(set(numbers))
    assert record.next_look("unseen") == len(numbers) + 1


def test_survives_the_disk(tmp_path):
    record = looked(looked(START).revised(replace(PLAN, seeds=(1, 2)), "later", results=True))
    record.save(tmp_path / "plan.json")
    assert PlanRecord.load(tmp_path / "plan.json") == record


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content["first"].update(relevant_effect=0.9),
        lambda content: content["looks"].clear(),
        lambda content: content.update(created="2020-01-01"),
    ],
)
def test_an_edited_file_is_refused(tmp_path, edit):
    path = tmp_path / "plan.json"
    looked(START).save(path)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"plan\.json was changed after it was written"):
        PlanRecord.load(path)


def test_says_what_to_do_about_a_missing_or_later_file(tmp_path):
    with pytest.raises(DataError, match="start the study"):
        PlanRecord.load(tmp_path / "plan.json")
    (tmp_path / "plan.json").write_text('{"schema": 2}')
    with pytest.raises(DataError, match="schema 2"):
        PlanRecord.load(tmp_path / "plan.json")
    (tmp_path / "plan.json").write_text("[")
    with pytest.raises(DataError, match="not a JSON file"):
        PlanRecord.load(tmp_path / "plan.json")


def test_a_plan_written_when_results_were_there_is_no_first_look():
    record = replace(START, after_results=True)
    assert record.next_look("aa") == 2
    assert "written when results were there" in record.changes[0]
    assert looked(record).next_look("aa") == 2


def test_unused_seeds_are_named():
    assert unused_seeds(replace(PLAN, seeds=(1, 2)), {0, 1, 2, 7}) == (0, 7)
