"""Image quality, copy screen and selection; quality of several synthetic sets side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_bytes
from monai_gan_aug.io.tables import escape_markdown
from monai_gan_aug.records.quality import QualityFile, QualityRow
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.table import Cell, Column, IntervalCell, Table
from monai_gan_aug.reports.wording import NO_VALUE, count_range, metric_title

__all__ = ["QualityTable", "quality_table", "screening_table", "selection_table", "sets_table"]

ARROWS = {True: "\u2193", False: "\u2191"}
REAL = "Real versus real"
COSTS = ("coverage", "recall")


def quality_table(study: StudyRecord, *, by_class: bool = False) -> Table:
    """Image quality over the seeds beside the same number between two sets of real images.

    Args:
        study: The results.
        by_class: The rows of single classes instead of those of all classes together.
    """
    columns = (
        Column("Metric", "metric"),
        Column("Class", "class"),
        Column("Synthetic", "synthetic", digits=4),
        Column(REAL, "real_versus_real", digits=4),
        Column("Gap", "gap", digits=4, signed=True),
        Column("Reading", "reading"),
        Column("Images: training, held out, baseline, synthetic", "images"),
    )
    table: list[tuple[Cell, ...]] = []
    rows = [row for row in study.quality_rows if (row.label is not None) is by_class]
    for same in _grouped(rows, lambda row: (row.metric, row.label or "")):
        first = same[0]
        better = "lower" if first.lower_is_better else "higher"
        worse = sum(_worse(row) for row in same)
        reading = f"worse than real in {worse} of {len(same)} repeats"
        sizes = zip(*(row.sizes for row in same), strict=True) if _same_length(same) else ()
        table.append(
            (
                f"{metric_title(first.metric)} ({better} is better)",
                first.label or "all",
                _over_seeds(same),
                _range([row.real_versus_real for row in same]),
                _mean([row.value - row.real_versus_real for row in same]),
                reading,
                ", ".join(count_range(part) for part in sizes) or NO_VALUE,
            )
        )
    what = "mean and range over seeds" if len(study.seeds) > 1 else "with interval"
    caption = f"Each number ({what}) beside what two sets of real images reach"
    name = "quality-by-class" if by_class else "quality"
    return Table(name, f"{caption}, by class" if by_class else caption, columns, tuple(table))


def screening_table(study: StudyRecord) -> Table:
    """Numbers of the copy screen, each beside its control."""
    columns = (
        Column("Number", "metric"),
        Column("Class", "class"),
        Column("Seed", "seed"),
        Column("Synthetic", "value", digits=4),
        Column("Control", "control", digits=4),
    )
    rows = tuple(
        (
            metric_title(row.metric),
            row.label or "all",
            str(screen.seed),
            _alone(row),
            row.real_versus_real,
        )
        for screen in study.screening
        for row in screen.rows
    )
    return Table("screening", "Copy screen, each number beside its control", columns, rows)


def selection_table(study: StudyRecord) -> Table:
    """What a choice among generated images kept, and what it cost beside a choice at random."""
    columns = (
        Column("Class", "class"),
        Column("Seed", "seed"),
        Column("Generated", "generated"),
        Column("Passed all criteria", "accepted"),
        Column("Share", "acceptance_rate"),
        Column("Passed each", "passed"),
        Column("Real images that would pass", "real_accepted_by_confidence"),
        Column("Selected", "selected"),
        *(
            column
            for name in COSTS
            for column in (
                Column(f"{metric_title(name)}, selected", f"{name}_selected"),
                Column("At random", f"{name}_random"),
                Column("Lost", f"{name}_lost", signed=True),
            )
        ),
    )
    rows: list[tuple[Cell, ...]] = []
    for part in study.selection:
        for row in part.classes:
            passed = ", ".join(f"{name} {count}" for name, count in row.passed.items())
            cells: list[Cell] = [row.label, str(part.seed), row.generated, row.accepted]
            cells += [row.acceptance_rate, passed, row.real_accepted_by_confidence, row.selected]
            for name in COSTS:
                cost = row.cost.get(name)
                cells += [cost.selected, cost.random, cost.lost] if cost else [None, None, None]
            rows.append(tuple(cells))
    caption = "The choice among generated images, and what it lost beside one at random"
    return Table("selection", caption, columns, tuple(rows))


def sets_table(rows: Iterable[QualityRow]) -> Table:
    """Named synthetic sets, one line each, and real versus real as the last line.

    Args:
        rows: Rows of one ``quality.json``; those of single classes are left out.

    Raises:
        DataError: If a metric was computed in different ways for different sets.
    """
    whole = [row for row in rows if row.label is None]
    metrics = {row.metric: row for row in whole}
    for row in whole:
        first = metrics[row.metric]
        if row.recipe != first.recipe or row.real_versus_real != first.real_versus_real:
            raise DataError(
                f"{row.metric} of {row.set or 'the set'} was computed in another way than that of "
                f"{first.set or 'the set'}: evaluate all sets in one run."
            )
    columns = [Column("Set", "set")]
    for name, row in metrics.items():
        title = f"{metric_title(name)} {ARROWS[row.lower_is_better]}"
        columns.append(Column(title, name, digits=2 if abs(row.value) >= 10 else 3))
    lines: list[tuple[Cell, ...]] = []
    for same in _grouped(whole, lambda row: (row.set or "",)):
        cells = {row.metric: _alone(row) for row in same}
        lines.append((same[0].set or "synthetic", *(cells.get(name) for name in metrics)))
    lines.append((REAL, *(row.real_versus_real for row in metrics.values())))
    caption = (
        "An arrow points to the better side, but no set should be expected to beat real images"
    )
    return Table("quality", caption, tuple(columns), tuple(lines))


@dataclass(frozen=True)
class QualityTable:
    """``quality.json`` as a table: ``quality.md`` and ``quality.csv`` beside it.

    Args:
        path: The ``quality.json`` file.
    """

    path: str | Path

    def write(self) -> Path:
        """Write both files; return the path of the Markdown.

        Raises:
            DataError: If the file is no ``quality.json``.
        """
        path = Path(self.path)
        table = sets_table(QualityFile.load(path).rows)
        text = f"{table.to_markdown()}\n\n{escape_markdown(table.caption)}.\n"
        write_bytes(path.with_suffix(".md"), text.encode())
        write_bytes(path.with_suffix(".csv"), table.to_csv())
        return path.with_suffix(".md")


def _grouped(
    rows: Iterable[QualityRow], key: Callable[[QualityRow], tuple[str, ...]]
) -> list[list[QualityRow]]:
    groups: dict[tuple[str, ...], list[QualityRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def _worse(row: QualityRow) -> bool:
    gap = row.value - row.real_versus_real
    return gap > 0 if row.lower_is_better else gap < 0


def _same_length(rows: list[QualityRow]) -> bool:
    return len({len(row.sizes) for row in rows}) == 1


def _alone(row: QualityRow) -> Cell:
    return IntervalCell(row.value, *row.interval) if row.interval else row.value


def _over_seeds(rows: list[QualityRow]) -> Cell:
    return _alone(rows[0]) if len(rows) == 1 else _range([row.value for row in rows])


def _range(values: list[float]) -> Cell:
    if len(values) == 1:
        return values[0]
    return IntervalCell(_mean(values), min(values), max(values))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
