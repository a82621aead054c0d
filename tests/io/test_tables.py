"""CSV files as people save them."""

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.tables import read_table

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
