"""Bundles and configurations are found, wherever the package lies, and can be copied."""

from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies import shipped

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with its data inside it, as a wheel installs it, and something else beside it."""
    package = tmp_path / "site-packages" / "monai_gan_aug"
    for folder in (package, package.parent):
        (folder / "bundles" / "one" / "configs").mkdir(parents=True)
        (folder / "bundles" / "one" / "configs" / "metadata.json").write_text("{}")
        (folder / "configs" / "studies").mkdir(parents=True)
        (folder / "configs" / "studies" / "a.yaml").write_text("a: 1")
    monkeypatch.setattr(shipped, "PACKAGE", package)
    return package


def test_a_checkout_has_them_at_its_top_level():
    assert shipped.bundles_folder() == ROOT / "bundles"
    assert shipped.configs_folder() == ROOT / "configs"


def test_an_installed_package_has_them_inside(installed):
    assert shipped.bundles_folder() == installed / "bundles"
    assert dict(shipped.shipped_folders()) == {
        "one": installed / "bundles" / "one",
        "studies": installed / "configs" / "studies",
    }


def test_a_package_without_them_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "PACKAGE", tmp_path / "nowhere")
    with pytest.raises(DataError, match="bundles_dir"):
        shipped.bundles_folder()


def test_everything_is_listed():
    assert set(shipped.shipped_folders()) == {
        *("medical_image_gan", "augmentation_classifier"),
        *("studies", "comparisons", "published"),
    }


@pytest.mark.parametrize("name", ["augmentation_classifier", "studies"])
def test_a_copy_is_complete_and_runs_nothing_of_ours(name, tmp_path):
    copy = shipped.copy_shipped(name, tmp_path / "deep" / "mine")
    ours = shipped.shipped_folders()[name]
    assert copy == tmp_path / "deep" / "mine"
    for path in ours.rglob("*.yaml"):
        there = copy / path.relative_to(ours)
        assert ConfigParser.load_config_file(there) == ConfigParser.load_config_file(path)


def test_a_copy_overwrites_nothing(tmp_path):
    with pytest.raises(DataError, match="exists already"):
        shipped.copy_shipped("studies", tmp_path)


def test_what_is_not_there_cannot_be_copied(tmp_path):
    with pytest.raises(DataError, match=r"choose from .*medical_image_gan"):
        shipped.copy_shipped("medical_gan", tmp_path / "mine")


def test_the_wheel_is_told_of_every_chapter_and_of_every_file():
    """What setuptools would find, and the data, which it would not."""
    tomllib = pytest.importorskip("tomllib")  # of Python 3.11 and later
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    chapters = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "monai_gan_aug").rglob("__init__.py")
    }
    data = {"monai_gan_aug.bundles", "monai_gan_aug.configs"}
    assert set(told["packages"]) == chapters | data
    for package in data:
        folder = ROOT / told["package-dir"][package]
        taken = {path for glob in told["package-data"][package] for path in folder.glob(glob)}
        shown = [p for p in folder.rglob("*") if p.is_file() and "models" not in p.parts]
        assert set(shown) <= taken
