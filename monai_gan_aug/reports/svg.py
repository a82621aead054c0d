"""Matplotlib figures as small, repeatable SVG that follows the colours of the page."""

import io
import re
import warnings
from typing import Any
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from monai_gan_aug.reports.palette import PALETTE

__all__ = ["STYLE", "figure_svg", "themed"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a class may be called "$x$"
    "text.usetex": False,
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.color": PALETTE["ink"].light,
    "axes.labelcolor": PALETTE["muted"].light,
    "axes.edgecolor": PALETTE["muted"].light,
    "axes.facecolor": "none",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "grid.color": PALETTE["rule"].light,
    "grid.linewidth": 0.6,
    "xtick.color": PALETTE["muted"].light,
    "ytick.color": PALETTE["muted"].light,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.5,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


def figure_svg(figure: Figure, name: str, alt: str) -> str:
    """One ``<svg>`` element, the same bytes for the same figure.

    Text stays text, the size comes from the page, ids are few and start with ``name``, and
    nothing refers to anything outside.

    Args:
        figure: A figure drawn under :data:`STYLE`.
        name: Prefix that keeps ids of several figures in one page apart.
        alt: What a screen reader says.
    """
    buffer = io.BytesIO()
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # the reader's browser draws the text, so the fonts of this machine do not matter
        warnings.filterwarnings("ignore", message="Glyph")
        canvas: Any = FigureCanvasSVG(figure)  # matplotlib does not type it
        canvas.print_svg(buffer, metadata=metadata)
    root = ElementTree.fromstring(buffer.getvalue())
    _tidy(root, name, alt)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    text = ElementTree.tostring(root, encoding="unicode")
    text = re.sub(r"\n\s*", "\n", text)
    return re.sub(
        r"(font(?:-family)?:[^;\"]*?)'?DejaVu Sans'?(?:, sans-serif)?", rf"\1{FONT}", text
    )


def _tidy(root: ElementTree.Element, name: str, alt: str) -> None:
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    text = ElementTree.tostring(root, encoding="unicode")
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text))
    for element in root.iter():
        identity = element.attrib.pop("id", None)
        if identity in used:
            element.set("id", f"{name}-{identity}")
        for key, value in element.attrib.items():
            if key == f"{{{XLINK}}}href":
                element.set(key, value.replace("#", f"#{name}-", 1))
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}-"))
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    root.set("role", "img")
    root.set("aria-label", alt)
    title, description = (ElementTree.Element(f"{{{SVG}}}{tag}") for tag in ("title", "desc"))
    title.text, description.text = alt.partition(". ")[0].rstrip("."), alt
    root[:0] = [title, description]


def themed(svg: str) -> str:
    """``svg`` with every palette colour replaced by the page's variable of that name.

    Example:
        >>> themed('<path style="stroke: #0072b2"/>')
        '<path style="stroke: var(--series-1)"/>'
    """
    variables = {shade.light: f"var(--{name})" for name, shade in PALETTE.items()}

    def swap(style: re.Match[str]) -> str:
        return re.sub(r"#[0-9a-f]{6}\b", lambda hit: variables.get(hit[0], hit[0]), style[0])

    return re.sub(r'style="[^"]*"', swap, svg)
