"""Curves of the classifiers on the test patients: ROC, precision-recall, calibration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.figures import line_style, shorten
from monai_gan_aug.reports.palette import PALETTE
from monai_gan_aug.reports.svg import STYLE, figure_svg
from monai_gan_aug.reports.wording import metric_title, number

__all__ = [
    "FEW",
    "calibration_figure",
    "positive_share",
    "precision_recall_figure",
    "roc_figure",
]

WIDTH, SIDE, LEFT = 4.0, 3.35, 0.52  # inches
COUNTS = 0.75
FEW = 20
MARKERS = ("o", "s", "D", "^", "v", "P", "X")


@dataclass(frozen=True)
class _Sheet:
    """A square of unit axes above a legend; ``strip`` inches are left below the axes."""

    figure: Figure
    axes: Axes
    height: float
    legend: float

    @classmethod
    def of(cls, lines: int, strip: float = 0.0) -> "_Sheet":
        legend = 0.19 * lines + 0.1
        height = SIDE + 0.65 + legend + strip
        figure = Figure(figsize=(WIDTH, height))
        bottom = (0.52 + legend + strip) / height
        axes = figure.add_axes((LEFT / WIDTH, bottom, SIDE / WIDTH, SIDE / height))
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        return cls(figure, axes, height, legend)

    def finish(self, name: str, alt: str) -> str:
        self.figure.legend(loc="lower left", bbox_to_anchor=(0, 0), handlelength=3)
        return figure_svg(self.figure, name, alt)


def _heavy(study: StudyRecord) -> tuple[str, ...]:
    return tuple(dict.fromkeys((study.verdict.arm, *study.verdict.controls)))


def _ordered(study: StudyRecord, names: Iterable[str]) -> list[str]:
    """The arm of the verdict and its controls, then the others, as far as they have a curve."""
    known = set(names)
    every = dict.fromkeys((*_heavy(study), *(arm.name for arm in study.arms)))
    return [name for name in every if name in known]


def _label(study: StudyRecord, name: str, metric: str, title: str = "") -> str:
    arm = next(arm for arm in study.arms if arm.name == name)
    estimate = arm.metrics.get(metric)
    if estimate is None:
        return shorten(arm.title, 48)
    return f"{shorten(arm.title, 37)}, {title or metric_title(metric)} {number(estimate.mean)}"


def _shown(study: StudyRecord, names: Sequence[str]) -> str:
    return ", ".join(study.titles[name] for name in names)


def roc_figure(study: StudyRecord) -> str:
    """ROC curve of every arm; the arm of the verdict and its controls are drawn heavier."""
    curves = study.curves.roc
    names = _ordered(study, curves)
    with rc_context(STYLE):
        sheet = _Sheet.of(len(names))
        sheet.axes.plot([0, 1], [0, 1], color=PALETTE["muted"].light, linewidth=0.7)
        for index, name in enumerate(names):
            sheet.axes.plot(
                curves[name].fpr,
                curves[name].tpr,
                label=_label(study, name, "auc"),
                linewidth=2.1 if name in _heavy(study) else 1.2,
                **line_style(index),
            )
        sheet.axes.set_xlabel("False positive rate (1 \u2212 specificity)")
        sheet.axes.set_ylabel("True positive rate (sensitivity)")
        alt = f"ROC curves of {len(names)} arms: {_shown(study, names)}."
        return sheet.finish("roc", alt)


def positive_share(study: StudyRecord) -> float:
    """Share of the positive class among the test images, mean over seeds."""
    counts = [record.images.test for record in study.seeds]
    positive = study.dataset.labels[1]
    shares = [c[positive] / sum(c.values()) for c in counts if sum(c.values())]
    return sum(shares) / len(shares) if shares else 0.0


def precision_recall_figure(study: StudyRecord) -> str:
    """Precision against recall; the thin line is what chance reaches."""
    curves = study.curves.precision_recall
    names = _ordered(study, curves)
    share = positive_share(study)
    with rc_context(STYLE):
        sheet = _Sheet.of(len(names))
        sheet.axes.axhline(share, color=PALETTE["muted"].light, linewidth=0.7)
        for index, name in enumerate(names):
            sheet.axes.step(
                curves[name].recall,
                curves[name].precision,
                where="pre",
                label=_label(study, name, "average_precision", "AP"),
                linewidth=1.8,
                **line_style(index),
            )
        positive = shorten(study.dataset.labels[1], 17)
        sheet.axes.set_xlabel(f"Recall of {positive} (sensitivity)")
        sheet.axes.set_ylabel("Precision (positive predictive value)")
        alt = (
            f"Precision-recall curves of {len(names)} arms: {_shown(study, names)}. "
            f"Chance reaches a precision of {number(share)}."
        )
        return sheet.finish("precision-recall", alt)


def calibration_figure(study: StudyRecord) -> str:
    """How often a predicted probability came true; below, how many predictions each bin holds."""
    curves = study.curves.calibration
    names = _ordered(study, curves)
    with rc_context(STYLE):
        sheet = _Sheet.of(len(names), strip=COUNTS + 0.15)
        room = (LEFT / WIDTH, (0.52 + sheet.legend) / sheet.height, SIDE / WIDTH)
        counts = sheet.figure.add_axes((*room, COUNTS / sheet.height), sharex=sheet.axes)
        sheet.axes.plot([0, 1], [0, 1], color=PALETTE["muted"].light, linewidth=0.7)
        for index, name in enumerate(names):
            _draw_reliability(sheet.axes, counts, study, name, index)
        sheet.axes.tick_params(labelbottom=False)
        counts.set_ylim(bottom=0)
        counts.locator_params(axis="y", nbins=3, integer=True)
        counts.set_ylabel("Images")
        counts.set_xlabel(_promise(study))
        sheet.axes.set_ylabel("How often it came true")
        alt = (
            f"Calibration curves of {len(names)} arms: {_shown(study, names)}. On the diagonal, "
            "probabilities can be taken literally."
        )
        return sheet.finish("calibration", alt)


def _draw_reliability(axes: Axes, counts: Axes, study: StudyRecord, name: str, index: int) -> None:
    curve, style = study.curves.calibration[name], line_style(index)
    marker = MARKERS[index % len(MARKERS)]
    label = _label(study, name, "ece", "ECE")
    axes.plot(curve.predicted, curve.observed, label=label, marker=marker, markersize=4.5, **style)
    few = [
        (predicted, observed)
        for predicted, observed, count in zip(
            curve.predicted, curve.observed, curve.count, strict=True
        )
        if count < FEW
    ]
    if few:
        axes.plot(
            *zip(*few, strict=True),
            marker=marker,
            markersize=4.5,
            linestyle="none",
            markerfacecolor=PALETTE["paper"].light,
            markeredgecolor=style["color"],
        )
    counts.plot(curve.predicted, curve.count, marker=marker, markersize=3, linewidth=1, **style)


def _promise(study: StudyRecord) -> str:
    if len(study.dataset.labels) == 2:
        return f"Predicted probability of {shorten(study.dataset.labels[1], 17)}"
    return "Predicted probability of the class called"
