from xml.etree import ElementTree

import pytest

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections import forest


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter() if "}text" in e.tag]


def test_baseline_comes_first_and_arms_keep_their_order(study, write_study):
    study["comparisons"].reverse()
    groups = forest.forest_rows(StudyRecord.load(write_study(study)))
    assert [control for control, _ in groups] == ["classical", "classical_twice"]
    order = [arm["name"] for arm in study["arms"]][1:]
    assert [c.arm for c in groups[0][1]] == order


def test_other_metrics_are_left_to_the_table(study, write_study):
    study["comparisons"].append(dict(study["comparisons"][0], metric="brier"))
    rows = forest.forest_rows(StudyRecord.load(write_study(study)))
    assert {c.metric for _, group in rows for c in group} == {"auc"}


@pytest.mark.parametrize("layout", [forest.WIDE, forest.COMPACT], ids=["wide", "compact"])
def test_every_difference_is_written_out(study, write_study, layout):
    shown = " ".join(texts(forest.forest_plot(StudyRecord.load(write_study(study)), layout)))
    shown = shown.replace("\u00a0", " ")
    assert "+0.012 [\u22120.006, +0.030]" in shown
    assert "\u22120.033 [\u22120.051, \u22120.015]" in shown


def test_arrows_turn_round_when_lower_is_better(study, write_study):
    study["verdict"]["metric"] = "brier"
    for comparison in study["comparisons"]:
        comparison["metric"] = "brier"
    shown = texts(forest.forest_plot(StudyRecord.load(write_study(study))))
    assert "\u2190 arm better" in shown


def test_one_arm_far_off_does_not_squeeze_the_verdict(study, write_study):
    near = forest.forest_range(StudyRecord.load(write_study(study)))
    assert near[0] < -0.062 < 0.03 < near[1]
    study["comparisons"][1]["difference"].update(lower=-5, upper=5)
    low, high = forest.forest_range(StudyRecord.load(write_study(study)))
    assert -0.15 < low < high < 0.15


def test_draws_when_nothing_differs(study, write_study):
    study["verdict"]["relevant_effect"] = 0
    for comparison in study["comparisons"]:
        comparison["difference"].update(mean=0, lower=0, upper=0, per_seed=[0, 0, 0])
    shown = texts(forest.forest_plot(StudyRecord.load(write_study(study))))
    assert "0.000 [0.000,\u00a00.000]" in shown


@pytest.mark.parametrize("ends", [(-0.01, 0.02), (-0.9, 0.02), (-0.01, 0.9), (-0.9, 0.9)])
def test_a_seed_off_the_scale_leaves_an_arrow(study, write_study, ends, monkeypatch):
    drawn = set()
    plot = forest.Axes.plot

    def watched(axes, *arguments, **options):
        drawn.add(options.get("marker"))
        return plot(axes, *arguments, **options)

    monkeypatch.setattr(forest.Axes, "plot", watched)
    for comparison in study["comparisons"]:
        comparison["difference"]["per_seed"] = [0.0, *ends]
    forest.forest_plot(StudyRecord.load(write_study(study)))
    assert ("<" in drawn, ">" in drawn) == (ends[0] < -0.5, ends[1] > 0.5)
