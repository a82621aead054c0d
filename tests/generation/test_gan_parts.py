"""What others take from a GAN: how its images were prepared, and its discriminator."""

from dataclasses import replace
from pathlib import Path

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.generation.gan_parts import (
    configured_definition,
    discriminator_to_begin_with,
    recipe_of_synthetic,
)
from monai_gan_aug.networks.dcgan import Discriminator
from monai_gan_aug.networks.definitions import definition_of
from monai_gan_aug.records.provenance import Provenance, SyntheticDatalist, TrainingRecord
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

CONFIGS = Path(__file__).resolve().parents[2] / "bundles" / "medical_image_gan" / "configs"
DCGAN = [CONFIGS / "common.yaml", CONFIGS / "family_dcgan.yaml"]
BRAIN = PreprocessingRecipe(size=32, windows=["brain"])


@pytest.fixture
def made(tmp_path):
    """Write a synthetic datalist of a GAN of images prepared in some way; return its path."""

    def make(name, recipe):
        recorded = recipe.to_dict() if recipe else {}
        record = TrainingRecord("5f", "key", (), (), ("a", "b"), recorded)
        SyntheticDatalist(("a", "b"), (), Provenance("c0", record, 0)).save(tmp_path / name)
        return tmp_path / name

    return make


def test_sets_tell_how_their_images_were_prepared(made):
    path = made("a.json", BRAIN)
    for synthetic in (path, str(path), [path, path], {"one": [path], "other": path}):
        assert recipe_of_synthetic(synthetic, image_size=None) == BRAIN
    assert recipe_of_synthetic(path, image_size=32, windows=[[40, 80]]) == BRAIN


def test_a_knob_that_contradicts_them_is_refused_with_both_values(made):
    with pytest.raises(DataError, match=r"`windows` is \['lung'\] here, but a\.json .*\['brain'\]"):
        recipe_of_synthetic([made("a.json", BRAIN)], windows=["lung"])


def test_sets_that_were_prepared_differently_are_not_compared(made):
    paths = [made("a.json", BRAIN), made("b.json", replace(BRAIN, size=64))]
    with pytest.raises(DataError, match="separate runs"):
        recipe_of_synthetic({"a": paths[0], "b": [paths[1]]})


@pytest.mark.parametrize("synthetic", [None, [], {}])
def test_no_set_is_asked_for(synthetic):
    with pytest.raises(DataError, match="names no synthetic datalist"):
        recipe_of_synthetic(synthetic)


def test_a_recipe_that_was_not_recorded_is_not_made_up(made):
    with pytest.raises(DataError, match="does not record how its images were prepared"):
        recipe_of_synthetic(made("a.json", None))


@pytest.mark.parametrize(("condition", "classes"), [("class", 3), (None, 0)])
def test_a_configuration_describes_what_it_would_build(condition, classes):
    knobs = {"image_size": 32, "only_labels": ["a", "b", "c"], "condition": condition}
    found = configured_definition(DCGAN, {**knobs, "discriminator_width": 4})
    whole = definition_of(Discriminator(32, 1, width=4, num_classes=classes, norm="batch"))
    assert found.items() <= whole.items()


@pytest.mark.parametrize(
    ("files", "message"), [([], "No configuration"), (DCGAN[:1], "no `discriminator_def`")]
)
def test_a_configuration_without_a_discriminator_is_refused(files, message):
    with pytest.raises(DataError, match=message):
        configured_definition(files)


def test_a_classifier_made_of_a_discriminator_asks_which():
    network = Discriminator(16, width=4)
    assert discriminator_to_begin_with(None, network) is network
    with pytest.raises(DataError, match="`gan_checkpoint`, or"):
        discriminator_to_begin_with(None)
