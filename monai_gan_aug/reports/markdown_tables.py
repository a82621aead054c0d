"""A table as Markdown, with nothing in it that Markdown would act on."""

import re

from monai_gan_aug.reports.tables import Table

__all__ = ["escape", "markdown_table"]

ACTIVE = re.compile(r"([\\`*_{}\[\]()#|~!&$:@])")


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
