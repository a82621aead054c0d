"""Tables as text: CSV as people save it, and written so that nothing acts on it."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.tables import (
    csv_text,
    escape_formula,
    escape_markdown,
    is_formula,
    markdown_table,
    read_table,
)

COLUMNS = ["path", "label"]
WANT = [(2, ["a/1.png", "ill"]), (3, ["a/ö.png", "normal"])]


@pytest.fixture
def table(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "labels.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_reads_usual_dialects(table, delimiter, end, encoding):
    rows = [["x", " path", "label "], ["1", "a/1.png", "ill"], ["2", " a/ö.png", "normal"]]
    text = end.join(delimiter.join(row) for row in rows) + end
    assert list(read_table(table(text, encoding), COLUMNS)) == WANT


def test_quoted_delimiters_and_line_ends_belong_to_the_cell(table):
    path = table('path,label,note\na.png,ill,"x, y\nz"\nb.png,well,\n')
    assert list(read_table(path, COLUMNS)) == [(2, ["a.png", "ill"]), (3, ["b.png", "well"])]


def test_empty_rows_are_passed_over_but_counted(table):
    path = table("path,label\n\na.png,ill\n,\nb.png,ill\n")
    assert [number for number, _ in read_table(path, COLUMNS)] == [3, 5]


def test_row_of_another_width_is_a_fault(table):
    rows = dict(read_table(table("path,label\na.png\nb.png,ill,x\nc.png,ill\n"), COLUMNS))
    assert "1 cells" in rows[2]
    assert "3 cells" in rows[3]
    assert rows[4] == ["c.png", "ill"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a/1.png,ill\n", "must name the columns"),
        ("", "must name the columns"),
        ("path,label,label\n", "once each"),
        (b"path,label\n\xff\xff.png,ill\n", "UTF-8"),
        (b"path,label\na\0.png,ill\n", "zero bytes"),
    ],
    ids=["no header", "empty", "column twice", "not UTF-8", "binary"],
)
def test_files_that_are_no_such_table_are_refused(table, text, reason):
    with pytest.raises(DataError, match=reason):
        list(read_table(table(text), COLUMNS))


def test_missing_table_is_named_without_its_folder(tmp_path):
    with pytest.raises(DataError, match=r"table labels\.csv does not exist") as caught:
        list(read_table(tmp_path / "labels.csv", COLUMNS))
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_table_without_a_header_is_read_by_position(table, delimiter):
    text = "\n".join(delimiter.join(row) for row in [["a", "x", "ill"], ["b", "y", "well"]])
    assert list(read_table(table(text), [2, 0])) == [(1, ["ill", "a"]), (2, ["well", "b"])]


def test_table_without_a_header_that_is_too_narrow_is_refused(table):
    with pytest.raises(DataError, match="at least 3 cells"):
        list(read_table(table("a,b\n"), [0, 2]))


def read_back(text, delimiter=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212\u207c\u207a\u207b\u208c"
BEFORE = [
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n ",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\0",
    " \t \u2003",
]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", BEFORE, ids=ascii)
def test_what_could_start_a_formula_is_guarded(before, sign):
    guarded = escape_formula(f"{before}{sign}cmd|' /C calc'!A0")
    assert guarded.startswith("'")
    assert guarded.replace("'", "", 1).lstrip("\t\r\n '").lstrip(before + "'").startswith(sign)
    assert not any(is_formula(piece) for piece in re.split("[;\t\r\n]", guarded))


@pytest.mark.parametrize("separator", [";", "\t", "\n", "\r"], ids=ascii)
def test_no_other_separator_of_a_spreadsheet_frees_a_formula(separator):
    """A spreadsheet set to another country splits the line at semicolons, quotes or not."""
    ((cell,),) = read_back(csv_text([[f"x{separator} =1+1"]]))
    assert cell == f"x{separator}' =1+1"


@pytest.mark.parametrize("number", [-3, -0.1, 1e-300, -1.5e-7, "-3", "+0.25", "-1.5e-07", "-.5"])
def test_numbers_with_a_sign_stay_numbers(number):
    ((cell,),) = read_back(csv_text([[number]]))
    assert float(cell) == float(number)


@pytest.mark.parametrize(
    "text", ["normal", "a-b", "Real + synthetic", "x@y.org", "p=0.5", "", "1-2"]
)
def test_plain_text_is_left_alone(text):
    assert escape_formula(text) == text


@given(st.lists(st.lists(st.one_of(st.text(), st.integers()), min_size=2, max_size=2), min_size=1))
def test_csv_reads_back_but_for_the_guard(rows):
    shown = [[escape_formula(c) if isinstance(c, str) else str(c) for c in row] for row in rows]
    assert read_back(csv_text(rows)) == shown


def test_nothing_is_an_empty_cell_and_numbers_keep_their_digits():
    assert csv_text([["a", None, 0.1234567890123, True]]) == "a,,0.1234567890123,True\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "<script>",
        "a|b",
        "a\\|b",
        "[x](http://y)",
        "*a*",
        "`a`",
        "a\n# b",
        "a\r\nb",
        "![x]",
        "a\u2028b",
        "&lt;",
    ],
)
def test_markdown_cells_hold_nothing_active(text):
    escaped = escape_markdown(text)
    assert len(escaped.splitlines()) == 1
    assert "<" not in escaped
    assert ">" not in escaped
    unescaped = re.sub(r"\\[^\w\s]", "", escaped)  # CommonMark: a backslash takes one character
    assert not re.search(r"[|\[\]*`#!()\\]", unescaped)


@given(st.lists(st.lists(st.text(), min_size=3, max_size=3), min_size=1))
def test_markdown_rows_have_one_cell_per_column(rows):
    lines = markdown_table(["a", "b|c", "d"], rows, numeric=[False, True, False]).split("\n")
    assert len(lines) == 2 + len(rows)
    assert lines[1] == "| --- | ---: | --- |"
    for line in lines:
        bars = re.sub(r"\\[^\w\s]", "", line).count("|")
        assert bars == 4
