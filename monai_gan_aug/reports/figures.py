"""The line figures of a report: ROC curves and training curves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_gan_aug.reports.palette import DASHES, PALETTE, SERIES
from monai_gan_aug.reports.schema import GanCurve, Study
from monai_gan_aug.reports.svg import STYLE, figure_svg
from monai_gan_aug.reports.wording import metric_title, number

__all__ = ["POINTS", "classifier_figure", "gan_figure", "line_style", "roc_figure", "smooth"]

POINTS = 100


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


def roc_figure(study: Study) -> str:
    """ROC curve of every arm; the arm of the verdict and its controls are drawn heavier."""
    curves = study.curves.roc
    heavy = (study.verdict.arm, *study.verdict.controls)
    names = [n for n in heavy if n in curves]
    names += [arm.name for arm in study.arms if arm.name in curves and arm.name not in names]
    legend_height = 0.19 * len(names) + 0.1
    width, side = 4.0, 3.35
    height = side + 0.65 + legend_height
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        box = (0.52 / width, (0.52 + legend_height) / height, side / width, side / height)
        axes = figure.add_axes(box)
        axes.plot([0, 1], [0, 1], color=PALETTE["muted"].light, linewidth=0.7)
        for index, name in enumerate(names):
            roc = curves[name]
            axes.plot(
                roc.fpr,
                roc.tpr,
                label=_roc_label(study, name),
                linewidth=2.1 if name in heavy else 1.2,
                **line_style(index),
            )
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        axes.set_xlabel("False positive rate (1 \u2212 specificity)")
        axes.set_ylabel("True positive rate (sensitivity)")
        figure.legend(loc="lower left", bbox_to_anchor=(0, 0), handlelength=3)
        shown = ", ".join(study.titles[name] for name in names)
        return figure_svg(figure, "roc", f"ROC curves of {len(names)} arms: {shown}.")


def _roc_label(study: Study, name: str) -> str:
    arm = next(arm for arm in study.arms if arm.name == name)
    title = _shorten(arm.title, 37)
    estimate = arm.metrics.get("auc")
    return f"{title}, {metric_title('auc')} {number(estimate.mean)}" if estimate else title


def _shorten(title: str, length: int) -> str:
    return title if len(title) <= length else f"{title[: length - 1]}\u2026"


def gan_figure(curve: GanCurve, index: int = 0) -> str:
    """Losses above, discriminator outputs on real and generated images below."""
    with rc_context(STYLE):
        figure = Figure(figsize=(3.7, 3.5))
        top = figure.add_axes((0.13, 0.575, 0.85, 0.355))
        below = figure.add_axes((0.13, 0.115, 0.85, 0.355), sharex=top)
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
        alt = (
            f"Training curves of the GAN for {curve.name}, seed {curve.seed}: "
            "losses of both networks, and the discriminator's output on real and generated images."
        )
        return figure_svg(figure, f"gan-{index}", alt)


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
            axes.plot(*smooth(steps, losses, 80), label=_shorten(title, 46), **line_style(index))
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
