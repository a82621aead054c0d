"""Networks know how they were made; a definition builds them and can do nothing else."""

import copy
import os
import pickle
import sys
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import DenseNet121, EfficientNetBN
from torch import nn

import monai_gan_aug.published  # noqa: F401  (its classifiers register themselves)
from monai_gan_aug.errors import DataError
from monai_gan_aug.networks import definitions
from monai_gan_aug.networks.classifiers import CLASSIFIERS, classifier
from monai_gan_aug.networks.dcgan import Discriminator, Generator
from monai_gan_aug.networks.definitions import (
    DescribedNetwork,
    build_network,
    definition_of,
    describe,
    make_network,
    makes_networks,
)
from monai_gan_aug.networks.from_discriminator import DiscriminatorClassifier
from monai_gan_aug.networks.stock import StockGenerator

CONFIGS = Path(__file__).resolve().parents[2] / "bundles/medical_image_gan/configs"
PRESETS = sorted(
    path.stem
    for path in CONFIGS.glob("*.yaml")
    if "\ndiscriminator_def:\n  _target_: monai_gan_aug" in path.read_text()
)
LARGE = {f"efficientnet-b{n}" for n in range(1, 8)}
SMALL_CLASSIFIERS = sorted(CLASSIFIERS.keys() - LARGE - {"discriminator"})  # that needs a GAN


class Own(DescribedNetwork):
    """What a user may write."""

    def __init__(self, width, names=("a", "b"), *, bias=True, **more):
        super().__init__()
        self.layer = nn.Linear(width, len(names), bias=bias)


class Heir(Own):
    """With arguments of its own."""

    def __init__(self, depth):
        super().__init__(width=2 * depth)


@makes_networks
def own_factory(width):
    network = nn.Linear(width, 1)
    describe(network, own_factory, {"width": width})
    return network


def assert_same_network(network):
    """What the definition builds has the keys and shapes, and the same definition."""
    definition = definition_of(network)
    again = build_network(definition, trusted=[__name__])
    assert definition_of(again) == definition
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    assert {name: value.shape for name, value in again.state_dict().items()} == shapes
    again.load_state_dict(network.state_dict())
    return again


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_built_again(preset):
    parser = ConfigParser()
    parser.read_config([str(CONFIGS / f"{name}.yaml") for name in ("common", preset)])
    small = {"generator_width": 8, "discriminator_width": 8, "latent_size": 8, "image_size": 32}
    parser.update({**small, "num_classes": 2 if parser["condition"] else 0})
    with torch.device("meta"):
        for name in ("network_def", "discriminator_def"):
            network = parser.get_parsed_content(name)
            again = build_network(definition_of(network))
            assert again.state_dict().keys() == network.state_dict().keys()
            assert definition_of(again) == definition_of(network)


@pytest.mark.parametrize("name", SMALL_CLASSIFIERS)
def test_every_classifier_is_built_again(name):
    with torch.device("meta"):
        network = classifier(name, channels=3, num_classes=2, image_size=64, dropout=0.4)
        again = build_network(definition_of(network))
    assert again.state_dict().keys() == network.state_dict().keys()
    assert definition_of(again) == definition_of(network)
    assert definition_of(network)["dropout"] == 0.4


def test_a_classifier_of_another_module_is_known_without_importing_it_first(monkeypatch):
    definition = definition_of(classifier("malaria_cnn", 3, 2, 64))
    monkeypatch.delitem(CLASSIFIERS, "malaria_cnn")
    monkeypatch.delitem(CLASSIFIERS, "malaria_resnet")
    monkeypatch.delitem(sys.modules, "monai_gan_aug.published.malaria")
    assert build_network(definition) is not None


def test_the_same_weights_give_the_same_images():
    network = Generator(16, 1, 8, width=4, num_classes=2, upsample="deconv").eval()
    again = assert_same_network(network).eval()
    latents, labels = torch.randn(2, 8), torch.tensor([0, 1])
    assert torch.equal(network(latents, labels), again(latents, labels))


def test_defaults_are_written_down_and_all_is_plain():
    definition = definition_of(Own(2 + torch.tensor(1).item()))
    assert definition == {
        "_target_": f"{__name__}.Own",
        "width": 3,
        "names": ["a", "b"],
        "bias": True,
    }
    assert definition_of(Own(3, bias=False, more=[1.5]))["more"] == [1.5]


def test_a_network_inside_a_network_is_a_definition_inside_a_definition():
    inner = Discriminator(16, width=4, num_classes=2)
    network = DiscriminatorClassifier(inner, 3, image_size=16)
    assert definition_of(network)["discriminator"] == definition_of(inner)
    assert_same_network(network)


def test_an_heir_is_described_as_itself():
    assert definition_of(Heir(2)) == {"_target_": f"{__name__}.Heir", "depth": 2}
    assert_same_network(Heir(2))


def test_copies_remember():
    network = Own(3)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert definition_of(other) == definition_of(network)


def test_what_cannot_be_written_down_is_not_known():
    class Local(DescribedNetwork):
        pass

    assert definition_of(Local()) is None
    assert definition_of(Own(2, more=nn.ReLU())) is None
    assert definition_of(Own(2, more="/data/weights of a patient.pt")) is None
    assert definition_of(nn.Linear(2, 2)) is None


def test_factories_are_trusted_by_name():
    assert_same_network(own_factory(4))
    with pytest.raises(DataError, match=r"--trusted_networks"):
        build_network(definition_of(own_factory(4)))


def test_networks_of_monai_can_be_described():
    network = make_network(
        "monai.networks.nets.DenseNet121", spatial_dims=2, in_channels=1, out_channels=2
    )
    assert isinstance(network, DenseNet121)
    assert_same_network(network)


def test_nothing_is_downloaded(monkeypatch):
    """MONAI's EfficientNet downloads weights unless told otherwise."""

    def refuse(*args, **kwargs):
        raise AssertionError("a download")

    monkeypatch.setattr("monai.networks.nets.efficientnet._load_state_dict", refuse)
    target = {"_target_": "monai.networks.nets.EfficientNetBN", "model_name": "efficientnet-b0"}
    for more in ({}, {"pretrained": True}):
        with torch.device("meta"):
            assert isinstance(build_network({**target, **more}), EfficientNetBN)


def test_wrong_arguments_fail_as_without_a_definition():
    with pytest.raises(TypeError, match="width"):
        Own()


def generator(**changed):
    return {**definition_of(Generator(16, 1, 8, width=4)), **changed}


@pytest.fixture
def no_calls(monkeypatch):
    """Fail when anything is imported for, or called by, a hostile definition."""

    def refuse(*args, **kwargs):
        raise AssertionError("code of a checkpoint ran")

    for name in ("system", "popen", "remove"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr("builtins.eval", refuse)
    return refuse


HOSTILE = {
    "a command": {"_target_": "os.system", "command": "echo"},
    "evaluation": {"_target_": "builtins.eval", "source": "1"},
    "inside an argument": generator(width={"_target_": "os.system", "command": "echo"}),
    "inside a list": generator(width=[1, {"a": [{"_target_": "os.remove", "path": "x"}]}]),
    "imported by a trusted module": {"_target_": "monai_gan_aug.networks.stock.torch.load"},
    "of a trusted module's import": {"_target_": "monai_gan_aug.networks.definitions.importlib"},
    "a look-alike": {"_target_": "monai_gan_aug.networks_evil.Network"},
    "a function that makes none": {"_target_": "monai_gan_aug.networks.latents.draw_latents"},
    "of this machinery": {"_target_": "monai_gan_aug.networks.definitions.make_network"},
    "a function of monai": {"_target_": "monai.networks.utils.save_state", "path": "x"},
    "a module to import": {**generator(), "_requires_": "antigravity"},
    "no text": {"_target_": ["os.system"]},
    "no name": {"_target_": "monai_gan_aug.networks..dcgan.Generator"},
    "no target": {"command": "echo"},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_definitions_are_refused(kind, no_calls, monkeypatch):
    monkeypatch.setattr(definitions, "_built", no_calls)
    with pytest.raises(DataError):
        build_network(HOSTILE[kind])


def test_trusting_a_package_does_not_trust_its_functions(no_calls):
    for trusted in ("os", "os.", "posix"):
        with pytest.raises(DataError, match="no network"):
            build_network({"_target_": "os.system", "command": "echo"}, trusted=["os", trusted])


def test_expressions_stay_text(no_calls):
    with pytest.raises(DataError, match="cannot be built"):
        build_network(generator(image_size="$__import__('os').system('echo')"))


def test_names_are_looked_at_before_anything_is_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "antigravity", raising=False)
    with pytest.raises(DataError):
        build_network(generator(extra={"_target_": "antigravity.Network"}))
    assert "antigravity" not in sys.modules


def test_an_argument_of_another_version_is_named():
    with pytest.raises(DataError, match=r"unheard_of.*another version"):
        build_network(generator(unheard_of=1))


def test_a_class_that_is_gone_is_named():
    with pytest.raises(DataError, match=r"dcgan\.Gone is not installed"):
        build_network({"_target_": "monai_gan_aug.networks.dcgan.Gone"})
    assert isinstance(
        build_network({"_target_": "monai_gan_aug.networks.stock.StockGenerator"}), StockGenerator
    )
