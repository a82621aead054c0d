"""A checkpoint tells what it is; what contradicts it, or saw the wrong patients, is refused."""

import hashlib
from dataclasses import replace

import pytest
import torch
from torch import nn

from monai_gan_aug.engines.checkpoint import load_checkpoint, save_checkpoint
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.engines.trained_network import (
    described_network,
    load_network,
    read_checkpoint,
    settled_knobs,
    settled_recipe,
)
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.networks.classifiers import classifier
from monai_gan_aug.networks.dcgan import Generator
from monai_gan_aug.networks.definitions import definition_of
from monai_gan_aug.records.datalist import Datalist, Entry, SplitRecord
from monai_gan_aug.records.provenance import TrainingRecord, check_record
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

RECIPE = PreprocessingRecipe(size=16, windows=["brain"]).to_dict()
RECORD = TrainingRecord("5f", "key", ("p", "q"), ("i", "j"), ("a", "b"), RECIPE)
DESCRIPTION = {"arm": "real", "seed": 4, "steps": 10, "settings": {}}


def datalist(*, group="r", image="x", labels=("a", "b"), key="key", split="test"):
    """One image of one patient in one split."""
    splits = {"training": (), "validation": (), "test": ()}
    splits[split] = (Entry("x.png", 0, group, image),)
    return Datalist(labels=labels, **splits, split=SplitRecord(0, "test", key_fingerprint=key))


def save_classifier(folder, network=None, *, described=True, record=RECORD, **more):
    network = network or classifier("small_cnn", 1, 2, 16)
    content = {
        "network": network.state_dict(),
        "training": record.to_dict(),
        "description": DESCRIPTION,
        "definitions": {"classifier": definition_of(network)} if described else {},
        "knobs": {"positive": 0},
        **more,
    }
    save_checkpoint(folder, "classifier.pt", content)
    return network


@pytest.fixture
def gan(make_trainer, tiny_images, tmp_path):
    """A checkpoint that a training wrote, and its trainer."""
    record = replace(tiny_images.training_record(), recipe=RECIPE)
    tiny_images.training_record = lambda: record
    trainer = make_trainer(handlers=[RunFolder(tmp_path, tiny_images)])
    trainer.run()
    return tmp_path / "checkpoints", trainer


def test_a_gan_comes_back_without_being_told_anything(gan):
    folder, trainer = gan
    made = load_network(folder, "generator")
    latents, labels = torch.randn(2, 8), torch.tensor([0, 1])
    expected = trainer.sampling_network.eval()(latents, labels)
    assert torch.equal(made.network.eval()(latents, labels), expected)
    assert (made.latent_size, made.num_classes) == (8, 2)
    assert made.labels == ("benign", "malignant")
    assert made.checkpoint.recipe == PreprocessingRecipe.from_dict(RECIPE)
    file = next(folder.glob("*.pt"))
    assert made.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    discriminator = load_network(folder / "latest.json", "discriminator").network
    for name, value in trainer.d_network.state_dict().items():
        assert torch.equal(discriminator.state_dict()[name], value)


def test_a_checkpoint_is_plain_data_with_a_version(gan):
    content = torch.load(next(gan[0].glob("*.pt")), weights_only=True)
    assert content["format"] == "monai_gan_aug.checkpoint/2"
    assert (
        content["definitions"]["generator"]["_target_"] == "monai_gan_aug.networks.dcgan.Generator"
    )
    assert content["knobs"] == {"latent_size": 8, "num_classes": 2}


def test_a_network_that_does_not_know_how_it_was_made_must_be_given(make_trainer, tmp_path):
    class Own(Generator):
        pass

    torch.manual_seed(0)
    network = Own(16, 1, 8, width=4, num_classes=2)
    record = TrainingRecord("5f", "key", (), (), ("a", "b"), RECIPE)
    images = type("Images", (), {"training_record": lambda self: record})()
    images.datalist = type("Listed", (), {"labels": ("a", "b")})()
    optimizer = torch.optim.Adam(network.parameters())
    handlers = [RunFolder(tmp_path, images)]
    make_trainer(g_network=network, g_optimizer=optimizer, handlers=handlers).run()
    with pytest.raises(DataError, match=r"does not describe its generator.*--network_def"):
        described_network(tmp_path / "checkpoints", "generator")
    again = Own(16, 1, 8, width=4, num_classes=2)
    assert load_network(tmp_path / "checkpoints", "generator", network=again).latent_size == 8


def test_a_classifier_comes_back(tmp_path):
    network = save_classifier(tmp_path)
    trained = load_network(tmp_path, "classifier", datalist=datalist(), judged_split="test")
    images = torch.rand(3, 1, 16, 16)
    assert torch.equal(trained.network.eval()(images), network.eval()(images))
    assert trained.description.seed == 4
    assert trained.labels == ("a", "b")
    assert trained.checkpoint.positive == 0


def test_format_1_needs_its_network(tmp_path):
    network = save_classifier(tmp_path, described=False)
    path = tmp_path / "classifier.pt"
    content = load_checkpoint(path)
    old = {k: v for k, v in content.items() if k not in ("definitions", "knobs")}
    torch.save({**old, "format": "monai_gan_aug.checkpoint/1"}, path)
    with pytest.raises(DataError, match=r"format 2.*--network_def"):
        load_network(path, "classifier")
    again = classifier("small_cnn", 1, 2, 16)
    trained = load_network(path, "classifier", network=again)
    assert torch.equal(again.head[1].weight, network.head[1].weight)
    assert trained.checkpoint.recipe.windows == ("brain",)
    assert trained.checkpoint.positive == 1


def test_knobs_of_format_1_that_are_not_known_are_taken_from_the_caller(tmp_path):
    network = nn.Linear(8, 4)
    content = {"trainer": {"networks": {"generator": network.state_dict()}}}
    save_checkpoint(tmp_path, "x.pt", {**content, "training": RECORD.to_dict()})
    opened = read_checkpoint(tmp_path, latent_size=8, num_classes=2)
    made = load_network(opened, "generator", network=nn.Linear(8, 4))
    assert (made.latent_size, made.num_classes) == (8, 2)
    with pytest.raises(DataError, match="give `latent_size`"):
        _ = load_network(tmp_path, "generator", network=nn.Linear(8, 4)).latent_size


def test_another_version_is_named(tmp_path):
    torch.save({"format": "monai_gan_aug.checkpoint/3"}, tmp_path / "x.pt")
    with pytest.raises(DataError, match=r"later version.*update monai_gan_aug"):
        read_checkpoint(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("knob", "wrong", "right"),
    [
        ("image_size", 32, 16),
        ("channels", 3, 1),
        ("windows", ["lung"], ["brain"]),
        ("windows", [], [[40, 80]]),  # the numbers behind the name
        ("fit", "crop", "letterbox"),
        ("bits", 16, 8),
        ("num_classes", 3, 2),
        ("positive", 1, 0),
    ],
)
def test_a_knob_that_contradicts_is_refused_with_both_values(knob, wrong, right, tmp_path):
    save_classifier(tmp_path)
    known = read_checkpoint(tmp_path, **{knob: right}).knobs[knob]
    with pytest.raises(DataError) as caught:
        read_checkpoint(tmp_path, **{knob: wrong})
    assert f"`{knob}` is {wrong!r} here" in str(caught.value)
    assert f"was trained with {known!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("knob", "wrong", "right"),
    [
        ("latent_size", 9, 8),
        ("condition", "none", "class"),
        ("only_labels", "benign", ["benign", "malignant"]),
    ],
)
def test_knobs_of_a_gan_are_known(knob, wrong, right, gan):
    read_checkpoint(gan[0], **{knob: right})
    with pytest.raises(DataError, match=f"`{knob}`"):
        read_checkpoint(gan[0], **{knob: wrong})


def test_a_gan_of_one_class_fits_either_condition(tmp_path):
    record = replace(RECORD, labels=("b",))
    content = {"training": record.to_dict(), "knobs": {"num_classes": 0}, "labels": ["a", "b"]}
    save_checkpoint(tmp_path, "x.pt", content)
    assert read_checkpoint(tmp_path, condition="class", only_labels="b").knobs["num_classes"] == 0
    save_checkpoint(tmp_path, "y.pt", {**content, "training": RECORD.to_dict()})
    with pytest.raises(DataError, match="`condition` is 'class' here"):
        read_checkpoint(tmp_path, condition="class")


def test_a_knob_that_decides_nothing_is_a_mistake():
    with pytest.raises(TypeError, match="learning_rate"):
        settled_knobs({}, {"learning_rate": 1.0}, "x.pt")


def test_windows_must_be_a_list():
    with pytest.raises(ValueError, match=r"write \[brain\]"):
        settled_knobs({}, {"windows": "brain"}, "x.pt")


def test_a_checkpoint_without_preprocessing_has_none_made_up():
    with pytest.raises(DataError, match="does not record how its images were prepared"):
        settled_recipe({}, {}, "x.pt")


def test_a_network_that_fits_but_computes_something_else_is_refused(tmp_path):
    """The same keys and shapes: only the definition tells."""
    save_classifier(tmp_path)
    other = classifier("small_cnn", 1, 2, 16, dropout=0.5)
    with pytest.raises(DataError, match=r"`dropout` of the classifier is 0\.5 here.*with 0\.2"):
        load_network(tmp_path, "classifier", network=other)


def test_another_network_is_refused_with_the_keys(tmp_path):
    save_classifier(tmp_path, nn.Linear(2, 2), described=False)
    with pytest.raises(DataError, match="weight: shape"):
        load_network(tmp_path, "classifier", network=nn.Linear(3, 2))


@pytest.mark.parametrize(
    ("part", "bundle"), [("generator", "medical_image_gan"), ("discriminator", "GAN")]
)
def test_a_checkpoint_of_another_kind_is_refused(part, bundle, tmp_path):
    save_classifier(tmp_path)
    with pytest.raises(DataError, match=f"holds no {part}: give the checkpoint of a .*{bundle}"):
        load_network(tmp_path, part)


def test_the_checkpoint_of_a_gan_is_no_classifier(gan):
    with pytest.raises(DataError, match=r"holds no classifier.*augmentation_classifier"):
        load_network(gan[0], "classifier")


def test_a_checkpoint_without_a_record_is_refused(make_trainer, tmp_path):
    make_trainer(handlers=[RunFolder(tmp_path)]).run()
    with pytest.raises(ProvenanceError, match="does not record what its networks saw"):
        load_network(tmp_path / "checkpoints", "generator")


def test_a_hostile_checkpoint_builds_nothing(tmp_path):
    save_classifier(tmp_path, definitions={"classifier": {"_target_": "os.system", "command": "x"}})
    with pytest.raises(DataError, match=r"os\.system belongs to none"):
        load_network(tmp_path, "classifier")


def test_own_networks_are_trusted_by_name(tmp_path):
    save_classifier(tmp_path, definitions={"classifier": {"_target_": "torch.nn.Linear"}})
    with pytest.raises(DataError, match="--trusted_networks"):
        load_network(tmp_path, "classifier")
    with pytest.raises(DataError, match="cannot be built"):  # trusted now; arguments are missing
        load_network(tmp_path, "classifier", trusted=["torch.nn"])


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (datalist(group="q"), "1 test patients"),
        (datalist(image="j"), "1 of their images"),
        (datalist(key="another"), "another key"),
    ],
)
def test_a_classifier_is_not_judged_on_whom_it_saw(listed, message, tmp_path):
    with pytest.raises(ProvenanceError, match=message):
        check_record(listed, RECORD, ["test"])
    save_classifier(tmp_path)
    with pytest.raises(ProvenanceError, match=message):
        load_network(tmp_path, "classifier", datalist=listed, judged_split="test")


def test_other_splits_do_not_matter_to_the_one_that_is_judged():
    check_record(datalist(group="q", split="training"), RECORD, ["test"])


def test_the_same_split_needs_no_common_key():
    listed = datalist(key="another")
    check_record(listed, replace(RECORD, split_sha256=listed.sha256), ["test"])


@pytest.mark.parametrize("split", ["validation", "test"])
def test_whoever_saw_held_out_patients_is_refused(split, gan):
    listed = datalist(group="g", split=split, labels=("benign", "malignant"))
    for part in ("generator", "discriminator"):
        with pytest.raises(ProvenanceError, match="1 validation or test patients"):
            load_network(gan[0], part, datalist=listed)


def test_other_classes_are_refused(tmp_path):
    save_classifier(tmp_path)
    with pytest.raises(ProvenanceError, match="same order"):
        load_network(tmp_path, "classifier", datalist=datalist(labels=("b", "a")))


def test_the_datalist_may_be_a_file(tmp_path):
    save_classifier(tmp_path)
    datalist(group="q").save(tmp_path / "datalist.json")
    with pytest.raises(ProvenanceError, match="1 validation or test patients"):
        load_network(tmp_path, "classifier", datalist=tmp_path / "datalist.json")
