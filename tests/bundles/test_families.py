"""Every family of the GAN bundle trains, resumes and generates through its configuration."""

import re
from pathlib import Path

import pytest
import yaml
from monai.bundle import ConfigParser, run

from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.records.provenance import SyntheticDatalist

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "medical_image_gan"
FAMILIES = sorted(path.stem for path in BUNDLE.glob("configs/family_*.yaml"))
OURS = ["acgan", "dcgan", "fastgan", "sagan", "sngan", "stylegan", "wgan_gp"]
ours = pytest.mark.parametrize("family", OURS)
NETWORKS = {"network_def", "discriminator_def"}
SIZES = {"generator_width": 8, "discriminator_width": 8, "latent_size": 8}


def content(name):
    return yaml.safe_load((BUNDLE / "configs" / f"{name}.yaml").read_text())


def files(family, last):
    return [f"configs/{name}.yaml" for name in ("common", f"family_{family}", last)]


def generate(checkpoints, folder):
    """A set of four images, from nothing but the checkpoint."""
    run(
        config_file="configs/inference.yaml",
        ckpt_path=str(checkpoints),
        synthetic_dir=str(folder),
        samples_per_class=2,
        device="cpu",
    )
    return SyntheticDatalist.load(folder / "datalist.json")


@pytest.fixture(scope="module")
def knobs(tmp_path_factory, write_data):
    given = write_data(tmp_path_factory.mktemp("data"), training=12, validation=2, test=2)
    return {**given, "image_size": 32, **SIZES}


TRAINING = {"steps_per_epoch": 2, "batch_size": 4, "workers": 1}


@ours
def test_trains_resumes_and_generates(family, knobs, tmp_path, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    knobs = {**knobs, "output_dir": str(tmp_path / "run")}
    for epochs in (1, 2):
        run(
            config_file=files(family, "train"),
            **knobs,
            **TRAINING,
            max_epochs=epochs,
            resume=epochs > 1,
        )
    state = load_checkpoint(tmp_path / "run" / "checkpoints")["trainer"]
    assert state["iteration"] == 4
    synthetic = generate(tmp_path / "run" / "checkpoints", tmp_path / "synthetic")
    assert [entry.label for entry in synthetic.training] == [0, 0, 1, 1]


@pytest.mark.parametrize("condition", ["class", None])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128, 256])
@ours
def test_networks_resolve_for_every_kind_of_image(family, size, channels, condition, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    parser = ConfigParser()
    parser.read_config(files(family, "train")[:-1])
    parser.update(
        {**SIZES, "image_size": size, "channels": channels, "condition": condition, "device": "cpu"}
    )
    generator = parser.get_parsed_content("network_def")
    discriminator = parser.get_parsed_content("discriminator_def")
    assert generator.num_classes == discriminator.num_classes == (2 if condition else 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"augment": "adaptive", "instance_noise": 0.1, "lecam": 0.3},
        {"augment": "", "consistency": 10.0, "dragan": 10.0, "discriminator_norm": None},
        {
            "loss": "least_squares",
            "augment": "color,cutout",
            "label_smoothing": 0.1,
            "label_embedding": "concatenate",
        },
        {"spectral_norm": True, "loss": "hinge", "r1": 1.0, "r1_interval": 2},
    ],
)
def test_options_of_the_game_can_be_combined(settings, knobs, tmp_path, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    run(
        config_file=files("dcgan", "train"),
        **knobs,
        **TRAINING,
        **settings,
        max_epochs=1,
        output_dir=str(tmp_path / "run"),
    )
    state = load_checkpoint(tmp_path / "run" / "checkpoints")["trainer"]
    assert ("regularizer_lecam" in state["parts"]) == ("lecam" in settings)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_sets_common_knobs_or_uses_its_own(family):
    """A knob nobody reads would be changed in vain."""
    own = content(family)
    for key in own.keys() - NETWORKS - content("common").keys():
        assert re.search(rf"'@{key}'", (BUNDLE / f"configs/{family}.yaml").read_text()), key


def test_what_families_set_is_not_set_again_by_training():
    training = content("train").keys()
    for family in FAMILIES:
        assert content(family).keys() & training == set()


def test_every_family_is_documented():
    text = (Path(__file__).resolve().parents[2] / "docs" / "families.md").read_text()
    assert [name for name in OURS if f"`{name}`" not in text] == []
