"""The tables of arms in the documentation are those of the rows."""

from pathlib import Path

import pytest

from monai_gan_aug.studies.arm_tables import with_tables, write_tables
from monai_gan_aug.studies.arms import ARMS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = ("docs/benefit.md", "bundles/augmentation_classifier/docs/README.md")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documentation_says_what_the_rows_say(name):
    """If not: `python -m monai_gan_aug.studies.arm_tables`."""
    text = (ROOT / name).read_text()
    assert "<!-- arms: " in text
    assert with_tables(text) == text


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_arm_is_documented_once(name):
    lines = (ROOT / name).read_text().splitlines()
    first_cells = [line.split("|")[1].strip(" `") for line in lines if line.startswith("| `")]
    assert sorted(cell for cell in first_cells if cell in ARMS) == sorted(ARMS)


def test_only_what_stands_between_the_markers_is_written(tmp_path):
    before = "# Title\n\n<!-- arms: references -->\nold\n<!-- /arms -->\nafter\n"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(before)
    (tmp_path / "docs" / "b.md").write_text("no table")
    assert write_tables(tmp_path) == [tmp_path / "docs" / "a.md"]
    written = (tmp_path / "docs" / "a.md").read_text()
    assert written.startswith("# Title\n\n<!-- arms: references -->\n| arm |")
    assert written.endswith("|\n<!-- /arms -->\nafter\n")
    assert "old" not in written
    assert "`oracle_4`" in written
    assert "`classical`" not in written


def test_a_marker_of_no_table_is_an_error():
    with pytest.raises(KeyError, match="contrls"):
        with_tables("<!-- arms: contrls -->\n<!-- /arms -->")
