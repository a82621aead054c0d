"""The report as Markdown, for a notebook, a pull request or a paper's supplement."""

from collections.abc import Iterable, Iterator

from monai_gan_aug.io.tables import escape_markdown
from monai_gan_aug.reports.contents import Contents
from monai_gan_aug.reports.sections.external import EXTERNAL_NOTE
from monai_gan_aug.reports.table import Table

__all__ = ["render_markdown"]

CURVES = {
    "roc": "ROC curves",
    "precision-recall": "Precision-recall curves",
    "calibration": "Calibration curves",
}


def render_markdown(contents: Contents, files: str) -> str:
    """The report as Markdown.

    Args:
        contents: The parts.
        files: Folder beside the text that holds the figures.
    """
    return "\n\n".join(_blocks(contents, files)) + "\n"


def _blocks(contents: Contents, files: str) -> Iterator[str]:
    study = contents.study
    yield f"# {escape_markdown(study.title)}"
    yield f"**{study.verdict.word.capitalize()}.** {escape_markdown(study.verdict.sentence)}"
    yield escape_markdown(study.verdict.next_step)
    if contents.changes:
        yield "\n".join(f"- {escape_markdown(change)}" for change in contents.changes)
    yield "\n".join(_fact(f.name, f.value, f.detail) for f in contents.facts)
    yield "## Read this first"
    yield "\n".join(f"- {escape_markdown(sentence)}" for sentence in contents.caveats)
    yield "## Data"
    yield contents.tables["cohort"].to_markdown()
    yield escape_markdown(
        f"Patients were told apart by: {study.dataset.grouping}. {contents.overlap}"
    )
    yield "## What was planned"
    yield from _captioned(contents.tables[name] for name in ("plan", "revisions", "looks"))
    yield "## Differences"
    yield f"![Forest plot of the paired differences]({files}/forest.svg)"
    yield contents.tables["comparisons"].to_markdown()
    if contents.comparisons_note:
        yield escape_markdown(contents.comparisons_note)
    if contents.tables["claims"].rows:
        yield "### Claims after correction"
        yield escape_markdown(" ".join(contents.claims))
        yield contents.tables["claims"].to_markdown()
        yield escape_markdown(contents.claims_note)
    yield from _external(contents)
    yield from _scarcity(contents, files)
    yield "## Arms"
    yield contents.tables["arms"].to_markdown()
    if study.published is not None:
        yield "## Beside the publication"
        yield escape_markdown(contents.tables["published"].caption)
        yield contents.tables["published"].to_markdown()
        yield "\n".join(f"- Erratum: {escape_markdown(text)}" for text in study.published.errata)
    if contents.grids:
        yield "## Real and synthetic images"
        yield from _grids(contents, files)
    for name, title in CURVES.items():
        if name in contents.drawings:
            yield f"## {title}\n\n![{title} of the arms]({files}/{name}.svg)"
    if study.curves.gan:
        yield f"## GAN training\n\n{escape_markdown(contents.guards)}"
        for index, curve in enumerate(study.curves.gan):
            alt = escape_markdown(f"GAN for {curve.name}, seed {curve.seed}")
            yield f"![{alt}]({files}/gan-{index}.svg)"
    if study.quality:
        yield "## Image quality"
        for name in ("quality", "quality-by-class"):
            if contents.tables[name].rows:
                yield contents.tables[name].to_markdown()
    if study.screening:
        yield f"## Copy screen\n\n{escape_markdown(contents.screen_caveat)}"
        for screen in study.screening:
            yield f"- Seed {screen.seed}: {escape_markdown(screen.conclusion)}"
        yield contents.tables["screening"].to_markdown()
    further = ("splits", "guards", "selection", "arms-more", "confusion")
    yield from _tables(contents, "Further numbers", further)
    yield from _tables(contents, "Provenance", ("seeds", "recipe", "software", "timing"))


def _tables(contents: Contents, title: str, names: tuple[str, ...]) -> Iterator[str]:
    tables = [contents.tables[name] for name in names]
    if any(table.rows for table in tables):
        yield f"## {title}"
    yield from _captioned(tables)


def _captioned(tables: Iterable[Table]) -> Iterator[str]:
    for table in tables:
        if table.rows:
            yield f"### {escape_markdown(table.caption)}\n\n{table.to_markdown()}"


def _external(contents: Contents) -> Iterator[str]:
    if contents.external:
        yield f"## Other test sets\n\n{escape_markdown(EXTERNAL_NOTE)}"
    for place in contents.external:
        yield f"### {escape_markdown(place.name)}"
        yield f"**{place.verdict.word.capitalize()}.** {escape_markdown(place.verdict.sentence)}"
        yield escape_markdown(f"{place.reading} {place.counts}")
        if place.caveats:
            yield "\n".join(f"- {escape_markdown(caveat)}" for caveat in place.caveats)
        yield f"{escape_markdown(place.table.caption)}."
        yield place.table.to_markdown()
    yield from _captioned([contents.tables[name] for name in ("external-arms", "external-sweep")])


def _scarcity(contents: Contents, files: str) -> Iterator[str]:
    if contents.tables["sweep"].rows:
        yield "## Fewer training patients"
        if "scarcity" in contents.drawings:
            yield f"![Values of the arms by training patients]({files}/scarcity.svg)"
        yield contents.tables["sweep"].to_markdown()
        yield contents.tables["sweep-arms"].to_markdown()
    equivalents = contents.tables["sample-size-equivalent"]
    if equivalents.rows:
        yield "## In the currency of real patients"
        yield escape_markdown(f"{equivalents.caption}.")
        yield equivalents.to_markdown()


def _fact(name: str, value: str, detail: str) -> str:
    aside = f" ({escape_markdown(detail)})" if detail else ""
    return f"- {escape_markdown(name)}: **{escape_markdown(value)}**{aside}"


def _grids(contents: Contents, files: str) -> Iterator[str]:
    for index, grid in enumerate(contents.grids):
        name = escape_markdown(f"{grid.label}, seed {grid.seed}")
        yield f"### {name}"
        if grid.real:
            yield f"Real:\n\n![Real images of {name}]({files}/grid-{index}-real.png)"
        yield f"Synthetic:\n\n![Synthetic images of {name}]({files}/grid-{index}-synthetic.png)"
