"""Imports point one way: a chapter may use the chapters before it, never those after it."""

import ast
import graphlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "monai_gan_aug"
FOUNDATION = {"errors", "keys"}
MODELS = {"networks", "losses", "augmentation", "metrics"}
BELOW_GENERATION = FOUNDATION | {"io", "records", "transforms", "data", "engines"} | MODELS
ALLOWED = {
    "errors": set(),
    "keys": set(),
    "io": {"errors"},
    "records": {"errors", "io"},
    "transforms": FOUNDATION | {"io"},
    "data": FOUNDATION | {"io", "records", "transforms"},
    "networks": FOUNDATION,
    "losses": FOUNDATION,
    "augmentation": FOUNDATION,
    "metrics": FOUNDATION | {"records"},
    "engines": FOUNDATION | {"io", "records", "transforms"} | MODELS,
    "generation": BELOW_GENERATION,
    "quality": BELOW_GENERATION,
    "privacy": BELOW_GENERATION | {"generation", "quality"},
    "statistics": {"errors", "metrics", "records"},
    "studies": BELOW_GENERATION | {"generation", "quality", "privacy", "statistics"},
    "reports": {"errors", "io", "records"},
    "phantoms": {"errors", "io"},
    "published": FOUNDATION | {"io", "data", "networks", "records"},
    "bundle": BELOW_GENERATION
    | {"generation", "quality", "privacy", "statistics", "studies", "reports", "published"},
    "__main__": BELOW_GENERATION
    | {"generation", "quality", "privacy", "studies", "reports", "phantoms", "published", "bundle"},
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


@pytest.mark.parametrize("own", ["io", "records", "reports"])
def test_light_chapters_stay_light(own):
    roots = {n.split(".")[0] for path in (PACKAGE / own).rglob("*.py") for n in imported(path)}
    assert not roots & HEAVY


def test_no_module_imports_itself_through_others():
    names = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in MODULES
    }
    arrows = {name: imported(path) & names.keys() for name, path in names.items()}
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))
