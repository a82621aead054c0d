"""Training curves of GANs and classifiers, and what line figures share."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_gan_aug.records.curves import GanCurve, GuardEvent
from monai_gan_aug.records.study import Study
from monai_gan_aug.reports.guards import KINDS, event_counts, events_sentence
from monai_gan_aug.reports.palette import DASHES, PALETTE, SERIES
from monai_gan_aug.reports.svg import STYLE, figure_svg

__all__ = ["POINTS", "classifier_figure", "gan_figure", "line_style", "shorten", "smooth"]

POINTS = 100
STRIP = -0.11  # where alarms stand, in heights of the upper panel


def line_style(index: int) -> dict[str, Any]:
    """Colour and dash pattern of a series; no pair repeats within 49 series."""
    dashes = DASHES[(index + index // len(SERIES)) % len(DASHES)]
    return {
        "color": PALETTE[SERIES[index % len(SERIES)]].light,
        "linestyle": (0, dashes) if dashes else "solid",
    }


def smooth(
    steps: Sequence[float], values: Sequence[float | None], points: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Means of consecutive values, so a long record stays a light line.

    Args:
        steps: Where the values were recorded, in any order.
        values: As many values; ``None`` is left out.
        points: Most points to return.

    Returns:
        Mean step and mean value of each bin, both of shape ``(P,)`` with ``P <= points``.

    Example:
        >>> smooth([1, 2, 3, 4], [0.0, 2.0, None, 5.0], points=2)
        (array([1.5, 4. ]), array([1., 5.]))
    """
    pairs = sorted((s, v) for s, v in zip(steps, values, strict=True) if v is not None)
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    edges = np.linspace(0, len(table), min(points, len(table)) + 1).round().astype(int)
    means = [table[start:end].mean(axis=0) for start, end in pairwise(edges)]
    return tuple(np.array(means).reshape(-1, 2).T)  # type: ignore[return-value]


def shorten(title: str, length: int) -> str:
    """A title of at most ``length`` characters."""
    return title if len(title) <= length else f"{title[: length - 1]}\u2026"


def gan_figure(curve: GanCurve, index: int = 0) -> str:
    """Losses above, discriminator outputs below, alarms of the guards as symbols between them."""
    kinds = list(event_counts(curve.events or ()))
    room = 0.19 * len(kinds) + 0.14 * bool(kinds)
    height = 3.5 + room
    with rc_context(STYLE):
        figure = Figure(figsize=(3.7, height))
        top = figure.add_axes((0.13, (2.0125 + room) / height, 0.85, 1.2425 / height))
        below = figure.add_axes((0.13, (0.4025 + room) / height, 0.85, 1.2425 / height), sharex=top)
        _lines(
            top, curve.step, {"generator loss": curve.g_loss, "discriminator loss": curve.d_loss}
        )
        _lines(below, curve.step, {"D(real)": curve.d_real, "D(fake)": curve.d_fake})
        outputs = [v for v in (*curve.d_real, *curve.d_fake) if v is not None]
        if outputs and min(outputs) >= 0 and max(outputs) <= 1:
            below.set_ylim(-0.03, 1.03)
            below.axhline(0.5, color=PALETTE["muted"].light, linewidth=0.7)
        top.tick_params(labelbottom=False)
        below.set_xlabel("Training step")
        marks = _mark_events(top, below, curve.events or ())
        if marks:
            figure.legend(*marks, loc="lower left", bbox_to_anchor=(0.1, 0), handlelength=1.2)
        alt = (
            f"Training curves of the GAN for {curve.name}, seed {curve.seed}: "
            "losses of both networks, and the discriminator's output on real and generated images. "
            f"{events_sentence(curve.events)}"
        )
        return figure_svg(figure, f"gan-{index}", alt)


def _mark_events(
    top: Axes, below: Axes, events: Sequence[GuardEvent]
) -> tuple[list[Any], list[str]] | None:
    """A symbol between the panels for every alarm; returns what the legend needs.

    A rollback is a line from the step it was asked for to the step it went back to.
    """
    found: dict[str, Any] = {}
    ink = PALETTE["ink"].light
    place: dict[str, Any] = {"transform": top.get_xaxis_transform(), "clip_on": False}
    for event in events:
        end = event.step if event.back_to is None else event.back_to
        for axes in (top, below):
            axes.axvline(end, color=ink, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
        top.plot([event.step, end], [STRIP, STRIP], color=ink, linewidth=1.2, **place)
        (found[event.kind],) = top.plot(
            [end],
            [STRIP],
            marker=KINDS[event.kind].marker,
            markersize=6,
            linestyle="none",
            color=ink,
            **place,
        )
    counts = event_counts(events)
    labels = [f"{KINDS[kind].words} ({counts[kind]} \u00d7)" for kind in found]
    return (list(found.values()), labels) if found else None


def classifier_figure(study: Study) -> str:
    """Training loss of every arm, averaged over seeds: has it reached a plateau?"""
    records: dict[str, tuple[list[float], list[float | None]]] = {}
    for curve in study.curves.classifier:
        steps, losses = records.setdefault(study.titles[curve.arm], ([], []))
        steps.extend(curve.step)
        losses.extend(curve.loss)
    legend_height = 0.19 * len(records) + 0.1
    height = 3.1 + legend_height
    with rc_context(STYLE):
        figure = Figure(figsize=(4.6, height))
        axes = figure.add_axes((0.12, (0.5 + legend_height) / height, 0.86, 2.5 / height))
        for index, (title, (steps, losses)) in enumerate(records.items()):
            axes.plot(*smooth(steps, losses, 80), label=shorten(title, 46), **line_style(index))
        axes.set_xlabel("Optimiser step")
        axes.set_ylabel("Training loss")
        figure.legend(loc="lower left", bbox_to_anchor=(0.1, 0), handlelength=3.2)
        alt = f"Training loss of the classifier in {len(records)} arms, averaged over seeds."
        return figure_svg(figure, "classifier", alt)


def _lines(axes: Axes, steps: Sequence[float], series: dict[str, Sequence[float | None]]) -> None:
    for index, (label, values) in enumerate(series.items()):
        points = smooth(steps, values)
        marker = "o" if len(points[0]) < 3 else ""  # one point makes no line
        axes.plot(*points, label=label, marker=marker, markersize=4, **line_style(index))
    axes.locator_params(nbins=5)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 0.97), ncols=2, borderaxespad=0, handlelength=2.6
    )
