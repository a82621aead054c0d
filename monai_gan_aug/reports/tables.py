"""Every table of a report, built once and written as HTML, Markdown and CSV."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from monai_gan_aug.io.tables import csv_text
from monai_gan_aug.records.results import Comparison, Estimate
from monai_gan_aug.records.study import Study
from monai_gan_aug.reports.wording import NO_VALUE, duration, interval, metric_title, number

__all__ = [
    "Cell",
    "Column",
    "Interval",
    "Table",
    "arms_table",
    "cohort_table",
    "confusion_table",
    "difference_cell",
    "estimate_cell",
    "recipe_table",
    "seeds_table",
    "software_table",
    "timing_table",
]


LESSER = frozenset({"accuracy", "f1", "ece"})
"""Metrics that are not needed to read a study."""


class Interval(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    lower: float
    upper: float


Cell = str | int | float | Interval | None


@dataclass(frozen=True)
class Column:
    """How one column is named and written.

    Args:
        title: Heading.
        name: Heading in CSV, where an interval takes two more columns ending in ``_lower`` and
            ``_upper``.
        digits: Decimals of a float.
        signed: Whether positive numbers carry a plus sign (differences).
        code: Whether the text is a hash or a key, set in a fixed-width font.
        csv_only: Whether it repeats in numbers what another column says in words, for CSV.
    """

    title: str
    name: str
    digits: int = 3
    signed: bool = False
    code: bool = False
    csv_only: bool = False

    def main(self, cell: Cell) -> str:
        """The cell as text, without its interval."""
        if isinstance(cell, str):
            return cell
        if isinstance(cell, int):
            return f"{cell:,}".replace(",", "\u202f")
        value = cell.value if isinstance(cell, Interval) else cell
        return number(value, digits=self.digits, signed=self.signed)

    def aside(self, cell: Cell) -> str:
        """The interval of the cell as text; empty when it has none."""
        if not isinstance(cell, Interval):
            return ""
        return interval(cell.lower, cell.upper, digits=self.digits, signed=self.signed)


@dataclass(frozen=True)
class Table:
    """Rows under named columns; the first cell of a row names it."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def shown(self) -> "Table":
        """The table without the columns that stand in CSV only."""
        kept = [i for i, column in enumerate(self.columns) if not column.csv_only]
        rows = tuple(tuple(row[i] for i in kept) for row in self.rows)
        return replace(self, columns=tuple(self.columns[i] for i in kept), rows=rows)

    def numeric(self, index: int) -> bool:
        """Whether the column holds numbers (and is set flush right)."""
        return any(not isinstance(row[index], str | None) for row in self.rows)

    def to_csv(self) -> bytes:
        """The table as UTF-8 with a byte order mark (so Excel reads it), full precision.

        Text that a spreadsheet would run as a formula is escaped; see
        :func:`monai_gan_aug.io.tables.csv_text`.
        """
        wide = [
            any(isinstance(row[i], Interval) for row in self.rows) for i in range(len(self.columns))
        ]
        heading: list[object] = []
        for column, is_interval in zip(self.columns, wide, strict=True):
            ends = ("", "_lower", "_upper") if is_interval else ("",)
            heading.extend(column.name + end for end in ends)
        lines = [heading]
        for row in self.rows:
            cells: list[object] = []
            for cell, is_interval in zip(row, wide, strict=True):
                parts = cell if isinstance(cell, Interval) else (cell,)
                cells.extend(parts)
                cells.extend([None] * (3 - len(parts)) if is_interval else [])
            lines.append(cells)
        return csv_text(lines).encode("utf-8-sig")


def estimate_cell(value: Estimate | None) -> Interval | None:
    """An estimate as a cell; nothing if there is none."""
    return Interval(value.mean, value.lower, value.upper) if value else None


def difference_cell(c: Comparison | None) -> Interval | None:
    """A paired difference as a cell; nothing if there is none."""
    return Interval(c.difference, c.lower, c.upper) if c else None


def arms_table(study: Study, *, more: bool = False) -> Table:
    """Every arm with its metrics and their intervals; the metric of the verdict comes first.

    Args:
        study: The results.
        more: The metrics of :data:`LESSER` instead of the others.
    """
    seen = dict.fromkeys([study.verdict.metric, *(m for arm in study.arms for m in arm.metrics)])
    lesser = LESSER - {study.verdict.metric}
    seen = dict.fromkeys(metric for metric in seen if (metric in lesser) is more)
    columns = (
        Column("Arm", "arm"),
        *(Column(metric_title(metric), metric) for metric in seen),
        Column("Role", "role"),
        Column("Steps", "steps"),
    )
    rows = tuple(
        (
            arm.title,
            *(estimate_cell(arm.metrics.get(metric)) for metric in seen),
            arm.role,
            arm.steps,
        )
        for arm in study.arms
    )
    percent = f"{study.verdict.confidence:.0%}"
    caption = f"Mean over seeds on the test patients, with {percent} interval"
    if more:
        return Table("arms-more", "Further metrics of the arms", columns, rows if seen else ())
    return Table("arms", caption, columns, rows)


def cohort_table(study: Study) -> Table:
    """Patients and images per class in the pool and in each split (mean over seeds)."""
    splits = ("training", "validation", "test")
    columns = [Column("Class", "class")]
    for what in ("patients", "images"):
        columns.append(Column(f"{what.capitalize()}, all", f"{what}_all"))
        columns.extend(
            Column(f"{what.capitalize()}, {split}", f"{what}_{split}", digits=1) for split in splits
        )
    rows = []
    for label in study.dataset.labels:
        row: list[Cell] = [label]
        for what in ("patients", "images"):
            row.append(getattr(study.dataset, what)[label])
            for split in splits:
                row.append(_mean([getattr(getattr(r, what), split)[label] for r in study.seeds]))
        rows.append(tuple(row))
    caption = "Patients and images per class, and in each split (mean over seeds)"
    return Table("cohort", caption, tuple(columns), tuple(rows))


def _mean(counts: list[int]) -> int | float:
    return counts[0] if len(set(counts)) == 1 else sum(counts) / len(counts)


def confusion_table(study: Study) -> Table:
    """Confusion matrices of all arms, one row for each arm and true class."""
    columns = (
        Column("Arm", "arm"),
        Column("True class", "true_class"),
        *(Column(f"Called {label}", f"called_{label}") for label in study.dataset.labels),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (arm.title, label, *counts)
        for arm in study.arms
        for label, counts in zip(study.dataset.labels, arm.confusion or (), strict=False)
    )
    caption = "Test images by true and called class, summed over seeds"
    return Table("confusion", caption, columns, rows)


def seeds_table(study: Study) -> Table:
    """The chain of hashes of every seed."""
    columns = (
        Column("Seed", "seed"),
        Column("Split SHA-256", "split_sha256", code=True),
        Column("Checkpoint SHA-256", "checkpoint_sha256", code=True),
        Column("Synthetic set SHA-256", "synthetic_sha256", code=True),
    )
    rows = tuple(
        (str(r.seed), r.split_sha256, " ".join(r.checkpoint_sha256), " ".join(r.synthetic_sha256))
        for r in study.seeds
    )
    return Table("seeds", "Split, checkpoints and synthetic sets of every seed", columns, rows)


def recipe_table(study: Study) -> Table:
    """All settings, flattened to dotted names."""
    settings: list[tuple[Cell, ...]] = [("metric", study.recipe.metric)]
    for part in ("preprocessing", "gan", "classifier"):
        _walk(part, getattr(study.recipe, part), lambda name, text: settings.append((name, text)))
    for metric, method in {row.metric: row.method for row in study.quality}.items():
        _walk(f"quality.{metric}", method, lambda name, text: settings.append((name, text)))
    columns = (Column("Setting", "setting", code=True), Column("Value", "value", code=True))
    return Table("recipe", "Settings of the study", columns, tuple(settings))


def _walk(name: str, value: Any, visit: Callable[[str, str], None]) -> None:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _walk(f"{name}.{key}", item, visit)
    elif isinstance(value, list):
        visit(name, ", ".join(str(item) for item in value) or "none")
    else:
        visit(name, "none" if value is None or value == {} else str(value))


def software_table(study: Study) -> Table:
    """Package, versions, machine and key fingerprint."""
    provenance = study.provenance
    rows: list[tuple[Cell, ...]] = [("monai_gan_aug", provenance.package)]
    rows.extend(provenance.versions.items())
    rows.append(("machine", provenance.machine))
    rows.append(("patient key fingerprint", provenance.key_fingerprint or "none"))
    columns = (Column("Part", "part"), Column("Version", "version", code=True))
    return Table("software", "Software and machine", columns, tuple(rows))


def timing_table(study: Study) -> Table:
    """Time per stage and its share of the whole."""
    total = study.timing.total_seconds
    rows: list[tuple[Cell, ...]] = [
        (s.name, duration(s.seconds), _share(s.seconds, total)) for s in study.timing.stages
    ]
    rows.append(("total", duration(total), ""))
    columns = (Column("Stage", "stage"), Column("Time", "time"), Column("Share", "share"))
    return Table("timing", "Wall-clock time of every stage", columns, tuple(rows))


def _share(seconds: float, total: float) -> str:
    return f"{seconds / total:.0%}" if total > 0 else NO_VALUE
