"""A table of a report as Markdown, with nothing in it that Markdown would act on."""

from monai_gan_aug.io import tables
from monai_gan_aug.io.tables import escape_markdown as escape
from monai_gan_aug.reports.tables import Table

__all__ = ["escape", "markdown_table"]


def markdown_table(table: Table) -> str:
    """``table`` in pipes, numbers flush right."""
    table = table.shown
    rows = [
        [
            f"{column.main(cell)} {column.aside(cell)}"
            for column, cell in zip(table.columns, row, strict=True)
        ]
        for row in table.rows
    ]
    heading = [column.title for column in table.columns]
    return tables.markdown_table(heading, rows, [table.numeric(i) for i in range(len(heading))])
