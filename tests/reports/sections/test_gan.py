"""Alarms of GAN training: in words, in the table and as symbols with a legend."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from monai_gan_aug.records.curves import GuardEvent
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections import gan


def shown(svg):
    root = ElementTree.fromstring(svg)
    return {"".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")}


def test_every_alarm_stands_in_the_table(full_study, write_study):
    rows = gan.guards_table(StudyRecord.load(write_study(full_study))).rows
    events = full_study["curves"]["gan"][1]["alarms"]
    assert [(row[2], row[4]) for row in rows] == [(e["step"], e.get("back_to")) for e in events]


def test_no_alarm_and_no_record_are_told_apart(full_study, write_study):
    gans = full_study["curves"]["gan"]
    gans[1]["alarms"] = gans[2]["alarms"] = []
    read = StudyRecord.load(write_study(full_study))
    assert gan.guards_sentence(read) == "No guard raised an alarm in 4 GAN runs."
    for run in gans:
        run["alarms"] = None
    read = StudyRecord.load(write_study(full_study))
    assert gan.guards_sentence(read) == "Whether a guard raised an alarm was not recorded."


def test_runs_without_a_record_are_counted(full_study, write_study):
    sentence = gan.guards_sentence(StudyRecord.load(write_study(full_study)))
    assert sentence.startswith("Guards raised alarms in 1 of 3 GAN runs")
    assert sentence.endswith("For 1 other it was not recorded.")


@pytest.mark.parametrize("kind", gan.KINDS)
def test_every_kind_has_its_symbol_and_its_words(full_study, write_study, kind):
    full_study["curves"]["gan"][0]["alarms"] = [{"kind": kind, "step": 40}] * 3
    curve = StudyRecord.load(write_study(full_study)).curves.gan[0]
    svg = gan.gan_figure(curve)
    assert f"{gan.KINDS[kind].words} (3 \u00d7)" in shown(svg)
    assert gan.KINDS[kind].words in ElementTree.fromstring(svg).get("aria-label")


def test_symbols_of_kinds_differ():
    assert len({kind.marker for kind in gan.KINDS.values()}) == len(gan.KINDS)


def test_a_run_without_alarms_has_no_legend_of_them(full_study, write_study):
    curve = StudyRecord.load(write_study(full_study)).curves.gan[0]
    words = {kind.words for kind in gan.KINDS.values()}
    assert not any(word in text for text in shown(gan.gan_figure(curve)) for word in words)


def test_many_alarms_are_counted_in_the_sentence():
    sentence = gan.events_sentence([GuardEvent("one_sided", step) for step in range(20)])
    assert sentence.endswith("; 15 more.")


def test_the_gan_of_unlabelled_images_is_shown_and_counted(full_study, write_study):
    read = StudyRecord.load(write_study(full_study))
    assert "with unlabelled images" in read.curves.gan[-1].name
    full_study["curves"]["gan"][-1]["alarms"] = [{"kind": "collapsed", "step": 7}]
    read = StudyRecord.load(write_study(full_study))
    assert gan.guards_table(read).rows[-1][:3] == (read.curves.gan[-1].name, "0", 7)


def test_penalties_have_a_panel_of_their_own(study, write_study):
    curves = study["curves"]["gan"][0]["curves"]
    without = gan.gan_figure(StudyRecord.load(write_study(study)).curves.gan[0])
    assert "r1" not in shown(without)
    curves["penalties"] = {"penalty/r1": [0.5] * len(curves["step"])}
    assert "r1" in shown(gan.gan_figure(StudyRecord.load(write_study(study)).curves.gan[0]))


def test_gan_figure_draws_a_run_that_diverged(study, write_study):
    training = StudyRecord.load(write_study(study)).curves.gan[0]
    none = (None,) * len(training.curves.step)
    curves = replace(training.curves, g_loss=none, d_loss=none, d_real=none, d_fake=none)
    assert "D(real)" in shown(gan.gan_figure(replace(training, curves=curves)))
