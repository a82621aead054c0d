"""Alarms of GAN training: in words, in the table and as symbols with a legend."""

from xml.etree import ElementTree

import pytest

from monai_gan_aug.records.curves import GuardEvent
from monai_gan_aug.records.study_reading import read_study
from monai_gan_aug.reports import figures, guards


def shown(svg):
    root = ElementTree.fromstring(svg)
    return {"".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")}


def test_every_alarm_stands_in_the_table(full_study, write_study):
    rows = guards.guards_table(read_study(write_study(full_study))).rows
    events = full_study["curves"]["gan"][1]["events"]
    assert [(row[2], row[4]) for row in rows] == [(e["step"], e["back_to"]) for e in events]


def test_no_alarm_and_no_record_are_told_apart(full_study, write_study):
    gans = full_study["curves"]["gan"]
    gans[1]["events"] = gans[2]["events"] = []
    read = read_study(write_study(full_study))
    assert guards.guards_sentence(read) == "No guard raised an alarm in 3 GAN runs."
    for gan in gans:
        gan["events"] = None
    read = read_study(write_study(full_study))
    assert guards.guards_sentence(read) == "Whether a guard raised an alarm was not recorded."


def test_runs_without_a_record_are_counted(full_study, write_study):
    sentence = guards.guards_sentence(read_study(write_study(full_study)))
    assert sentence.startswith("Guards raised alarms in 1 of 2 GAN runs")
    assert sentence.endswith("For 1 other it was not recorded.")


@pytest.mark.parametrize("kind", guards.KINDS)
def test_every_kind_has_its_symbol_and_its_words(full_study, write_study, kind):
    full_study["curves"]["gan"][0]["events"] = [{"kind": kind, "step": 40}] * 3
    curve = read_study(write_study(full_study)).curves.gan[0]
    svg = figures.gan_figure(curve)
    assert f"{guards.KINDS[kind].words} (3 \u00d7)" in shown(svg)
    assert guards.KINDS[kind].words in ElementTree.fromstring(svg).get("aria-label")


def test_symbols_of_kinds_differ():
    assert len({kind.marker for kind in guards.KINDS.values()}) == len(guards.KINDS)


def test_a_run_without_alarms_has_no_legend_of_them(full_study, write_study):
    curve = read_study(write_study(full_study)).curves.gan[0]
    words = {kind.words for kind in guards.KINDS.values()}
    assert not any(word in text for text in shown(figures.gan_figure(curve)) for word in words)


def test_many_alarms_are_counted_in_the_sentence():
    sentence = guards.events_sentence([GuardEvent("one_sided", step) for step in range(20)])
    assert sentence.endswith("; 15 more.")
