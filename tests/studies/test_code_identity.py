"""The code a job may run is all in its identity."""

import json
import subprocess
import sys

import pytest
import yaml

from monai_gan_aug.studies import code_identity
from monai_gan_aug.studies.code_identity import PACKAGE, code_files, package_sha256
from monai_gan_aug.studies.shipped import bundles_folder

IMPORT_ALL = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps([name for name in sys.modules if name.split(".")[0] == "monai_gan_aug"]))
"""


def targets(content):
    """Modules named under ``_target_``, at any depth."""
    if isinstance(content, dict):
        if str(content.get("_target_", "")).startswith("monai_gan_aug."):
            yield content["_target_"].rpartition(".")[0]
        for value in content.values():
            yield from targets(value)
    elif isinstance(content, list):
        for value in content:
            yield from targets(value)


@pytest.fixture(scope="module")
def used():
    """Files that are imported by whatever a configuration of a bundle names."""
    named = {
        module
        for path in bundles_folder().glob("*/configs/*.yaml")
        for module in targets(yaml.safe_load(path.read_text()))
    }
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, json.dumps(sorted(named))],
        capture_output=True,
        text=True,
        check=True,
    )
    places = [
        PACKAGE.joinpath(*name.split(".")[1:]) for name in json.loads(done.stdout.splitlines()[-1])
    ]
    return {
        place / "__init__.py" if place.is_dir() else place.with_suffix(".py") for place in places
    }


def test_whatever_a_bundle_imports_counts(used):
    assert len(used) > 50
    left_out = {path.relative_to(PACKAGE).as_posix() for path in used - set(code_files())}
    words = {name for name in left_out if name.startswith("reports/")}  # tables for people
    assert left_out - words == {"studies/__init__.py"}


def test_a_report_can_be_mended_without_training_everything_anew():
    chapters = {path.relative_to(PACKAGE).parts[0] for path in code_files()}
    assert not chapters & {"reports", "statistics", "phantoms", "__main__.py"}
    assert {"engines", "networks", "losses", "data", "published", "bundle.py"} <= chapters


@pytest.mark.parametrize("change", ["edit", "add", "rename", "remove"])
def test_every_change_of_the_code_changes_the_hash(tmp_path, monkeypatch, change):
    package = tmp_path / "monai_gan_aug"
    (package / "engines").mkdir(parents=True)
    (package / "engines" / "steps.py").write_text("x = 1")
    (package / "engines" / "guards.py").write_text("x = 2")
    monkeypatch.setattr(code_identity, "PACKAGE", package)
    monkeypatch.setattr(code_identity, "code_files", lambda: code_files(package))
    package_sha256.cache_clear()
    before = package_sha256()
    changed = package / "engines" / "steps.py"
    match change:
        case "edit":
            changed.write_text("x = 3")
        case "add":
            changed.with_name("new.py").write_text("")
        case "rename":
            changed.rename(changed.with_name("moves.py"))
        case "remove":
            changed.unlink()
    assert package_sha256() == before  # once per process: a job has one code from end to end
    package_sha256.cache_clear()
    assert package_sha256() != before
    package_sha256.cache_clear()
