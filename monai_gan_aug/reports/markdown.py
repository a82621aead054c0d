"""The report as Markdown, for a notebook, a pull request or a paper's supplement."""

import re
from collections.abc import Iterator

from monai_gan_aug.reports.contents import Contents
from monai_gan_aug.reports.tables import Table

__all__ = ["escape", "markdown_table", "render_markdown"]

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


def render_markdown(contents: Contents, files: str) -> str:
    """The report as Markdown.

    Args:
        contents: The parts.
        files: Folder beside the text that holds the figures.
    """
    return "\n\n".join(_blocks(contents, files)) + "\n"


def _blocks(contents: Contents, files: str) -> Iterator[str]:
    study = contents.study
    yield f"# {escape(study.title)}"
    yield f"**{study.verdict.word.capitalize()}.** {escape(study.verdict.sentence)}"
    yield "\n".join(_fact(f.name, f.value, f.detail) for f in contents.facts)
    yield "## Read this first"
    yield "\n".join(f"- {escape(sentence)}" for sentence in contents.caveats)
    yield "## Data"
    yield markdown_table(contents.tables["cohort"])
    yield f"Patients were told apart by: {escape(study.dataset.grouping)}."
    yield "## Differences"
    yield f"![Forest plot of the paired differences]({files}/forest.svg)"
    yield markdown_table(contents.tables["comparisons"])
    yield "## Arms"
    yield markdown_table(contents.tables["arms"])
    if contents.grids:
        yield "## Real and synthetic images"
        yield from _grids(contents, files)
    if "roc" in contents.drawings:
        yield f"## ROC curves\n\n![ROC curves of the arms]({files}/roc.svg)"
    if study.curves.gan:
        yield "## GAN training"
        for index, curve in enumerate(study.curves.gan):
            alt = escape(f"GAN for {curve.name}, seed {curve.seed}")
            yield f"![{alt}]({files}/gan-{index}.svg)"
    if study.quality:
        yield "## Image quality"
        for name in ("quality", "quality-by-class"):
            if contents.tables[name].rows:
                yield markdown_table(contents.tables[name])
    yield "## Provenance"
    for name in ("confusion", "seeds", "recipe", "software", "timing"):
        table = contents.tables[name]
        if table.rows:
            yield f"### {escape(table.caption)}\n\n{markdown_table(table)}"


def _fact(name: str, value: str, detail: str) -> str:
    aside = f" ({escape(detail)})" if detail else ""
    return f"- {escape(name)}: **{escape(value)}**{aside}"


def _grids(contents: Contents, files: str) -> Iterator[str]:
    for index, grid in enumerate(contents.grids):
        name = escape(f"{grid.label}, seed {grid.seed}")
        yield f"### {name}"
        if grid.real:
            yield f"Real:\n\n![Real images of {name}]({files}/grid-{index}-real.png)"
        yield f"Synthetic:\n\n![Synthetic images of {name}]({files}/grid-{index}-synthetic.png)"
