"""Tables as text: CSV as people save it, CSV and Markdown written so that nothing acts on them."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.names import printable

__all__ = [
    "csv_text",
    "escape_formula",
    "escape_markdown",
    "is_formula",
    "markdown_table",
    "read_table",
]

DELIMITERS = (",", ";", "\t", "|")
MAX_BYTES = 1 << 28
FORMULA_SIGNS = "=+-@\u2212"  # the last, a true minus, is what NFKC makes of its small forms
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
CELL_ENDS = re.compile(r"([;\t\r\n])")
"""Where a spreadsheet may start another cell, whatever the file was written with."""
INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
"""Unicode categories of what a spreadsheet may pass over before it looks for a formula."""
MARKDOWN_ACTIVE = re.compile(r"([\\`*_{}\[\]()#|~!&$:@])")


def read_table(path: Path, columns: Sequence[str | int]) -> Iterator[tuple[int, list[str] | str]]:
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


def _find_columns(text: str, columns: Sequence[str | int], name: str) -> tuple[str, int, list[int]]:
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


def _wanted(columns: Sequence[str | int]) -> str:
    positions = [column for column in columns if isinstance(column, int)]
    if positions:
        return f"hold at least {1 + max(positions)} cells"
    return f"name the columns {list(columns)} once each"


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Rows as CSV (RFC 4180) in which a spreadsheet finds no formula; encode it for a file.

    Args:
        rows: The heading first. Text goes through :func:`escape_formula`, numbers keep all their
            digits, ``None`` is an empty cell.

    Example:
        >>> csv_text([["image", "score"], ["=1+1.png", -0.5]])
        "image,score\r\n'=1+1.png,-0.5\r\n"
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    for row in rows:
        writer.writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in row])
    return stream.getvalue()


def escape_formula(text: str) -> str:
    """Text that no spreadsheet runs: an apostrophe before whatever would start a formula.

    A semicolon, a tab or a line end may start another cell where the spreadsheet is set to another
    country, so the text behind each is guarded as well.

    References:
        OWASP, "CSV Injection". https://owasp.org/www-community/attacks/CSV_Injection

    Example:
        >>> escape_formula("=1+1"), escape_formula("normal"), escape_formula("-0.5")
        ("'=1+1", 'normal', '-0.5')
    """
    pieces = CELL_ENDS.split(text)
    guarded = "".join(f"'{piece}" if is_formula(piece) else piece for piece in pieces)
    # a program that passes over tabs and line ends at the start still meets a guard first
    at_risk = is_formula(text) or text.startswith(("\t", "\r", "\n"))
    return f"'{guarded}" if at_risk and not guarded.startswith("'") else guarded


def is_formula(text: str) -> bool:
    r"""Whether a spreadsheet may take ``text`` for a formula; plain numbers are none.

    Looks behind blanks and invisible characters, and takes full-width, small and raised signs for
    what they stand for.

    Example:
        >>> [is_formula(text) for text in (" =1+1", "\uff1d1+1", "-3", "a=b")]
        [True, True, False, False]
    """
    visible = next((c for c in text if unicodedata.category(c) not in INVISIBLE), "")
    starts = unicodedata.normalize("NFKC", visible).startswith(tuple(FORMULA_SIGNS))
    return starts and not NUMBER.fullmatch(text)


def escape_markdown(text: str) -> str:
    r"""``text`` on one line with nothing that Markdown or HTML would act on.

    Example:
        >>> escape_markdown("a|b <script>")
        'a\\|b &lt;script&gt;'
    """
    plain = MARKDOWN_ACTIVE.sub(r"\\\1", " ".join(text.split()))
    return plain.replace("<", "&lt;").replace(">", "&gt;")


def markdown_table(
    heading: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]
) -> str:
    r"""A table in pipes, every cell escaped.

    Args:
        heading: Titles of the columns.
        rows: As many cells each.
        numeric: Which columns are set flush right.

    Example:
        >>> print(markdown_table(["GAN", "KID"], [["a|b", "0.5"]], [False, True]))
        | GAN | KID |
        | --- | ---: |
        | a\|b | 0.5 |
    """
    lines = [[escape_markdown(cell) for cell in row] for row in (heading, *rows)]
    lines.insert(1, ["---:" if right else "---" for right in numeric])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
