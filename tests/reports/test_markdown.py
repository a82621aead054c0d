import re

from monai_gan_aug.reports.contents import gather
from monai_gan_aug.reports.markdown import render_markdown
from monai_gan_aug.reports.table import Column, IntervalCell, Table


def test_table_has_the_same_number_of_cells_in_each_row():
    columns = (Column("A|B", "a"), Column("C", "c"))
    table = Table("t", "", columns, (("x|y", IntervalCell(1.0, 0.5, 1.5)), ("z", None)))
    lines = table.to_markdown().splitlines()
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}
    assert lines[1] == "| --- | ---: |"


def test_verdict_comes_first_and_every_picture_is_named(study, write_study):
    text = render_markdown(gather(write_study(study)), "report_files")
    assert text.splitlines()[2].startswith("**No relevant gain.** “Real + synthetic” brings")
    pictures = re.findall(r"!\[[^\n]*\]\((report_files/[^)]+)\)", text)
    assert len(pictures) == len(set(pictures)) == 9


def test_every_part_of_a_full_study_has_its_heading(full_study, write_study):
    text = render_markdown(gather(write_study(full_study)), "report_files")
    for heading in (
        "### Claims after correction",
        "## What was planned",
        "## Other test sets",
        "### other\\_hospital",
        "### other\\_country",
        "## Fewer training patients",
        "## In the currency of real patients",
        "## Precision-recall curves",
        "## Calibration curves",
    ):
        assert f"\n{heading}\n" in text
    assert "No candidate beats every control after correction" in text
    assert "no number would do" in text
    assert "rolled back from step" not in text  # single alarms stand in the table
    assert "Guards raised alarms in 1 of 3 GAN runs" in text
    for one in full_study["external"]:
        assert one["verdict"]["sentence"] in text.replace("\\", "")
        assert one["caveats"][0] in text.replace("\\", "")
