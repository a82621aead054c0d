"""What is imported is declared, and what is declared is imported or says why it is there."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
UNIMPORTED = {
    "torchvision": "piqa imports it, and it must match torch",
    "pyyaml": "python -m monai.bundle reads YAML with it",
    "pyjpegls": "pydicom decodes JPEG-LS with it",
    "pylibjpeg": "pydicom decodes with its plugin",
    "pylibjpeg-openjpeg": "pydicom decodes JPEG 2000 with it",
    "safetensors": "imported by name where weights are read",
    "tensorboard": "torch.utils.tensorboard writes with it",
}
WORDS = re.compile(r"^[A-Za-z0-9._-]+")


def normalised(name):
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(section):
    """Names of the requirements in one list of pyproject.toml."""
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows = project["dependencies"] if section is None else project["optional-dependencies"][section]
    return {normalised(WORDS.match(row).group()) for row in rows}


def imported_roots():
    """First part of every name that the package imports and that is not its own or Python's."""
    roots = set()
    for path in (ROOT / "monai_gan_aug").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                roots.add(node.module.split(".")[0])
    return roots - set(sys.stdlib_module_names) - {"monai_gan_aug"}


@cache
def brought_by():
    """Which distributions bring which import; slow, it reads every installed file list."""
    return packages_distributions()


def distributions(root):
    """What may have brought an import: ``PIL`` comes from pillow."""
    return {normalised(name) for name in brought_by().get(root, [root])}


def test_everything_imported_is_declared():
    known = declared(None) | declared("cluster")
    assert {root for root in imported_roots() if not distributions(root) & known} == set()


def test_everything_declared_is_imported_or_has_its_reason():
    brought = set().union(*(distributions(root) for root in imported_roots()))
    assert declared(None) - brought == set(UNIMPORTED)


def test_every_dependency_stands_in_the_docs_with_its_licence():
    table = normalised((ROOT / "docs" / "design.md").read_text())
    names = {name.removeprefix("pytorch-") for name in declared(None)}
    assert {name for name in names if name not in table} == set()
