import re
from xml.etree import ElementTree

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from monai_gan_aug.reports.svg import STYLE, figure_svg, themed


def draw(title: str, name: str = "plot", alt: str = "A line.") -> str:
    with rc_context(STYLE):
        figure = Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1])
        axes.set_title(title)
        return figure_svg(figure, name, alt)


def test_same_figure_gives_the_same_bytes():
    assert draw("a") == draw("a")


def test_ids_of_two_figures_never_meet():
    ids = [set(re.findall(r'\bid="([^"]+)"', draw("a", name))) for name in ("one", "two")]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_has_its_target():
    svg = draw("a")
    used = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg))
    assert used == set(re.findall(r'\bid="([^"]+)"', svg))


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "$x^2$ & \\frac", "]]>", "肺炎"])
def test_text_stays_the_text_it_was(title):
    root = ElementTree.fromstring(draw(title))
    assert title in {"".join(element.itertext()) for element in root.iter()}
    assert not any("script" in element.tag for element in root.iter())


def test_names_itself_and_refers_to_nothing_outside():
    root = ElementTree.fromstring(draw("a", alt='A "line" <b>.'))
    assert root.get("aria-label") == 'A "line" <b>.'
    assert root.get("role") == "img"
    values = [v for e in root.iter() for v in e.attrib.values()]
    assert not any("http" in value for value in values)
    assert not any(e.tag.endswith(("}style", "}metadata")) for e in root.iter())


def test_theme_swaps_the_colours_drawn_and_leaves_text_alone():
    svg = themed(draw("#1b2733"))
    assert "fill: var(--ink)" in svg
    assert ">#1b2733<" in svg
