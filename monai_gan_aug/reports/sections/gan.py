"""How the GANs were trained: curves, and the alarms of the guards in words and as a table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_gan_aug.records.curves import AlarmKind, GuardEvent, Series
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.records.study_parts import GanTraining
from monai_gan_aug.reports.figures import line_style, smooth
from monai_gan_aug.reports.palette import PALETTE
from monai_gan_aug.reports.svg import STYLE, figure_svg
from monai_gan_aug.reports.table import Cell, Column, Table
from monai_gan_aug.reports.wording import listing

__all__ = [
    "KINDS",
    "EventKind",
    "event_counts",
    "events_sentence",
    "gan_figure",
    "guards_sentence",
    "guards_table",
]


class EventKind(NamedTuple):
    """How one kind of alarm is drawn and called."""

    marker: str
    words: str


KINDS: dict[AlarmKind, EventKind] = {
    "one_sided": EventKind("v", "discriminator has won"),
    "collapsed": EventKind("s", "images nearly the same"),
    "gradient_exploded": EventKind("^", "gradient too long"),
    "not_finite": EventKind("X", "loss not finite"),
    "rolled_back": EventKind("<", "rolled back"),
}

SHOWN = 6
STRIP = -0.11  # where alarms stand, in heights of the upper panel
PANEL, ROW = 1.2425, 1.61  # inches of a panel, and from one to the next


def event_counts(events: Iterable[GuardEvent]) -> dict[AlarmKind, int]:
    """How often each kind occurred, in the order of :data:`KINDS`."""
    counts: Counter[AlarmKind] = Counter(event.kind for event in events)
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


def guards_sentence(study: StudyRecord) -> str:
    """What the guards of all GAN runs said; empty without GAN runs."""
    runs = study.curves.gan
    if not runs:
        return ""
    known = [run.alarms for run in runs if run.alarms is not None]
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


def guards_table(study: StudyRecord) -> Table:
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
        for event in run.alarms or ()
    ]
    return Table("guards", "Alarms of the guards during GAN training", columns, tuple(rows))


def gan_figure(training: GanTraining, index: int = 0) -> str:
    """Losses, discriminator outputs and penalties; alarms of the guards as symbols in between."""
    curves, alarms = training.curves, training.alarms or ()
    kinds = list(event_counts(alarms))
    room = 0.19 * len(kinds) + 0.14 * bool(kinds)
    panels: list[dict[str, Series]] = [
        {"generator loss": curves.g_loss, "discriminator loss": curves.d_loss},
        {"D(real)": curves.d_real, "D(fake)": curves.d_fake},
        *(
            [{_term(name): series for name, series in curves.penalties.items()}]
            if curves.penalties
            else []
        ),
    ]
    height = 0.28 + ROW * len(panels) + room
    with rc_context(STYLE):
        figure = Figure(figsize=(3.7, height))
        axes: list[Axes] = []
        for row, series in enumerate(panels):
            bottom = 0.4025 + room + ROW * (len(panels) - 1 - row)
            place = (0.13, bottom / height, 0.85, PANEL / height)
            axes.append(figure.add_axes(place, sharex=axes[0] if axes else None))
            _lines(axes[-1], curves.step, series)
            axes[-1].tick_params(labelbottom=row == len(panels) - 1)
        outputs = [v for v in (*curves.d_real, *curves.d_fake) if v is not None]
        if outputs and min(outputs) >= 0 and max(outputs) <= 1:
            axes[1].set_ylim(-0.03, 1.03)
            axes[1].axhline(0.5, color=PALETTE["muted"].light, linewidth=0.7)
        axes[-1].set_xlabel("Training step")
        marks = _mark_events(axes, alarms)
        if marks:
            figure.legend(*marks, loc="lower left", bbox_to_anchor=(0.1, 0), handlelength=1.2)
        alt = (
            f"Training curves of the GAN for {training.name}, seed {training.seed}: "
            "losses of both networks, and the discriminator's output on real and generated images. "
            f"{events_sentence(training.alarms)}"
        )
        return figure_svg(figure, f"gan-{index}", alt)


def _term(name: str) -> str:
    """A penalty as the legend calls it."""
    return name.removeprefix("penalty/").replace("_", " ")


def _mark_events(
    panels: Sequence[Axes], events: Sequence[GuardEvent]
) -> tuple[list[Any], list[str]] | None:
    """A symbol below the first panel for every alarm; returns what the legend needs.

    A rollback is a line from the step it was asked for to the step it went back to.
    """
    marks: dict[AlarmKind, Any] = {}
    top = panels[0]
    ink = PALETTE["ink"].light
    place: dict[str, Any] = {"transform": top.get_xaxis_transform(), "clip_on": False}
    for event in events:
        end = event.step if event.back_to is None else event.back_to
        for axes in panels:
            axes.axvline(end, color=ink, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
        top.plot([event.step, end], [STRIP, STRIP], color=ink, linewidth=1.2, **place)
        (marks[event.kind],) = top.plot(
            [end],
            [STRIP],
            marker=KINDS[event.kind].marker,
            markersize=6,
            linestyle="none",
            color=ink,
            **place,
        )
    counts = event_counts(events)
    labels = [f"{KINDS[kind].words} ({counts[kind]} \u00d7)" for kind in marks]
    return (list(marks.values()), labels) if marks else None


def _lines(axes: Axes, steps: Sequence[int], series: Mapping[str, Series]) -> None:
    for index, (label, values) in enumerate(series.items()):
        points = smooth(steps, values)
        marker = "o" if len(points[0]) < 3 else ""  # one point makes no line
        axes.plot(*points, label=label, marker=marker, markersize=4, **line_style(index))
    axes.locator_params(nbins=5)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 0.97), ncols=2, borderaxespad=0, handlelength=2.6
    )
