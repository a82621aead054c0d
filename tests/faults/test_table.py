"""docs/faults.md names a test for every row, and the tests it names exist."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TABLE = (TESTS.parent / "docs" / "faults.md").read_text()


def test_every_row_has_tests():
    rows = re.findall(r"^\| (\d+) \|.*::test_.*\|$", TABLE, re.MULTILINE)
    assert [int(row) for row in rows] == list(range(1, 29))


def test_every_test_named_exists():
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", TABLE)
    missing = [
        f"{file}::{test}"
        for file, test in named
        if f"def {test}(" not in (TESTS / file).read_text(encoding="utf-8")
    ]
    assert missing == []
