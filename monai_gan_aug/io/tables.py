"""Rows of a CSV file as people save them: byte-order marks, any line end, any usual delimiter."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.names import printable

__all__ = ["read_table"]

DELIMITERS = (",", ";", "\t", "|")
MAX_BYTES = 1 << 28


def read_table(
    path: Path, columns: Sequence[str] | Sequence[int]
) -> Iterator[tuple[int, list[str] | str]]:
    """Rows of a table, reduced to ``columns``.

    Args:
        path: A CSV file in UTF-8, or in UTF-16 with a byte-order mark.
        columns: Names that the header must hold; spaces around them do not count. Or positions,
            counted from 0, for a table without a header.

    Yields:
        The row number as a spreadsheet shows it (the first row is row 1) and the stripped values
        of ``columns``, or a sentence without its subject that says what is wrong with the row.
        Empty rows are passed over.

    Raises:
        DataError: If the file cannot be read as such a table.
    """
    text = _decoded(path)
    delimiter, width, places = _find_columns(text, columns, path.name)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 0
    if not isinstance(columns[0], int):
        next(rows)
        number = 1
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, f"is not valid CSV ({error}): repair the quotes"
            return
        if not any(value.strip() for value in row):
            continue
        if len(row) != width:
            yield number, f"has {len(row)} cells, the first row has {width}: repair the row"
        else:
            yield number, [row[place].strip() for place in places]


def _decoded(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path.name} is larger than {MAX_BYTES} bytes: is this the table?")
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"The table {path.name} does not exist: check its name.") from None
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8 text: save it as 'CSV UTF-8'.") from None
    if "\0" in text:
        raise DataError(f"{path.name} holds zero bytes: save it as 'CSV UTF-8'.")
    return text


def _find_columns(
    text: str, columns: Sequence[str] | Sequence[int], name: str
) -> tuple[str, int, list[int]]:
    """The delimiter under which the first row holds all columns, its width, and where they are."""
    headers = {}
    for delimiter in DELIMITERS:
        try:
            row = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        headers[delimiter] = cells = [cell.strip() for cell in row]
        places = [
            column if isinstance(column, int) else cells.index(column)
            for column in columns
            if isinstance(column, int) or cells.count(column) == 1
        ]
        if len(places) == len(columns) and max(places) < len(cells):
            return delimiter, len(cells), places
    longest = max(headers.values(), key=len, default=[])
    shown = [printable(cell)[:30] for cell in longest[:12]]
    raise DataError(
        f"The first row of {name} must {_wanted(columns)}, got {shown}: "
        "add a header, or say which columns to use."
    )


def _wanted(columns: Sequence[str] | Sequence[int]) -> str:
    if all(isinstance(column, int) for column in columns):
        return f"hold at least {1 + max(map(int, columns))} cells"
    return f"name the columns {list(columns)} once each"
