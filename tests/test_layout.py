"""The shape of the tree: sizes, names, licences, and what must not be in it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "monai_gan_aug").rglob("*.py"))
VAGUE = {"utils.py", "helpers.py", "common.py", "misc.py", "helper.py", "util.py"}


def test_top_level_is_complete():
    expected = "README.md CHANGELOG.md CONTRIBUTING.md CITATION.cff LICENSE pyproject.toml bundles"
    missing = [name for name in expected.split() if not (ROOT / name).exists()]
    assert not missing


def test_every_module_is_named_for_what_it_holds():
    assert [p for p in MODULES if p.name in VAGUE] == []


def test_bundles_hold_no_code():
    assert list((ROOT / "bundles").rglob("*.py")) == []


def test_no_gpl_decoder_among_the_dependencies():
    assert "pylibjpeg-libjpeg" not in (ROOT / "pyproject.toml").read_text()


def test_no_images_are_tracked():
    try:
        listed = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    pictures = [f for f in listed if f.endswith((".dcm", ".jpg", ".jpeg", ".nii", ".nii.gz"))]
    assert pictures == []
