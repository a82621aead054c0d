"""The published systems as presets: every stated number, read from the resolved configuration."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser, run

BUNDLE = Path(__file__).resolve().parents[2] / "bundles/medical_image_gan"
OTHERS = ("family_", "stock_")
PRESETS = sorted(  # what brings both networks
    path.stem
    for path in (BUNDLE / "configs").glob("*.yaml")
    if "\ndiscriminator_def:\n  _target_" in path.read_text() and not path.stem.startswith(OTHERS)
)
SIZES = {  # generator, discriminator: trainable parameters
    "isic2016": (3_576_704, 2_765_568),
    "siim_isic_dcgan": (4_854_656, 2_765_568),
    "siim_isic_acgan": (19_918_515, 104_035),
    "siim_isic_acgan128": (78_999_219, 122_467),
    "siim_isic_wgan": (4_854_656, 2_763_776),
    "siim_isic_wgan128": (15_342_464, 11_160_576),
    "siim_isic_sngan": (4_854_656, 2_765_568),
    "siim_isic_sngan128": (15_342_464, 11_164_416),
    "head_ct": (4_870_785, 791_169),
    "bone_xray": (3_979_651, 404_801),
    "malaria": (2_041_475, 1_611_969),
}
SIIM_ISIC = {
    "learning_rate": 2e-4,
    "discriminator_learning_rate": 2e-4,
    "beta1": 0.5,
    "batch_size": 16,
}
STATED = {
    "isic2016": {"loss": "bce", "channels": 3},
    "siim_isic_dcgan": {**SIIM_ISIC, "latent_size": 256, "loss": "bce", "image_size": 64},
    "siim_isic_acgan": {"latent_size": 600, "label_smoothing": 0.1, "two_sided_smoothing": True},
    "siim_isic_acgan128": {"latent_size": 600, "image_size": 128},
    "siim_isic_wgan": {
        **SIIM_ISIC,
        "gradient_penalty": 10.0,
        "d_train_steps": 5,
        "loss": "wasserstein",
    },
    "siim_isic_wgan128": {
        **SIIM_ISIC,
        "gradient_penalty": 10.0,
        "d_train_steps": 5,
        "image_size": 128,
    },
    "siim_isic_sngan": {**SIIM_ISIC, "spectral_norm": True, "discriminator_norm": "batch"},
    "siim_isic_sngan128": {**SIIM_ISIC, "spectral_norm": True, "image_size": 128},
    "head_ct": {"learning_rate": 2e-4, "beta1": 0.5, "batch_size": 16, "image_size": 32},
    "bone_xray": {"latent_size": 128, "image_size": 64, "channels": 3},
    "malaria": {"latent_size": 100, "image_size": 64, "channels": 3},
}


def trainable(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.fixture
def resolve(monkeypatch):
    monkeypatch.chdir(BUNDLE)

    def read(preset):
        parser = ConfigParser()
        parser.read_config([f"configs/{name}.yaml" for name in ("common", preset, "train")])
        parser["num_classes"] = 2 if parser["condition"] else 0
        return parser

    return read


def test_every_preset_is_checked():
    assert PRESETS == sorted(SIZES) == sorted(STATED)


@pytest.mark.parametrize("preset", PRESETS)
def test_networks_have_the_stated_sizes(preset, resolve):
    parser = resolve(preset)
    with torch.device("meta"):
        found = [parser.get_parsed_content(f"{n}_def") for n in ("network", "discriminator")]
    assert tuple(map(trainable, found)) == SIZES[preset]


@pytest.mark.parametrize("preset", PRESETS)
def test_knobs_are_the_stated_ones(preset, resolve):
    parser = resolve(preset)
    assert {name: parser[name] for name in STATED[preset]} == STATED[preset]
    assert parser["augment"] == ""  # no source augmented what the discriminator sees
    assert parser["ema_decay"] == 0.0  # or averaged the generator


@pytest.mark.parametrize("preset", ["head_ct", "bone_xray", "malaria", "isic2016"])
def test_one_gan_per_class_or_for_all_is_unconditional(preset, resolve):
    assert resolve(preset)["condition"] is None


@pytest.fixture(scope="module")
def images(tmp_path_factory, write_data):
    return write_data(tmp_path_factory.mktemp("images"), training=8, shape=(3, 32, 32))


@pytest.mark.parametrize(
    ("preset", "knobs"),
    [
        ("siim_isic_acgan", {"image_size": 32}),
        ("siim_isic_wgan", {"image_size": 32, "only_labels": "benign"}),
        ("head_ct", {"channels": 3, "only_labels": "benign"}),
        ("bone_xray", {"image_size": 32, "only_labels": "malignant"}),
        ("malaria", {"image_size": 32, "only_labels": "malignant"}),
        ("stock_mednist_gan", {"image_size": 32, "only_labels": "malignant"}),
    ],
)
def test_trains_and_generates(preset, knobs, images, tmp_path, monkeypatch):
    monkeypatch.chdir(BUNDLE)
    given = {
        **images,
        "cache_dir": str(tmp_path / "cache"),
        "output_dir": str(tmp_path / "run"),
        "max_epochs": 1,
        "steps_per_epoch": 2,
        "batch_size": 4,
        "workers": 1,
        **knobs,
    }
    run(config_file=[f"configs/{name}.yaml" for name in ("common", preset, "train")], **given)
    synthetic = tmp_path / "synthetic"
    run(
        config_file="configs/inference.yaml",
        ckpt_path=str(tmp_path / "run" / "checkpoints"),
        device="cpu",
        samples_per_class=3,
        synthetic_dir=str(synthetic),
    )
    classes = 1 if "only_labels" in knobs else 2
    assert len(list(synthetic.glob("images/*.png"))) == 3 * classes
