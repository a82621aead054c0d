"""Imports point one way: a chapter may use the chapters before it, never those after it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "monai_gan_aug"
FOUNDATION = {"errors", "keys"}
MODELS = {"networks", "losses", "augmentation", "metrics"}
ALLOWED = {
    "errors": set(),
    "keys": set(),
    "io": {"errors"},
    "transforms": FOUNDATION | {"io"},
    "data": FOUNDATION | {"io", "transforms"},
    "networks": FOUNDATION,
    "losses": FOUNDATION,
    "augmentation": FOUNDATION,
    "metrics": FOUNDATION,
    "engines": FOUNDATION | {"io", "transforms"} | MODELS,
    "evaluation": FOUNDATION | {"io", "transforms", "data", "engines"} | MODELS,
    "statistics": {"errors", "engines", "metrics"},
    "studies": FOUNDATION
    | {"io", "transforms", "data", "engines", "evaluation", "statistics"}
    | MODELS,
    "reports": {"errors", "io"},
    "bundle": FOUNDATION
    | {"io", "transforms", "data", "engines", "evaluation", "statistics", "studies", "reports"}
    | MODELS,
    "__main__": {"errors", "io", "transforms", "data", "evaluation", "studies", "reports"},
    "__init__": set(),
}
HEAVY = {"torch", "monai", "ignite", "sklearn", "torchvision", "torchmetrics", "piqa"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def chapter(path: Path) -> str:
    """First path component below the package, without its suffix."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Every dotted module name that a file imports, at any depth."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_forward(path):
    own = chapter(path)
    used = {name.split(".")[1] for name in imported(path) if name.startswith("monai_gan_aug.")}
    used.discard("__version__")
    assert used - {own} <= ALLOWED[own]


@pytest.mark.parametrize("own", ["io", "reports"])
def test_light_chapters_stay_light(own):
    roots = {n.split(".")[0] for path in (PACKAGE / own).rglob("*.py") for n in imported(path)}
    assert not roots & HEAVY
