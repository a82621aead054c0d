"""The report as one HTML file that needs nothing else."""

from datetime import datetime
from functools import cache, cached_property
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from monai_gan_aug.io.atomic import write_bytes
from monai_gan_aug.reports.contents import Contents, gather
from monai_gan_aug.reports.markdown import render_markdown
from monai_gan_aug.reports.model_card import model_card
from monai_gan_aug.reports.palette import PALETTE
from monai_gan_aug.reports.sections.curves import FEW
from monai_gan_aug.reports.sections.external import EXTERNAL_NOTE
from monai_gan_aug.reports.sections.gan import events_sentence
from monai_gan_aug.reports.svg import themed

__all__ = ["StudyReport", "render_html"]

SIGNS = {"helps": "\u25b2", "harms": "\u25bc", "no relevant gain": "\u25cb", "underpowered": "?"}
TONES = {
    "helps": "helps",
    "harms": "harms",
    "no relevant gain": "neutral",
    "underpowered": "caution",
}


class StudyReport:
    """Writes the results of a study for people: HTML, Markdown and CSV.

    Args:
        study: The ``study.json`` file.
        include_real: Whether to show real images of training patients beside synthetic ones.
            Without them the report may go where the data may not.

    Example:
        In a configuration::

            report:
              _target_: monai_gan_aug.reports.html.StudyReport
              study: '@output_dir + /study.json'
            run:
            - $@report.write()
    """

    def __init__(self, study: Path | str, include_real: bool = True) -> None:
        self.study = Path(study)
        self.include_real = include_real

    @cached_property
    def contents(self) -> Contents:
        """Every part of the report, built when first asked for.

        Raises:
            DataError: If the study or one of its pictures cannot be used.
        """
        return gather(self.study, include_real=self.include_real)

    def render(self) -> str:
        """The HTML page as text."""
        return render_html(self.contents)

    def write(self, html: Path | str | None = None) -> Path:
        """Write the report and return the path of its page.

        Beside ``report.html``, which is complete on its own, stand ``report.md`` and the folder
        ``report_files`` with the tables as CSV, the figures as SVG and PNG, and the model card.

        Args:
            html: The page; default ``report.html`` beside the study.

        Raises:
            DataError: If the study or one of its pictures cannot be used.
            ValueError: If ``html`` does not end in ``.html``.
        """
        page = Path(html) if html is not None else self.study.with_name("report.html")
        if page.suffix != ".html":
            raise ValueError(f"`html` must end in .html, got {page.name!r}.")
        folder = page.with_name(f"{page.stem}_files")
        files = self._side_files()
        for name, content in files.items():
            write_bytes(folder / name, content)
        for picture in folder.glob("grid-*.png"):  # an earlier report may have shown real images
            if picture.name not in files:
                picture.unlink()
        text = render_markdown(self.contents, folder.name)
        write_bytes(page.with_suffix(".md"), text.encode())
        write_bytes(page, self.render().encode())
        return page

    def _side_files(self) -> dict[str, bytes]:
        contents = self.contents
        files = {f"{name}.csv": t.to_csv() for name, t in contents.tables.items() if t.rows}
        files.update((f"{name}.svg", svg.encode()) for name, svg in contents.drawings.items())
        files["model_card.md"] = model_card(contents).encode()
        for index, grid in enumerate(contents.grids):
            files[f"grid-{index}-synthetic.png"] = grid.synthetic.content
            if grid.real:
                files[f"grid-{index}-real.png"] = grid.real.content
        return files


def render_html(contents: Contents) -> str:
    """The page; every name in it is escaped, every picture is inside it."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            contents=contents,
            study=contents.study,
            verdict=contents.study.verdict,
            tables=contents.tables,
            drawings={name: themed(svg) for name, svg in contents.drawings.items()},
            palette=PALETTE,
            created=_when(contents.study.created),
            signs=SIGNS,
            tones=TONES,
            external_note=EXTERNAL_NOTE,
            few=FEW,
            events_sentence=events_sentence,
        )
    )


def _when(created: str) -> str:
    try:
        moment = datetime.fromisoformat(created.replace("Z", "+00:00"))
    except ValueError:
        return created
    return f"{moment:%Y-%m-%d %H:%M %Z}".strip()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("monai_gan_aug.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
