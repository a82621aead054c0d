"""Every way the classifier was trained: metrics, confusion matrices, training curves."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib import rc_context
from matplotlib.figure import Figure

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.figures import line_style, shorten, smooth
from monai_gan_aug.reports.svg import STYLE, figure_svg
from monai_gan_aug.reports.table import Cell, Column, Table, estimate_cell
from monai_gan_aug.reports.wording import metric_title, percent

__all__ = ["arms_table", "classifier_figure", "confusion_table", "published_table"]

LESSER = frozenset({"accuracy", "f1", "ece"})
"""Metrics that are not needed to read a study."""


def arms_table(study: StudyRecord, *, more: bool = False) -> Table:
    """Every arm with its metrics and their intervals; the metric of the verdict comes first.

    Args:
        study: The results.
        more: The metrics of :data:`LESSER` instead of the others.
    """
    every = [study.verdict.metric, *(m for arm in study.arms for m in arm.metrics)]
    lesser = LESSER - {study.verdict.metric}
    metrics = list(dict.fromkeys(metric for metric in every if (metric in lesser) is more))
    columns = (
        Column("Arm", "arm"),
        *(Column(metric_title(metric), metric) for metric in metrics),
        Column("Role", "role"),
        Column("Steps", "steps"),
    )
    rows = tuple(
        (
            arm.title,
            *(estimate_cell(arm.metrics.get(metric)) for metric in metrics),
            arm.role,
            arm.steps,
        )
        for arm in study.arms
    )
    coverage = percent(study.verdict.confidence)
    caption = f"Mean over seeds on the test patients, with {coverage} interval"
    if more:
        return Table("arms-more", "Further metrics of the arms", columns, rows if metrics else ())
    return Table("arms", caption, columns, rows)


def confusion_table(study: StudyRecord) -> Table:
    """Confusion matrices of all arms, one row for each arm and true class."""
    columns = (
        Column("Arm", "arm"),
        Column("True class", "true_class"),
        *(Column(f"Called {label}", f"called_{label}") for label in study.dataset.labels),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (arm.title, label, *counts)
        for arm in study.arms
        for label, counts in zip(study.dataset.labels, arm.confusion, strict=True)
    )
    caption = "Test images by true and called class, summed over seeds"
    return Table("confusion", caption, columns, rows)


def classifier_figure(study: StudyRecord) -> str:
    """Training loss and validation AUC of every arm, averaged over seeds: is it a plateau?"""
    records: dict[str, _Progress] = {}
    for training in study.curves.classifier:
        progress = records.setdefault(study.titles[training.arm], _Progress())
        progress.steps.extend(training.curves.step)
        progress.losses.extend(training.curves.loss)
        progress.areas.extend(training.curves.validation_auc)
    validated = any(area is not None for record in records.values() for area in record.areas)
    legend_height = 0.19 * len(records) + 0.1
    below = 1.75 if validated else 0.0  # inches that the panel of the AUC takes
    height = 3.1 + legend_height + below
    with rc_context(STYLE):
        figure = Figure(figsize=(4.6, height))
        bottom = 0.5 + legend_height
        top = figure.add_axes((0.12, (bottom + below) / height, 0.86, 2.5 / height))
        last = top
        for index, (title, record) in enumerate(records.items()):
            points = smooth(*record.over_seeds(record.losses), 80)
            top.plot(*points, label=shorten(title, 46), **line_style(index))
        top.set_ylabel("Training loss")
        if validated:
            last = figure.add_axes((0.12, bottom / height, 0.86, 1.55 / height), sharex=top)
            for index, record in enumerate(records.values()):
                points = smooth(*record.over_seeds(record.areas), 80)
                last.plot(*points, **line_style(index))
            last.set_ylabel("Validation AUC")
            top.tick_params(labelbottom=False)
        last.set_xlabel("Optimiser step")
        figure.legend(loc="lower left", bbox_to_anchor=(0.1, 0), handlelength=3.2)
        what = "Training loss and validation AUC" if validated else "Training loss"
        alt = f"{what} of the classifier in {len(records)} arms, averaged over seeds."
        return figure_svg(figure, "classifier", alt)


@dataclass
class _Progress:
    """Records of one arm, all seeds one after the other."""

    steps: list[int] = field(default_factory=list)
    losses: list[float | None] = field(default_factory=list)
    areas: list[float | None] = field(default_factory=list)

    def over_seeds(self, values: Sequence[float | None]) -> tuple[list[int], list[float]]:
        """Steps with the mean of what was recorded there, so that seeds do not zigzag."""
        by_step: dict[int, list[float]] = {}
        for step, value in zip(self.steps, values, strict=True):
            if value is not None:
                by_step.setdefault(step, []).append(value)
        steps = sorted(by_step)
        return steps, [sum(by_step[step]) / len(by_step[step]) for step in steps]


def published_table(study: StudyRecord) -> Table:
    """Published numbers and ours with their intervals; without rows if nothing was published.

    Arms that the publication does not have are left out, and so are metrics.
    """
    published = study.published
    if published is None:
        return Table("published", "", (), ())
    columns = [Column("Arm", "arm")]
    for metric in published.metrics:
        title = metric_title(metric)
        columns += [Column(f"{title}, published", f"{metric}_published"), Column(title, metric)]
    rows: list[tuple[Cell, ...]] = []
    for arm in study.arms:
        if arm.name not in published.rows:
            continue
        cells: list[Cell] = [arm.title]
        for metric in published.metrics:
            cells += [published.value(arm.name, metric), estimate_cell(arm.metrics.get(metric))]
        rows.append(tuple(cells))
    caption = f"{published.caption} (n: {published.n}), beside this study on other images"
    return Table("published", caption, tuple(columns), tuple(rows))
