"""The table of a comparison of GANs: one row each, real against real first, arrows in the head."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.tables import csv_text, escape_markdown, markdown_table

__all__ = ["comparison_csv", "comparison_markdown", "mean_with_interval"]

SIZES = ("training", "held_out", "baseline", "synthetic")
NOTHING = "n/a"


def mean_with_interval(
    values: Sequence[float], own: Sequence[float] | None = None, confidence: float = 0.95
) -> tuple[float, float | None, float | None]:
    """Mean over seeds with Student's interval; for one seed the interval it came with.

    Example:
        >>> mean, lower, upper = mean_with_interval([1.0, 2.0, 3.0])
        >>> round(mean, 2), round(lower, 2), round(upper, 2)
        (2.0, -0.48, 4.48)
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return (mean, None, None) if own is None else (mean, own[0], own[1])
    reach = stats.t(len(values) - 1).ppf((1 + confidence) / 2) * stats.sem(values)
    return mean, mean - float(reach), mean + float(reach)


def comparison_markdown(content: Mapping[str, Any], metrics: Sequence[str] | None = None) -> str:
    """The tables of ``comparison.json`` as Markdown, one per preprocessing.

    Args:
        content: Content of ``comparison.json``.
        metrics: Columns; every metric there is if not given.

    Raises:
        DataError: If rows of one column were computed in different ways.
    """
    parts = [f"# {escape_markdown(content['title'])}", ""]
    for names, gans in _comparable(content["gans"]):
        parts += [_table(gans, metrics, content["published"]), ""]
        parts += [*_per_class(gans, metrics), ""]
        absent = set(metrics or ()) - set(_columns(gans, metrics))
        if absent:
            parts += [f"Not measured here: {escape_markdown(', '.join(sorted(absent)))}.", ""]
        seeds = len(gans[0]["seconds"])
        parts += [f"Preprocessing: {escape_markdown(names)}. {_interval_note(seeds)}", ""]
    parts += _footnotes(content)
    return "\n".join(parts) + "\n"


def comparison_csv(content: Mapping[str, Any]) -> str:
    """Every row of every GAN and seed, as CSV."""
    columns = ("gan", "seed", "metric", "label", "value", "lower", "upper", "real_versus_real")
    lines: list[Sequence[object]] = [columns]
    for gan in content["gans"]:
        for row in gan["rows"]:
            lower, upper = row.get("interval") or (None, None)
            named = {"gan": gan["name"], "lower": lower, "upper": upper, **row}
            lines.append([named.get(column) for column in columns])
    return csv_text(lines)


def _comparable(gans: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """GANs in groups whose images were preprocessed alike."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for gan in gans:
        recipe = next((row["recipe"].get("image") for row in gan["rows"]), None)
        groups.setdefault(json.dumps(recipe, sort_keys=True), []).append(gan)
    for name, members in groups.items():
        recipe = json.loads(name) or {}
        shown = ", ".join(f"{key} {value}" for key, value in recipe.items() if value)
        yield shown, members


def _chosen(gan: Mapping[str, Any], metric: str) -> list[Mapping[str, Any]]:
    return [row for row in gan["rows"] if row["metric"] == metric and row.get("label") is None]


def _columns(
    gans: Sequence[Mapping[str, Any]], metrics: Sequence[str] | None
) -> dict[str, Mapping[str, Any]]:
    """The first row of every metric shown."""
    found: dict[str, Mapping[str, Any]] = {}
    for gan in gans:
        for row in gan["rows"]:
            wanted = metrics is None or row["metric"] in metrics
            if wanted and row.get("label") is None:
                first = found.setdefault(row["metric"], row)
                _require_alike(first, row)
    order = list(metrics) if metrics is not None else list(found)
    return {name: found[name] for name in order if name in found}


def _require_alike(first: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    def method(one: Mapping[str, Any]) -> dict[str, Any]:
        hidden = (*SIZES, "sha256")  # of a feature extractor that is trained on every split
        return {key: value for key, value in one["recipe"].items() if key not in hidden}

    if method(first) != method(row):
        raise DataError(
            f"The rows of {row['metric']} were computed in different ways ({method(first)} and "
            f"{method(row)}): they cannot stand in one table."
        )


def _table(
    gans: Sequence[Mapping[str, Any]],
    metrics: Sequence[str] | None,
    published: Mapping[str, Any] | None,
) -> str:
    columns = _columns(gans, metrics)
    arrows = {name: "↓" if row["lower_is_better"] else "↑" for name, row in columns.items()}
    head = ["GAN", *(f"{name} {arrow}" for name, arrow in arrows.items()), "minutes"]
    baseline = ["real versus real"]
    for name in columns:
        values = {row["seed"]: row["real_versus_real"] for g in gans for row in _chosen(g, name)}
        baseline.append(_number(float(np.mean(list(values.values())))))
    lines = [[*baseline, ""]]
    for gan in gans:
        cells = [_cell(_chosen(gan, name)) for name in columns]
        minutes = np.mean(list(gan["seconds"].values())) / 60
        lines.append([gan["name"], *cells, f"{minutes:.1f}"])
        if published and gan["name"] in published["rows"]:
            given = dict(zip(published["metrics"], published["rows"][gan["name"]], strict=True))
            cells = [_number(given.get(name)) for name in columns]
            lines.append([f"{gan['name']}, published", *cells, ""])
    return markdown_table(head, lines, [False] + [True] * (len(head) - 1))


def _per_class(gans: Sequence[Mapping[str, Any]], metrics: Sequence[str] | None) -> list[str]:
    """Counts per class (GAN-test), which no mean over classes can stand for."""
    lines = []
    for gan in gans:
        for row in gan["rows"]:
            wanted = metrics is None or row["metric"] in metrics
            if wanted and row.get("label") is not None and row.get("count"):
                right, whole = row["count"]
                what = f"{gan['name']}, seed {row['seed']}, {row['metric']} of {row['label']}"
                lines.append(f"- {escape_markdown(what)}: {right} of {whole}")
    return lines


def _cell(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return NOTHING
    mean, lower, upper = mean_with_interval([row["value"] for row in rows], rows[0].get("interval"))
    if lower is None:
        return _number(mean)
    return f"{_number(mean)} [{_number(lower)}, {_number(upper)}]"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"


def _interval_note(seeds: int) -> str:
    if seeds > 1:
        return f"Means over {seeds} seeds, each with its own split, with Student's 95 % interval."
    return "One seed; intervals over patients and generated images only, not over trainings."


def _footnotes(content: Mapping[str, Any]) -> list[str]:
    notes = [f"- {escape_markdown(caveat)}" for caveat in content["caveats"]]
    published = content["published"]
    if published:
        source = escape_markdown(f"{published['caption']}; n: {published['n']}")
        notes.append(f"- Published: {source}.")
        notes += [f"- Erratum: {escape_markdown(sentence)}" for sentence in published["errata"]]
    return notes
