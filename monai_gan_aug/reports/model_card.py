"""The model card of a study: what was trained on what, for which use, and how it failed."""

from collections.abc import Iterable, Iterator

from monai_gan_aug.io.tables import escape_markdown
from monai_gan_aug.reports.contents import Contents
from monai_gan_aug.reports.sections.caveats import reading_caveats
from monai_gan_aug.reports.wording import metric_title, with_interval

__all__ = ["INTENDED_USE", "model_card"]

INTENDED_USE = (
    "Research on data augmentation with images like those of the study. Not for diagnosis, and "
    "not for any decision about a patient."
)
OUT_OF_SCOPE = (
    "Diagnosis, triage, treatment, or any other decision about a person.",
    "Images of other hospitals, scanners, patient groups or preprocessing than those named "
    "below: nothing here was measured on them.",
    "Synthetic images as test data: what a classifier does on them says nothing about patients.",
    "Synthetic images as anonymous data: a copy screen is no proof of privacy.",
)
LICENCE = (
    "To be stated by whoever passes this on: the licence of the weights and of the synthetic "
    "images depends on the terms under which the real images may be used. The code of "
    "monai_gan_aug has its own licence, which does not cover them."
)


def model_card(contents: Contents) -> str:
    """The card as Markdown, with nothing in it but what the study recorded.

    References:
        Mitchell et al., "Model Cards for Model Reporting". https://arxiv.org/abs/1810.03993
        Gebru et al., "Datasheets for Datasets". https://arxiv.org/abs/1803.09010
    """
    return "\n\n".join(_blocks(contents)) + "\n"


def _blocks(contents: Contents) -> Iterator[str]:
    study = contents.study
    yield f"# Model card: {escape_markdown(study.title)}"
    yield (
        f"GAN and classifiers of the study {escape_markdown(study.name)}, "
        f"{escape_markdown(study.created)}. Written by monai\\_gan\\_aug "
        f"{escape_markdown(study.provenance.package)} from the study's own records."
    )
    sentence = escape_markdown(study.verdict.sentence)
    yield f"## Verdict\n\n**{study.verdict.word.capitalize()}.** {sentence}"
    yield escape_markdown(" ".join((study.verdict.next_step, *contents.changes)))
    if contents.claims:
        yield escape_markdown(" ".join(contents.claims))
    yield f"## Intended use\n\n{escape_markdown(INTENDED_USE)}"
    yield f"## Out of scope\n\n{_bullets(OUT_OF_SCOPE)}"
    yield from _data(contents)
    yield "## Recipe of preprocessing, GAN and classifier"
    yield contents.tables["recipe"].to_markdown()
    yield "## Results on the test patients"
    yield f"{escape_markdown(contents.tables['arms'].caption)}."
    yield contents.tables["arms"].to_markdown()
    if contents.tables["arms-more"].rows:
        yield contents.tables["arms-more"].to_markdown()
    yield "Differences that decide the verdict:"
    yield _bullets(
        f"{study.titles[c.arm]} minus {study.titles[c.control]}: {metric_title(c.metric)} "
        f"{with_interval(c.difference, signed=True)}"
        for c in study.decisive()
    )
    if contents.external:
        yield "On other test sets, with the weights as they are:"
        yield _bullets(
            f"{place.name}: {place.verdict.word}. {place.verdict.sentence} {place.reading}"
            for place in contents.external
        )
    yield f"## How it failed, as far as anyone looked\n\n{_bullets(_failures(contents))}"
    yield f"## Copies and privacy\n\n{_bullets(_screening(contents))}"
    yield f"## Licence\n\n{escape_markdown(LICENCE)}"
    yield f"## Hashes\n\n{contents.tables['seeds'].to_markdown()}"


def _data(contents: Contents) -> Iterator[str]:
    study = contents.study
    grouping = f"Patients were told apart by: {study.dataset.grouping}. {contents.overlap}"
    yield f"## Data\n\n{escape_markdown(grouping)}"
    yield contents.tables["cohort"].to_markdown()
    yield _bullets((*study.dataset.caveats, *reading_caveats(study)))
    if contents.external:
        yield "Other test sets, of which nothing was trained or tuned:"
        yield _bullets(
            f"{place.name}: {place.counts} {' '.join(place.caveats)}" for place in contents.external
        )


def _failures(contents: Contents) -> Iterator[str]:
    yield contents.guards or "There is no record of a GAN run."
    quality = contents.tables["quality"]
    place = [column.name for column in quality.columns].index("reading")
    for row in quality.rows:
        yield f"{row[0]}: {row[place]}."
    if not quality.rows:
        yield "Image quality was not measured."


def _screening(contents: Contents) -> Iterator[str]:
    for screen in contents.study.screening:
        yield (
            f"Seed {screen.seed}: {screen.conclusion} "
            f"({screen.near_copies} of {screen.images} images flagged)"
        )
    if not contents.study.screening:
        yield "Nobody looked for copies of training images."
    yield contents.screen_caveat


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape_markdown(sentence)}" for sentence in sentences)
