"""The report as Markdown, for a notebook, a pull request or a paper's supplement."""

from collections.abc import Iterator

from monai_gan_aug.reports.contents import Contents
from monai_gan_aug.reports.markdown_tables import escape, markdown_table
from monai_gan_aug.reports.wording import SCREEN_WARNING

__all__ = ["render_markdown"]


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
    if study.published is not None:
        yield "## Beside the publication"
        yield escape(contents.tables["published"].caption)
        yield markdown_table(contents.tables["published"])
        yield "\n".join(f"- Erratum: {escape(text)}" for text in study.published.errata)
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
    if study.screening:
        yield f"## Copy screen\n\n{escape(SCREEN_WARNING)}"
        for found in study.screening:
            yield f"- Seed {found.seed}: {escape(found.conclusion)}"
        yield markdown_table(contents.tables["screening"])
    yield "## Provenance"
    for name in ("arms-more", "confusion", "seeds", "recipe", "software", "timing"):
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
