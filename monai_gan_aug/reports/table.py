"""A table of a report: built once, and written as HTML, Markdown and CSV."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from monai_gan_aug.io import tables
from monai_gan_aug.records.results import Comparison, Estimate
from monai_gan_aug.reports.wording import interval, number

__all__ = [
    "Cell",
    "Column",
    "IntervalCell",
    "Table",
    "difference_cell",
    "estimate_cell",
]


class IntervalCell(NamedTuple):
    """A value with the ends of its interval; one without ends has none."""

    value: float
    lower: float | None
    upper: float | None


Cell = str | int | float | IntervalCell | None


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
        value = cell.value if isinstance(cell, IntervalCell) else cell
        return number(value, digits=self.digits, signed=self.signed)

    def aside(self, cell: Cell) -> str:
        """The interval of the cell as text; empty when it has none."""
        if not isinstance(cell, IntervalCell) or cell.lower is None:
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
            any(isinstance(row[i], IntervalCell) for row in self.rows)
            for i in range(len(self.columns))
        ]
        heading: list[object] = []
        for column, is_interval in zip(self.columns, wide, strict=True):
            ends = ("", "_lower", "_upper") if is_interval else ("",)
            heading.extend(column.name + end for end in ends)
        lines = [heading]
        for row in self.rows:
            cells: list[object] = []
            for cell, is_interval in zip(row, wide, strict=True):
                parts = cell if isinstance(cell, IntervalCell) else (cell,)
                cells.extend(parts)
                cells.extend([None] * (3 - len(parts)) if is_interval else [])
            lines.append(cells)
        return tables.csv_text(lines).encode("utf-8-sig")

    def to_markdown(self) -> str:
        """The table in pipes, numbers flush right, with nothing that Markdown would act on."""
        table = self.shown
        rows = [
            [
                f"{column.main(cell)} {column.aside(cell)}"
                for column, cell in zip(table.columns, row, strict=True)
            ]
            for row in table.rows
        ]
        heading = [column.title for column in table.columns]
        return tables.markdown_table(heading, rows, [table.numeric(i) for i in range(len(heading))])


def estimate_cell(value: Estimate | None) -> IntervalCell | None:
    """An estimate as a cell; nothing if there is none."""
    return IntervalCell(value.mean, value.lower, value.upper) if value else None


def difference_cell(c: Comparison | None) -> IntervalCell | None:
    """A paired difference as a cell; nothing if there is none."""
    return estimate_cell(c.difference) if c else None
