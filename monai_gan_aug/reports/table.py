"""A table of a report: built once, and written as HTML, Markdown and CSV."""

import csv
import io
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from monai_gan_aug.records.results import Comparison, Estimate
from monai_gan_aug.reports.wording import interval, number

__all__ = [
    "Cell",
    "Column",
    "Interval",
    "Table",
    "difference_cell",
    "escape",
    "escape_formula",
    "estimate_cell",
    "markdown_table",
]

ACTIVE = re.compile(r"([\\`*_{}\[\]()#|~!&$:@])")


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

        Text that a spreadsheet would run as a formula is escaped; see :func:`escape_formula`.
        """
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        wide = [
            any(isinstance(row[i], Interval) for row in self.rows) for i in range(len(self.columns))
        ]
        heading: list[str] = []
        for column, is_interval in zip(self.columns, wide, strict=True):
            ends = ("", "_lower", "_upper") if is_interval else ("",)
            heading.extend(escape_formula(column.name + end) for end in ends)
        writer.writerow(heading)
        for row in self.rows:
            cells: list[str | int | float | None] = []
            for cell, is_interval in zip(row, wide, strict=True):
                parts = cell if isinstance(cell, Interval) else (cell,)
                cells.extend(escape_formula(p) if isinstance(p, str) else p for p in parts)
                cells.extend([None] * (3 - len(parts)) if is_interval else [])
            writer.writerow(cells)
        return buffer.getvalue().encode("utf-8-sig")


def escape_formula(text: str) -> str:
    """Text that no spreadsheet runs: a leading apostrophe before what would start a formula.

    References:
        OWASP, "CSV Injection". https://owasp.org/www-community/attacks/CSV_Injection

    Example:
        >>> escape_formula("=1+1"), escape_formula("normal")
        ("'=1+1", 'normal')
    """
    stripped = text.lstrip()
    risky = stripped.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    return f"'{text}" if risky or text.startswith(("\t", "\r", "\n")) else text


def escape(text: str) -> str:
    r"""``text`` on one line with nothing that Markdown or HTML would act on.

    Example:
        >>> escape("a|b <script>")
        'a\\|b &lt;script&gt;'
    """
    plain = ACTIVE.sub(r"\\\1", " ".join(text.split()))
    return plain.replace("<", "&lt;").replace(">", "&gt;")


def markdown_table(table: Table) -> str:
    """``table`` in pipes, numbers flush right."""
    table = table.shown
    lines = [
        [escape(column.title) for column in table.columns],
        ["---:" if table.numeric(i) else "---" for i in range(len(table.columns))],
    ]
    for row in table.rows:
        cells = []
        for column, cell in zip(table.columns, row, strict=True):
            text = f"{column.main(cell)} {column.aside(cell)}".strip()
            cells.append(escape(text))
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def estimate_cell(value: Estimate | None) -> Interval | None:
    """An estimate as a cell; nothing if there is none."""
    return Interval(value.mean, value.lower, value.upper) if value else None


def difference_cell(c: Comparison | None) -> Interval | None:
    """A paired difference as a cell; nothing if there is none."""
    return estimate_cell(c.difference) if c else None
