"""A table as CSV keeps its numbers and runs no formula."""

import csv
import io

import pytest

from monai_gan_aug.reports.table import Column, IntervalCell, Table


def rows_of(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.to_csv().decode("utf-8-sig"))))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", "  =", "\n", "\uff1d"])
def test_csv_escapes_formulas(start):
    table = Table("t", "", (Column("A", "a"),), ((f"{start}cmd|'/c calc'!A0",),))
    assert rows_of(table)[0]["a"].startswith("'")


def test_csv_escapes_formulas_in_headings():
    table = Table("t", "", (Column("A", "=1+1"),), (("x",),))
    assert list(rows_of(table)[0]) == ["'=1+1"]


def test_csv_keeps_negative_numbers_as_numbers():
    cell = IntervalCell(-0.1, -0.123456789, 0.5)
    table = Table("t", "", (Column("A", "a"), Column("B", "b")), ((cell, -3), (None, 4)))
    first, second = rows_of(table)
    assert first == {"a": "-0.1", "a_lower": "-0.123456789", "a_upper": "0.5", "b": "-3"}
    assert second == {"a": "", "a_lower": "", "a_upper": "", "b": "4"}
