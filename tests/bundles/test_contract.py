"""What every bundle must be: complete, resolvable, silent about metadata, and free of code."""

import json
import logging
import warnings
from pathlib import Path

import pytest
import torch
import yaml
from monai.bundle import ConfigParser, ConfigWorkflow

import monai_gan_aug.published  # noqa: F401  (its classifiers register themselves)
from monai_gan_aug.networks.classifiers import CLASSIFIERS

BUNDLES_DIR = Path(__file__).resolve().parents[2] / "bundles"
BUNDLES = sorted(path.parent.parent for path in BUNDLES_DIR.glob("*/configs/metadata.json"))
DISCRIMINATOR = {"_target_": "monai_gan_aug.networks.dcgan.Discriminator", "image_size": 64}
FRAGMENTS = {"medical_image_gan": ["family_dcgan"]}
MORE_FILES = {"discriminator": ["configs/network_discriminator.yaml"]}
every_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)


@pytest.fixture(scope="module")
def knobs(tmp_path_factory, write_data):
    folder = tmp_path_factory.mktemp("data")
    given = write_data(folder, training=6, validation=2, test=4, shape=(1, 40, 36))
    return {**given, "output_dir": str(folder / "run"), "image_size": 32, "workers": 1}


def files(bundle, last):
    """Training is put together; whatever uses its checkpoint is one file."""
    names = ["common", *FRAGMENTS.get(bundle.name, []), last] if last == "train" else [last]
    return [f"configs/{name}.yaml" for name in names]


def test_training_declares_every_monai_property(knobs, monkeypatch, caplog):
    bundle, config, kind = BUNDLES_DIR / "medical_image_gan", "train", "train"
    monkeypatch.setenv("MONAI_FAIL_ON_DUPLICATE_CONFIG", "1")
    monkeypatch.chdir(bundle)
    content = ConfigParser.load_config_files(files(bundle, config))
    known = {key: value for key, value in knobs.items() if key in content}
    workflow = ConfigWorkflow(files(bundle, config), workflow_type=kind, **known)
    workflow.initialize()
    assert workflow.check_properties() == []
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == []


@every_bundle
def test_networks_resolve_without_training(bundle, monkeypatch):
    monkeypatch.chdir(bundle)
    parser = ConfigParser()
    parser.read_config(files(bundle, "train")[:-1])
    assert parser.get_parsed_content("network_def") is not None
    if parser["discriminator_def"] is not None:
        assert parser.get_parsed_content("discriminator_def") is not None


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_resolves(name, monkeypatch):
    monkeypatch.chdir(BUNDLES_DIR / "augmentation_classifier")
    parser = ConfigParser()
    parser.read_config(["configs/common.yaml", *MORE_FILES.get(name, [])])
    parser.update({"network": name, "num_classes": 2, "image_size": 64})
    parser.update({"discriminator_def": DISCRIMINATOR})
    with torch.device("meta"):
        network = parser.get_parsed_content("network_def")
    assert sum(parameter.numel() for parameter in network.parameters()) > 10_000


@every_bundle
def test_metadata_is_complete(bundle):
    metadata = json.loads((bundle / "configs/metadata.json").read_text())
    assert metadata["version"] in metadata["changelog"]
    assert metadata["schema"].endswith("meta_schema_20240725.json")
    for key in ("monai_version", "pytorch_version", "numpy_version", "network_data_format"):
        assert metadata[key]
    assert "image" in metadata["network_data_format"]["inputs"]
    assert "pred" in metadata["network_data_format"]["outputs"]


@every_bundle
def test_has_what_the_model_zoo_asks_for(bundle):
    for name in ("LICENSE", "docs/README.md", "configs/logging.conf", "large_files.yml"):
        assert (bundle / name).is_file(), name


@every_bundle
def test_ships_configs_not_code(bundle):
    assert not list(bundle.rglob("*.py"))


@every_bundle
def test_holds_expressions_for_paths_devices_and_calls_only(bundle):
    allowed = ("$torch.device(", "$@")
    for path in bundle.glob("configs/*.yaml"):
        for value in leaves(yaml.safe_load(path.read_text())):
            if isinstance(value, str) and value.startswith("$"):
                assert value.startswith(allowed), f"{path.name}: {value}"
                assert "lambda" not in value
                assert "import" not in value


@every_bundle
def test_numbers_are_numbers(bundle):
    """YAML reads ``2e-4`` as text."""
    for path in bundle.glob("configs/*.yaml"):
        for value in leaves(yaml.safe_load(path.read_text())):
            if isinstance(value, str):
                with pytest.raises(ValueError, match="could not convert"):
                    float(value)


@every_bundle
def test_argument_files_name_configs_that_exist(bundle):
    for path in bundle.glob("configs/run_*.yaml"):
        named = yaml.safe_load(path.read_text())["config_file"]
        for name in [named] if isinstance(named, str) else named:
            assert (bundle / name).is_file(), f"{path.name}: {name}"


@every_bundle
def test_reads_without_duplicate_keys(bundle, monkeypatch):
    monkeypatch.setenv("MONAI_FAIL_ON_DUPLICATE_CONFIG", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in bundle.glob("configs/*.yaml"):
            ConfigParser.load_config_file(path)


def leaves(content):
    if isinstance(content, dict):
        for value in content.values():
            yield from leaves(value)
    elif isinstance(content, list):
        for value in content:
            yield from leaves(value)
    else:
        yield content
