"""The forest plot: every paired difference with its interval, wide and for a phone."""

import textwrap
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_gan_aug.records.results import Comparison
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.palette import PALETTE
from monai_gan_aug.reports.svg import STYLE, figure_svg
from monai_gan_aug.reports.wording import lower_is_better, metric_title, number, with_interval

__all__ = ["COMPACT", "WIDE", "ForestLayout", "forest_plot", "forest_range", "forest_rows"]

LINE = 0.165  # inches between two lines of text
SEEDS_BELOW = 0.085  # inches from an interval to the marks of its seeds
REACH = 4


@dataclass(frozen=True)
class ForestLayout:
    """Where the parts of a forest plot go, in inches.

    Args:
        width: Width of the figure.
        left: Room for arm titles; 0 puts title and numbers above each interval instead.
        right: Room for the numbers.
        wrap: Characters in a line of a title.
    """

    width: float
    left: float
    right: float
    wrap: int

    @property
    def stacked(self) -> bool:
        """Whether titles and numbers stand above the interval."""
        return self.left == 0


WIDE = ForestLayout(width=7.6, left=2.35, right=1.75, wrap=33)
COMPACT = ForestLayout(width=3.75, left=0, right=0, wrap=46)


@dataclass(frozen=True)
class _Row:
    lines: tuple[str, ...]
    top: float
    height: float
    comparison: Comparison | None  # None: a heading that names the control

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def forest_rows(study: StudyRecord) -> list[tuple[str, list[Comparison]]]:
    """Comparisons in the metric of the verdict, grouped by control, the baseline first.

    Returns:
        Pairs of a control's name and its comparisons, both in the order of the arms.
    """
    order = [arm.name for arm in study.arms]
    decisive = [c for c in study.verdict.controls if c != study.baseline]
    controls = dict.fromkeys([study.baseline, *decisive, *order])
    groups = []
    for control in controls:
        group = [
            c
            for c in study.comparisons
            if c.control == control and c.metric == study.verdict.metric
        ]
        if group:
            groups.append((control, sorted(group, key=lambda c: order.index(c.arm))))
    return groups


def forest_plot(study: StudyRecord, layout: ForestLayout = WIDE) -> str:
    """Draw the forest plot as SVG."""
    rows, bottom = _place(study, layout)
    height = bottom + 0.72
    with rc_context(STYLE):
        figure = Figure(figsize=(layout.width, height))
        margin = 0.12
        span = layout.width - layout.left - layout.right - 2 * margin
        axes = figure.add_axes(
            (
                (layout.left + margin) / layout.width,
                0.68 / height,
                span / layout.width,
                (bottom + 0.04) / height,
            )
        )
        _draw_frame(axes, study, bottom)
        _draw_zero(axes, study, rows, layout)
        for row in rows:
            _draw_row(axes, row, study, layout, span)
        name = "forest-compact" if layout.stacked else "forest"
        return figure_svg(figure, name, _alternative(study))


def _place(study: StudyRecord, layout: ForestLayout) -> tuple[list[_Row], float]:
    rows, top = [], 0.0
    for index, (control, comparisons) in enumerate(forest_rows(study)):
        top += 0.1 if index else 0
        heading = textwrap.wrap(f"versus {study.titles[control]}", 60 if layout.left else 46)
        rows.append(_Row(tuple(heading), top, LINE * len(heading) + 0.09, None))
        top += rows[-1].height
        for comparison in comparisons:
            lines = textwrap.wrap(study.titles[comparison.arm], layout.wrap) or [comparison.arm]
            tall = LINE * (len(lines) + layout.stacked)
            height = tall + 0.3 if layout.stacked else max(0.3, tall + 0.1)
            rows.append(_Row(tuple(lines), top, height, comparison))
            top += height
    return rows, top


def forest_range(study: StudyRecord) -> tuple[float, float]:
    """Ends of the axis: every interval, but at most four times as wide as the decisive ones.

    One arm far off, or with a very wide interval, must not squeeze the verdict into a dot; what
    runs off the scale ends in an arrow.
    """
    effect = study.verdict.relevant_effect
    decisive = [end for c in study.decisive() for end in _ends(c)]
    reach = REACH * max(effect, *(abs(end) for end in decisive))
    ends = [-effect, effect]
    for _, group in forest_rows(study):
        ends += [end for c in group for end in _ends(c)]
    low, high = max(min(ends), -reach), min(max(ends), reach)
    padding = 0.06 * (high - low or 1)
    return low - padding, high + padding


def _ends(c: Comparison) -> tuple[float, float]:
    """Ends of the interval; the extreme seeds where there is none."""
    seeds = c.difference.per_seed
    return c.difference.ends or (min(seeds), max(seeds))


def _draw_frame(axes: Axes, study: StudyRecord, bottom: float) -> None:
    axes.set_xlim(*forest_range(study))
    axes.set_ylim(bottom + 0.04, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(lambda value, _: _tick(value))
    axes.set_xlabel(f"Difference in {metric_title(study.verdict.metric)}, arm minus control")
    worse, better = "\u2190 control better", "arm better \u2192"
    if lower_is_better(study.verdict.metric):
        worse, better = "\u2190 arm better", "control better \u2192"
    for x, text, align in ((0, worse, "left"), (1, better, "right")):
        axes.annotate(
            text,
            (x, 0),
            (0, -38),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=align,
            fontsize=8,
            color=PALETTE["muted"].light,
        )


def _draw_zero(axes: Axes, study: StudyRecord, rows: list[_Row], layout: ForestLayout) -> None:
    effect = study.verdict.relevant_effect
    strips = [(0.0, axes.get_ylim()[0])]
    if layout.stacked:  # titles stand inside the axes: leave them a plain ground
        axes.grid(visible=False)
        strips = [
            (_strip(row, layout) - 0.1, _strip(row, layout) + 0.13)
            for row in rows
            if row.comparison
        ]
    for top, low in strips:
        axes.fill_betweenx(
            [top, low], -effect, effect, color=PALETTE["band"].light, linewidth=0, zorder=0
        )
        axes.plot([0, 0], [top, low], color=PALETTE["ink"].light, linewidth=0.9, zorder=1)


def _strip(row: _Row, layout: ForestLayout) -> float:
    if not layout.stacked:
        return row.middle
    return row.top + LINE * (len(row.lines) + 1) + 0.12


def _tick(value: float) -> str:
    return number(value, signed=True).rstrip("0").rstrip(".") if round(value, 3) else "0"


def _draw_row(axes: Axes, row: _Row, study: StudyRecord, layout: ForestLayout, span: float) -> None:
    across = axes.get_yaxis_transform()
    left = -layout.left / span
    c = row.comparison
    if c is None:
        for i, line in enumerate(row.lines):
            axes.text(
                left,
                row.top + LINE * (i + 0.75),
                line,
                transform=across,
                va="center",
                fontsize=8.5,
                color=PALETTE["muted"].light,
            )
        return
    decisive = c in study.decisive()
    weight = "bold" if decisive else "normal"
    tall = LINE * (len(row.lines) + layout.stacked)
    first = row.top + 0.04 if layout.stacked else row.middle - tall / 2
    middle = _strip(row, layout)
    for i, line in enumerate(row.lines):
        y = first + LINE * (i + 0.5)
        axes.text(left, y, line, transform=across, va="center", weight=weight)
    numbers = with_interval(c.difference, signed=True)
    axes.text(
        left if layout.stacked else 1 + layout.right / span,
        first + tall - LINE / 2 if layout.stacked else middle,
        numbers,
        transform=across,
        ha="left" if layout.stacked else "right",
        va="center",
        weight=weight,
        fontsize=8.5,
    )
    _draw_interval(axes, c, middle, decisive)


def _draw_interval(axes: Axes, c: Comparison, y: float, decisive: bool) -> None:
    color = PALETTE["series-1" if decisive else "muted"].light
    low, high = axes.get_xlim()
    seeds = c.difference.per_seed
    lower, upper = c.difference.ends or (c.difference.mean, c.difference.mean)
    shown = c.difference.ends is not None and (lower > 0 or upper < 0)
    axes.plot([lower, upper], [y, y], color=color, linewidth=2.2 if decisive else 1.5)
    for place, size, first, last in (
        (y, 5, lower, upper),
        (y + SEEDS_BELOW, 3, min(seeds, default=low), max(seeds, default=high)),
    ):
        for end, arrow, beyond in ((low, "<", first < low), (high, ">", last > high)):
            if beyond:
                axes.plot([end], [place], marker=arrow, markersize=size, color=color, clip_on=False)
    axes.plot(
        seeds,
        [y + SEEDS_BELOW] * len(seeds),
        linestyle="none",
        marker="|",
        markersize=3.5,
        markeredgewidth=0.8,
        color=color,
    )
    axes.plot(
        [c.difference.mean],
        [y],
        linestyle="none",
        marker="D" if decisive else "s",
        markersize=6.5 if decisive else 5.5,
        markeredgewidth=1.4,
        markeredgecolor=color,
        markerfacecolor=color if shown else PALETTE["paper"].light,
        zorder=3,
    )


def _alternative(study: StudyRecord) -> str:
    parts = [
        f"{study.titles[c.arm]} versus {study.titles[c.control]} "
        f"{with_interval(c.difference, signed=True)}"
        for c in study.decisive()
    ]
    count = sum(len(group) for _, group in forest_rows(study))
    return (
        f"Forest plot of {count} paired differences in {metric_title(study.verdict.metric)}. "
        f"The decisive ones: {'; '.join(parts)}. All numbers are in the table that follows."
    )
