"""How results depend on the number of training patients: the sweep, sample-size equivalents."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from monai_gan_aug.records.results import Results, SampleSizeEquivalent
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.figures import line_style, shorten
from monai_gan_aug.reports.palette import PALETTE
from monai_gan_aug.reports.svg import STYLE, figure_svg
from monai_gan_aug.reports.table import Cell, Column, Table, difference_cell, estimate_cell
from monai_gan_aug.reports.wording import lower_is_better, metric_title, number

__all__ = [
    "equivalent_sentence",
    "equivalent_table",
    "heavy_arms",
    "scarcity_figure",
    "size_cells",
    "size_columns",
    "sweep_arms_table",
    "sweep_table",
]

MARKERS = ("o", "s", "D")
SPREAD = 0.025  # of the axis, between the intervals of two arms


def heavy_arms(study: StudyRecord) -> tuple[str, ...]:
    """The arm of the verdict, the baseline and the best other control, by name.

    The best is the one with the best mean over the sizes of the sweep.
    """
    others = [arm.name for arm in study.arms if arm.role == "control"]
    others = [name for name in others if name not in (study.baseline, study.verdict.arm)]
    sign = -1 if lower_is_better(study.verdict.metric) else 1
    best = max(others, key=lambda name: sign * sum(_means(study, name)), default=None)
    return tuple(dict.fromkeys((study.verdict.arm, study.baseline, *([best] if best else []))))


def _means(study: StudyRecord, name: str) -> list[float]:
    values = (point.value(name) for point in study.sweep)
    return [value.mean for value in values if value is not None]


def scarcity_figure(study: StudyRecord) -> str:
    """The metric of the verdict against the training patients of each class."""
    sizes = [point.training_patients_per_class for point in study.sweep]
    heavy = heavy_arms(study)
    light = [arm.name for arm in study.arms if arm.name not in heavy]
    legend = len(heavy) + bool(light)
    legend_height = 0.19 * legend + 0.1
    height = 3.2 + legend_height
    with rc_context(STYLE):
        figure = Figure(figsize=(4.6, height))
        axes = figure.add_axes((0.12, (0.5 + legend_height) / height, 0.86, 2.6 / height))
        for index, name in enumerate(heavy):
            _draw_arm(axes, study, name, index, len(heavy))
        plural = "s" * (len(light) != 1)
        label = f"{len(light)} other arm{plural} (numbers in the table)"
        for name in light:
            line: dict[str, Any] = {"color": PALETTE["muted"].light, "linewidth": 0.7}
            axes.plot(sizes, _means(study, name), alpha=0.55, label=label, zorder=1, **line)
            label = "_"
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("Training patients of each class (logarithmic)")
        axes.set_ylabel(metric_title(study.verdict.metric))
        figure.legend(loc="lower left", bbox_to_anchor=(0.1, 0), handlelength=3.2)
        return figure_svg(figure, "scarcity", _alternative(study, heavy))


def _draw_arm(axes: Axes, study: StudyRecord, name: str, index: int, count: int) -> None:
    sizes = np.array([point.training_patients_per_class for point in study.sweep], float)
    span = np.log(sizes[-1] / sizes[0]) or 1.0
    places = sizes * np.exp((index - (count - 1) / 2) * SPREAD * span)
    values = [point.value(name) for point in study.sweep]
    means = np.array([value.mean for value in values if value is not None])
    ends = [(x, *v.ends) for x, v in zip(places, values, strict=True) if v and v.ends]
    style = line_style(index)
    axes.plot(
        places,
        means,
        label=shorten(study.titles[name], 46),
        marker=MARKERS[index % len(MARKERS)],
        markersize=5.5,
        linewidth=2.0,
        zorder=3,
        **style,
    )
    for place, lower, upper in ends:
        axes.vlines(place, lower, upper, color=style["color"], linewidth=1.4, zorder=2)


def _alternative(study: StudyRecord, heavy: tuple[str, ...]) -> str:
    parts = []
    for point in study.sweep:
        values = ((name, point.value(name)) for name in heavy)
        shown = ", ".join(f"{study.titles[n]} {number(v.mean)}" for n, v in values if v is not None)
        parts.append(f"{point.training_patients_per_class} patients: {shown}")
    metric = metric_title(study.verdict.metric)
    return (
        f"{metric} against training patients of each class. {'; '.join(parts)}. "
        "All numbers are in the table that follows."
    )


def sweep_table(study: StudyRecord) -> Table:
    """For every number of training patients: baseline, differences of the verdict, its word."""
    rows = tuple(
        size_cells(study, point.training_patients_per_class, point) for point in study.sweep
    )
    caption = "The study repeated with fewer training patients"
    return Table("sweep", caption, size_columns(study), rows)


def size_columns(study: StudyRecord) -> tuple[Column, ...]:
    """Columns of a table with a row for every number of training patients."""
    verdict = study.verdict
    metric = metric_title(verdict.metric)
    arm = study.titles[verdict.arm]
    return (
        Column("Training patients of each class", "training_patients_per_class"),
        Column(f"{metric} of the baseline", "baseline"),
        *(
            Column(f"{arm} minus {study.titles[c]}", f"difference_to_{c}", signed=True)
            for c in verdict.controls
        ),
        Column("Smallest effect it could see", "minimum_detectable_effect"),
        Column("Verdict", "verdict"),
    )


def size_cells(study: StudyRecord, patients: int, results: Results) -> tuple[Cell, ...]:
    """Cells of :func:`size_columns` for the results with one number of training patients."""
    verdict = study.verdict
    return (
        str(patients),
        estimate_cell(results.value(study.baseline)),
        *(difference_cell(results.difference(verdict.arm, c)) for c in verdict.controls),
        results.verdict.minimum_detectable_effect,
        results.verdict.word,
    )


def sweep_arms_table(study: StudyRecord) -> Table:
    """The metric of the verdict of every arm at every number of training patients."""
    columns = (
        Column("Arm", "arm"),
        *(
            Column(f"{p.training_patients_per_class} patients", str(p.training_patients_per_class))
            for p in study.sweep
        ),
    )
    rows = tuple(
        (arm.title, *(estimate_cell(point.value(arm.name)) for point in study.sweep))
        for arm in (study.arms if study.sweep else ())
    )
    caption = (
        f"{metric_title(study.verdict.metric)} of all arms, by training patients of each class"
    )
    return Table("sweep-arms", caption, columns, rows)


def equivalent_table(study: StudyRecord) -> Table:
    """What every candidate arm is worth in real training patients."""
    columns = (
        Column("Arm", "arm"),
        Column("Worth", "reading"),
        Column("Training patients", "patients", csv_only=True),
        Column("Interval, from", "lower", csv_only=True),
        Column("Interval, to", "upper", csv_only=True),
        Column("On the curve", "where", csv_only=True),
    )
    rows = tuple(
        (
            study.titles[row.arm],
            equivalent_sentence(row),
            row.patients,
            row.lower,
            row.upper,
            row.where,
        )
        for row in study.sample_size_equivalent
    )
    rows_of_arms = study.sample_size_equivalent
    measured = rows_of_arms[0].measured if rows_of_arms else (0, 0)
    caption = (
        f"Worth in real training patients, on the curve measured from {measured[0]} to "
        f"{measured[-1]} patients of all classes"
    )
    return Table("sample-size-equivalent", caption, columns, rows)


def equivalent_sentence(row: SampleSizeEquivalent) -> str:
    """One equivalent in words; an end that lies outside the measured curve is left open."""
    fewest, most = row.measured[0], row.measured[-1]
    if row.where == "below":
        end = "" if row.upper is None else f", interval up to {row.upper:.0f}"
        return f"below the curve: fewer than {fewest} real patients{end}"
    if row.where == "above":
        end = "" if row.lower is None else f", interval from {row.lower:.0f}"
        return f"above the curve: more than {most} real patients{end}"
    lower = f"fewer than {fewest}" if row.lower is None else f"{row.lower:.0f}"
    upper = f"more than {most}" if row.upper is None else f"{row.upper:.0f}"
    return f"\u2248 {row.patients:.0f} real patients [{lower} to {upper}]"
