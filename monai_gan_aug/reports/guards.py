"""Alarms of the guards of GAN training, in words and as a table."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from monai_gan_aug.records.curves import GuardEvent
from monai_gan_aug.records.study import Study
from monai_gan_aug.reports.tables import Cell, Column, Table
from monai_gan_aug.reports.wording import listing

__all__ = [
    "KINDS",
    "EventKind",
    "event_counts",
    "events_sentence",
    "guards_sentence",
    "guards_table",
]


class EventKind(NamedTuple):
    """How one kind of alarm is drawn and called."""

    marker: str
    words: str


KINDS = {
    "one_sided": EventKind("v", "discriminator has won"),
    "collapsed": EventKind("s", "images nearly the same"),
    "gradient_exploded": EventKind("^", "gradient too long"),
    "not_finite": EventKind("X", "loss not finite"),
    "rolled_back": EventKind("<", "rolled back"),
}


SHOWN = 6


def event_counts(events: Iterable[GuardEvent]) -> dict[str, int]:
    """How often each kind occurred, in the order of :data:`KINDS`."""
    counts: Counter[str] = Counter(event.kind for event in events)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def events_sentence(events: Iterable[GuardEvent] | None) -> str:
    """What the guards of one run said.

    Example:
        >>> events_sentence([GuardEvent("one_sided", 40), GuardEvent("rolled_back", 40, 20)])
        'Guards: discriminator has won at step 40; rolled back from step 40 to 20.'
        >>> events_sentence([])
        'No guard raised an alarm.'
    """
    if events is None:
        return "Whether a guard raised an alarm was not recorded."
    parts = [_words(event) for event in events]
    if len(parts) > SHOWN:
        parts = [*parts[: SHOWN - 1], f"{len(parts) - SHOWN + 1} more"]
    return f"Guards: {'; '.join(parts)}." if parts else "No guard raised an alarm."


def _words(event: GuardEvent) -> str:
    words = KINDS[event.kind].words
    if event.back_to is not None:
        return f"{words} from step {event.step} to {event.back_to}"
    return f"{words} at step {event.step}"


def guards_sentence(study: Study) -> str:
    """What the guards of all GAN runs said; empty without GAN runs."""
    runs = study.curves.gan
    if not runs:
        return ""
    known = [run.events for run in runs if run.events is not None]
    unknown = len(runs) - len(known)
    rest = (
        f" For {unknown} other{'s' * (unknown > 1)} it was not recorded."
        if unknown and known
        else ""
    )
    if not known:
        return "Whether a guard raised an alarm was not recorded."
    alarmed = sum(bool(events) for events in known)
    of_all = f"{len(known)} GAN run{'s' if len(known) > 1 else ''}"
    if not alarmed:
        return f"No guard raised an alarm in {of_all}.{rest}"
    counts = event_counts(event for events in known for event in events)
    shown = listing(f"{KINDS[kind].words} ({count} \u00d7)" for kind, count in counts.items())
    return f"Guards raised alarms in {alarmed} of {of_all}: {shown}.{rest}"


def guards_table(study: Study) -> Table:
    """Every alarm of every GAN run; without rows if there was none."""
    columns = (
        Column("GAN", "gan"),
        Column("Seed", "seed"),
        Column("Step", "step"),
        Column("What happened", "kind"),
        Column("Back to step", "back_to"),
    )
    rows: list[tuple[Cell, ...]] = [
        (run.name, str(run.seed), event.step, KINDS[event.kind].words, event.back_to)
        for run in study.curves.gan
        for event in run.events or ()
    ]
    return Table("guards", "Alarms of the guards during GAN training", columns, tuple(rows))
