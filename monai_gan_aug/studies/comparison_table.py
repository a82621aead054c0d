"""The table of a comparison of GANs: one row each, real against real first, arrows in the head."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.tables import csv_text, escape_markdown, markdown_table
from monai_gan_aug.records.comparison import ComparedGan, ComparisonRecord
from monai_gan_aug.records.quality import SIZES, QualityRow
from monai_gan_aug.records.study_parts import Grid, PublishedTable

__all__ = ["comparison_csv", "comparison_markdown", "mean_with_interval"]

NOTHING = "n/a"
HIDDEN = (*SIZES, "sha256")  # the hash is of a feature extractor that is trained on every split


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


def comparison_markdown(record: ComparisonRecord, metrics: Sequence[str] | None = None) -> str:
    """The tables of ``comparison.json`` as Markdown, one per preprocessing.

    Args:
        record: Content of ``comparison.json``.
        metrics: Columns; every metric there is if not given.

    Raises:
        DataError: If rows of one column were computed in different ways.
    """
    parts = [f"# {escape_markdown(record.title)}", "", _patients(record), ""]
    for names, gans in _comparable(record.gans):
        parts += [_table(gans, metrics, record.published), ""]
        parts += [*_per_class(gans, metrics), ""]
        absent = set(metrics or ()) - set(_columns(gans, metrics))
        if absent:
            parts += [f"Not measured here: {escape_markdown(', '.join(sorted(absent)))}.", ""]
        seeds = len(gans[0].seconds)
        parts += [f"Preprocessing: {escape_markdown(names)}. {_interval_note(seeds)}", ""]
    parts += [*_footnotes(record), ""]
    parts += [*_recipes(record), "", *_pictures(record)]
    return "\n".join(parts).rstrip() + "\n"


def comparison_csv(record: ComparisonRecord) -> str:
    """Every row of every GAN and seed, as CSV."""
    columns = ("gan", "seed", "metric", "label", "value", "lower", "upper", "real_versus_real")
    lines: list[Sequence[object]] = [columns]
    for gan in record.gans:
        for seed, row in _rows(gan):
            ends = row.interval or (None, None)
            lines.append(
                (gan.name, seed, row.metric, row.label, row.value, *ends, row.real_versus_real)
            )
    return csv_text(lines)


def _rows(gan: ComparedGan) -> Iterator[tuple[int, QualityRow]]:
    for part in gan.quality:
        for row in part.rows:
            yield part.seed, row


def _comparable(gans: Sequence[ComparedGan]) -> Iterator[tuple[str, list[ComparedGan]]]:
    """GANs in groups whose images were preprocessed alike."""
    groups: dict[str, list[ComparedGan]] = {}
    for gan in gans:
        recipe = next((row.recipe.get("image") for _, row in _rows(gan)), None)
        groups.setdefault(json.dumps(recipe, sort_keys=True), []).append(gan)
    for name, members in groups.items():
        recipe = json.loads(name) or {}
        shown = ", ".join(f"{key} {value}" for key, value in recipe.items() if value)
        yield shown, members


def _of_all_classes(gan: ComparedGan, metric: str) -> list[tuple[int, QualityRow]]:
    return [item for item in _rows(gan) if item[1].metric == metric and item[1].label is None]


def _columns(gans: Sequence[ComparedGan], metrics: Sequence[str] | None) -> dict[str, QualityRow]:
    """The first row of every metric shown."""
    first: dict[str, QualityRow] = {}
    for gan in gans:
        for _, row in _rows(gan):
            if row.label is None and (metrics is None or row.metric in metrics):
                _require_alike(first.setdefault(row.metric, row), row)
    order = list(metrics) if metrics is not None else list(first)
    return {name: first[name] for name in order if name in first}


def _require_alike(first: QualityRow, row: QualityRow) -> None:
    methods = [
        {key: value for key, value in item.recipe.items() if key not in HIDDEN}
        for item in (first, row)
    ]
    if methods[0] != methods[1]:
        raise DataError(
            f"The rows of {row.metric} were computed in different ways ({methods[0]} and "
            f"{methods[1]}): they cannot stand in one table."
        )


def _table(
    gans: Sequence[ComparedGan], metrics: Sequence[str] | None, published: PublishedTable | None
) -> str:
    columns = _columns(gans, metrics)
    arrows = {name: "↓" if row.lower_is_better else "↑" for name, row in columns.items()}
    head = ["GAN", *(f"{name} {arrow}" for name, arrow in arrows.items()), "minutes"]
    baseline = ["real versus real"]
    for name in columns:
        values = {s: row.real_versus_real for gan in gans for s, row in _of_all_classes(gan, name)}
        baseline.append(_number(float(np.mean(list(values.values())))))
    lines = [[*baseline, ""]]
    for gan in gans:
        cells = [_cell([row for _, row in _of_all_classes(gan, name)]) for name in columns]
        minutes = np.mean(list(gan.seconds.values())) / 60
        lines.append([gan.name, *cells, f"{minutes:.1f}"])
        if published and gan.name in published.rows:
            cells = [_number(published.value(gan.name, name)) for name in columns]
            lines.append([f"{gan.name}, published", *cells, ""])
    return markdown_table(head, lines, [False] + [True] * (len(head) - 1))


def _per_class(gans: Sequence[ComparedGan], metrics: Sequence[str] | None) -> list[str]:
    """Counts per class (GAN-test), which no mean over classes can stand for."""
    lines = []
    for gan in gans:
        for seed, row in _rows(gan):
            wanted = metrics is None or row.metric in metrics
            if wanted and row.label is not None and row.count:
                right, whole = row.count
                what = f"{gan.name}, seed {seed}, {row.metric} of {row.label}"
                lines.append(f"- {escape_markdown(what)}: {right} of {whole}")
    return lines


def _cell(rows: Sequence[QualityRow]) -> str:
    if not rows:
        return NOTHING
    mean, lower, upper = mean_with_interval([row.value for row in rows], rows[0].interval)
    if lower is None:
        return _number(mean)
    return f"{_number(mean)} [{_number(lower)}, {_number(upper)}]"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"


def _interval_note(seeds: int) -> str:
    if seeds > 1:
        return f"Means over {seeds} seeds, each with its own split, with Student's 95 % interval."
    return "One seed; intervals over patients and generated images only, not over trainings."


def _patients(record: ComparisonRecord) -> str:
    """Patients of each class, those of the first seed: every seed draws as many."""
    first = next(iter(record.patients.values()), {})
    parts = [
        f"{part} {', '.join(f'{count} {label}' for label, count in counts.items())}"
        for part, counts in first.items()
    ]
    return escape_markdown(f"{record.name}; patients: {'; '.join(parts)}.")


def _footnotes(record: ComparisonRecord) -> list[str]:
    notes = [f"- {escape_markdown(caveat)}" for caveat in record.caveats]
    if published := record.published:
        source = escape_markdown(f"{published.caption}; n: {published.n}")
        notes.append(f"- Published: {source}.")
        notes += [f"- Erratum: {escape_markdown(sentence)}" for sentence in published.errata]
    return notes


def _recipes(record: ComparisonRecord) -> list[str]:
    """What was trained, one line per GAN."""
    return [f"- {escape_markdown(gan.name)}: {_settings(gan.recipe)}" for gan in record.gans]


def _settings(recipe: Mapping[str, object]) -> str:
    shown = {key: value for key, value in recipe.items() if value not in (None, {}, [], False)}
    return escape_markdown(", ".join(f"{key} {value}" for key, value in shown.items()))


def _pictures(record: ComparisonRecord) -> list[str]:
    def alternative(kind: str, gan: ComparedGan, grid: Grid) -> str:
        return escape_markdown(f"{kind} images of {grid.label}, {gan.name}, seed {grid.seed}")

    return [
        f"![{alternative(kind, gan, grid)}]({path})"
        for gan in record.gans
        for grid in gan.grids
        for kind, path in (("real", grid.real), ("synthetic", grid.synthetic))
        if path
    ]
