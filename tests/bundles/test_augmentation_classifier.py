"""The classifier bundle: every arm runs, is reproducible, and refuses what would leak."""

import csv
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow

from monai_gan_aug.data.datasets import UnlabelledImages
from monai_gan_aug.data.splitting import draw_split
from monai_gan_aug.engines.checkpoint import load_checkpoint, save_checkpoint
from monai_gan_aug.engines.trained_network import load_network
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.generation.gan_parts import configured_definition
from monai_gan_aug.io.dicom.writing import SyntheticSeries, encode_synthetic_dicom
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.image import Units
from monai_gan_aug.networks.definitions import build_network, definition_of
from monai_gan_aug.networks.from_discriminator import DiscriminatorClassifier
from monai_gan_aug.records.datalist import Datalist, Entry
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.provenance import SyntheticDatalist
from monai_gan_aug.studies.arms import ARMS
from monai_gan_aug.transforms.intensity import to_signed
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from monai_gan_aug.transforms.windows import WINDOWS
from tests.drawing import draw_half, training_record, write_synthetic_set

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "augmentation_classifier"
GAN_CONFIG = [
    str(BUNDLE.parent / "medical_image_gan" / "configs" / name)
    for name in ("common.yaml", "family_dcgan.yaml")
]
ALONE = ("evaluate.yaml", "inference.yaml", "pseudo_label.yaml")
"""What uses a trained classifier, and needs no other file."""
TRAINED = [row.name for row in ARMS.values() if row.trained]
RESULTS = ("predictions.json", "metrics.json", "curves.json")


def drawn(root, name, label, patient, rng):
    """A noisy square with a bright left or right half, as an entry."""
    return Entry(name, label, patient, content_id(draw_half(root / name, label, rng)))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """24 patients of two classes, and synthetic images of a GAN that saw the training ones."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    names = [(f"{label}/{n}.png", label) for label in (0, 1) for n in range(12)]
    entries = [drawn(root, n, c, f"patient{n}", rng) for n, c in names]
    datalist = draw_split(
        entries,
        ("left", "right"),
        training_patients_per_class=5,
        validation_patients_per_class=2,
        key_fingerprint="key",
        grouping="test",
    )
    datalist.save(root / "datalist.json")
    small = [entry for entry in datalist.training if entry.label == 1][:2]
    few = tuple(e for e in datalist.training if e.label == 0 or e in small)
    replace(datalist, training=few).save(root / "unequal.json")
    for name, split in (("synthetic", "training"), ("leaking", "test")):
        write_synthetic_set(
            root / name,
            datalist,
            lambda path, label, _: draw_half(path, label, rng),
            per_class=6,
            saw=split,
        )
        save_gan(root / f"gan-{name}", datalist, split)
    save_pseudo(root, datalist, rng)
    return root


def save_gan(folder, datalist, split):
    """The checkpoint of a GAN that saw one split."""
    record = training_record(datalist, split, PreprocessingRecipe(size=16).to_dict())
    torch.manual_seed(7)
    network = build_network(configured_definition(GAN_CONFIG, gan_knobs(folder.parent)))
    networks = {"discriminator": network.state_dict()}
    content = {
        "trainer": {"networks": networks},
        "training": record.to_dict(),
        "definitions": {"discriminator": definition_of(network)},
    }
    save_checkpoint(folder, "step_1.pt", content)


def gan_knobs(root):
    return {
        "image_size": 16,
        "channels": 1,
        "discriminator_width": 4,
        "datalist": str(root / "datalist.json"),
    }


def save_pseudo(root, datalist, rng):
    """Images of other patients with guessed classes."""
    names = [(f"others/{n}.png", n % 2) for n in range(6)]
    entries = [drawn(root, n, c, f"other {n}", rng) for n, c in names]
    guessed = replace(datalist, training=tuple(entries), validation=(), test=())
    guessed.save(root / "guessed.json")


def needs(arm, data):
    """The network of an arm, and the knobs a study would turn for it."""
    knobs = {"synthetic": [str(data / "synthetic" / "datalist.json")]}
    if "discriminator" in arm:
        knobs["files"] = ["network_discriminator.yaml"]
    if "scratch" in arm:
        knobs["discriminator_def"] = configured_definition(GAN_CONFIG, gan_knobs(data))
    if "init" in arm:
        knobs["gan_checkpoint"] = str(data / "gan-synthetic" / "latest.json")
    if "pseudo" in arm:
        knobs["pseudo"] = str(data / "guessed.json")
    if "semi_supervised" in arm:
        knobs |= {"unlabelled": str(data / "guessed.json"), "generator_width": 4}
    if "minority" in arm:
        knobs["datalist"] = str(data / "unequal.json")
    return knobs


def workflow(data, output, last, files=(), **knobs):
    settings = {
        "dataset_dir": str(data),
        "datalist": str(data / "datalist.json"),
        "cache_dir": str(data / "cache"),
        "output_dir": str(output),
        "device": "cpu",
        "workers": 1,
        "batch_size": 8,
        **knobs,
    }
    names = [*files, last]
    if last not in ALONE:
        names = ["common.yaml", *names]
        settings.setdefault("image_size", 16)
    found = ConfigWorkflow(
        [str(BUNDLE / "configs" / name) for name in names], workflow_type=None, **settings
    )
    found.initialize()
    return found


def train(data, output, arm="classical", **knobs):
    knobs = {"total_steps": 6, "curve_interval": 3, **knobs}
    workflow(data, output, "train.yaml", arm=arm, **knobs).run()
    return json.loads((output / "metrics.json").read_text())


@pytest.mark.parametrize("arm", TRAINED)
def test_every_arm_trains_and_is_judged(arm, data, tmp_path):
    metrics = train(data, tmp_path, arm, **needs(arm, data))
    assert metrics["arm"] == arm
    assert metrics["steps"] == (12 if arm == "classical_twice" else 6)
    assert json.loads((tmp_path / "curves.json").read_text())["step"][-1] == metrics["steps"]
    found = Predictions.load(tmp_path / "predictions.json")
    datalist = Datalist.load(Path(needs(arm, data).get("datalist", data / "datalist.json")))
    assert found.ids == tuple(entry.id for entry in datalist.test)
    assert found.split_sha256 == metrics["provenance"]["split_sha256"] == datalist.sha256
    assert len(metrics["provenance"]["synthetic_sha256"]) == 1


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ({"arm": "semi_synthetic"}, "unlabelled_gan_synthetic"),
        ({"arm": "mixupp"}, "did you mean mixup"),
        ({"network": "resnet_18"}, "did you mean resnet18"),
    ],
)
def test_an_unknown_name_is_refused_with_the_near_ones(name, wanted, data, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path, **name)
    assert wanted in str(root_cause(caught.value))
    assert not (tmp_path / "checkpoints").exists()


def test_what_is_given_by_hand_counts_more_than_the_arm_and_the_network(data, tmp_path):
    given = {"augmentation": "none", "dropout": 0.0, "network": "resnet18"}
    settings = train(data, tmp_path, "classical_strong", **given)["provenance"]["settings"]
    assert {name: settings[name] for name in given} == given
    assert settings["learning_rate"] == 5e-4


def weights_before_training(data, output, arm, **knobs):
    """Weights of the discriminator inside a classifier once its training has started."""
    given = {**needs(arm, data), **knobs}
    found = workflow(data, output, "train.yaml", arm=arm, total_steps=6, **given)
    handlers = found.parser.get_parsed_content("train::handlers")
    for handler in handlers:
        if type(handler).__name__ == "DiscriminatorWeights":
            handler.load()
    return found.parser.get_parsed_content("model").discriminator.state_dict()


def test_begins_with_the_weights_of_the_checkpoint(data, tmp_path):
    found = weights_before_training(data, tmp_path, "discriminator_init")
    content = load_checkpoint(data / "gan-synthetic")["trainer"]["networks"]["discriminator"]
    assert found.keys() == content.keys()
    assert all(torch.equal(found[name], content[name]) for name in content)


def test_the_matched_control_shares_the_architecture_and_no_weights(data, tmp_path):
    arms = ("discriminator_init", "discriminator_scratch")
    trained, scratch = (weights_before_training(data, tmp_path, arm) for arm in arms)
    assert trained.keys() == scratch.keys()
    convolutions = [name for name, value in trained.items() if value.ndim == 4]
    assert convolutions
    assert not any(torch.equal(trained[name], scratch[name]) for name in convolutions)


def test_a_discriminator_that_saw_test_patients_is_refused(data, tmp_path):
    arm = "discriminator_init"
    knobs = {**needs(arm, data), "gan_checkpoint": str(data / "gan-leaking")}
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path, arm, **knobs)
    assert isinstance(root_cause(caught.value), ProvenanceError)
    assert not (tmp_path / "checkpoints").exists()


def test_another_preprocessing_than_that_of_the_gan_is_refused(data, tmp_path):
    arm = "discriminator_init"
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path, arm, fit="stretch", **needs(arm, data))
    assert "preprocessing" in str(root_cause(caught.value))


FAMILIES = sorted((BUNDLE.parent / "medical_image_gan" / "configs").glob("family_*.yaml"))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda path: path.stem)
def test_a_discriminator_without_a_condition_has_nothing_of_the_classes(family):
    """No projection and no class head, and a classifier can be made of the rest all the same."""
    files, knobs = [GAN_CONFIG[0], family], {"image_size": 32}
    with_classes, without = (
        build_network(configured_definition(files, {**knobs, "condition": condition}))
        for condition in ("class", None)
    )
    missing = with_classes.state_dict().keys() - without.state_dict().keys()
    assert missing
    assert all(name.startswith("verdict.head") for name in missing)
    assert not without.state_dict().keys() - with_classes.state_dict().keys()
    classifier = DiscriminatorClassifier(without, num_classes=3, image_size=32)
    assert classifier(torch.zeros(2, 1, 32, 32)).shape == (2, 3)


def test_guessing_writes_both_datalists(data, tmp_path):
    train(data, tmp_path)
    knobs = {"unlabelled": str(data / "guessed.json"), "ckpt_path": str(tmp_path / "checkpoints")}
    workflow(data, tmp_path / "pseudo", "pseudo_label.yaml", **knobs).run()
    guessed, semi = (Datalist.load(tmp_path / "pseudo" / f"{n}.json") for n in ("guessed", "semi"))
    datalist = Datalist.load(data / "datalist.json")
    assert semi.training == (*datalist.training, *guessed.training)
    assert semi.test == datalist.test
    assert {e.id for e in guessed.training} == {
        e.id for e in Datalist.load(data / "guessed.json").training
    }


@pytest.fixture
def scans(tmp_path):
    """Images in Hounsfield units, which look quite different through different windows."""
    folder, rng = tmp_path / "scans", np.random.default_rng(3)
    folder.mkdir()
    series = SyntheticSeries.new()
    for number in range(1, 4):
        values = rng.uniform(-900, 300, (1, 16, 16)).astype(np.float32)
        content = encode_synthetic_dicom(
            values, units=Units.HU, window=WINDOWS["lung"], series=series, number=number
        )
        (folder / f"{number}.dcm").write_bytes(content)
    return folder


def shown(folder):
    rows = list(csv.DictReader((folder / "predictions.csv").open()))
    return [[float(row[name]) for name in ("left", "right")] for row in rows]


def test_a_wrong_window_is_impossible(data, scans, tmp_path):
    """The window is that of the training, unless one is given that is another: then nothing is."""
    train(data, tmp_path, windows=["lung"])
    knobs = {"dataset_dir": str(scans), "datalist": "absent.json"}
    workflow(data, tmp_path, "inference.yaml", **knobs).run()
    network = load_network(tmp_path / "checkpoints", "classifier").network.eval()

    def through(window):
        images = UnlabelledImages(scans, PreprocessingRecipe(size=16, windows=[window]))
        stored = to_signed(images.batch(np.arange(len(images)))["image"])
        return network(stored).double().softmax(1).detach().numpy()

    assert np.abs(through("lung") - shown(tmp_path)).max() < 1e-6
    assert np.abs(through("brain") - shown(tmp_path)).max() > 1e-3  # it would have mattered
    with pytest.raises(RuntimeError) as caught:
        workflow(
            data,
            tmp_path / "b",
            "inference.yaml",
            **knobs,
            windows=["brain"],
            ckpt_path=str(tmp_path / "checkpoints"),
        ).run()
    assert "`windows` is ['brain'] here" in str(root_cause(caught.value))
    assert "was trained with ['lung']" in str(root_cause(caught.value))
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize(("knob", "value"), [("image_size", 32), ("fit", "crop"), ("bits", 16)])
def test_a_knob_that_contradicts_the_checkpoint_is_refused(name, knob, value, data, tmp_path):
    train(data, tmp_path)
    with pytest.raises(RuntimeError) as caught:
        workflow(data, tmp_path, name, **{knob: value}, unlabelled=str(data / "guessed.json")).run()
    assert f"`{knob}` is {value!r} here" in str(root_cause(caught.value))


def test_what_counts_as_disease_is_that_of_the_training(data, tmp_path):
    trained = train(data, tmp_path, positive=0)
    workflow(data, tmp_path, "evaluate.yaml").run()
    found = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert found["metrics"] == trained["metrics"]


def test_a_checkpoint_that_does_not_describe_its_network_is_given_one(data, tmp_path):
    """Of format 1, for instance."""
    trained = train(data, tmp_path)
    path = tmp_path / "checkpoints" / "classifier.pt"
    content = {k: v for k, v in load_checkpoint(path).items() if k not in ("definitions", "knobs")}
    (tmp_path / "old").mkdir()
    torch.save({**content, "format": "monai_gan_aug.checkpoint/1"}, tmp_path / "old" / "x.pt")
    knobs = {"ckpt_path": str(tmp_path / "old" / "x.pt")}
    with pytest.raises(RuntimeError) as caught:
        workflow(data, tmp_path, "evaluate.yaml", **knobs).run()
    assert "--network_def" in str(root_cause(caught.value))
    network = {"_target_": "monai_gan_aug.networks.classifiers.classifier", "name": "small_cnn"}
    network |= {"channels": 1, "num_classes": 2, "image_size": 16}
    workflow(data, tmp_path, "evaluate.yaml", **knobs, network_def=network).run()
    found = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert found["metrics"] == trained["metrics"]


@pytest.mark.parametrize("arm", ["discriminator_init", "discriminator_scratch"])
def test_a_classifier_made_of_a_discriminator_is_judged_from_its_checkpoint_alone(
    arm, data, tmp_path
):
    trained = train(data, tmp_path, arm, **needs(arm, data))
    workflow(data, tmp_path, "evaluate.yaml", batch_size=256).run()
    found = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert found["metrics"] == trained["metrics"]


def test_a_discriminator_of_another_architecture_than_the_checkpoint_is_refused(data, tmp_path):
    other = configured_definition(GAN_CONFIG, {**gan_knobs(data), "discriminator_norm": None})
    arm = "discriminator_init"
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path, arm, **needs(arm, data), discriminator_def=other)
    assert "`norm` of the discriminator is None here" in str(root_cause(caught.value))


def test_a_classifier_of_a_discriminator_asks_which(data, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path, files=["network_discriminator.yaml"])
    assert "`gan_checkpoint`, or" in str(root_cause(caught.value))


def test_guessing_refuses_patients_of_the_split(data, tmp_path):
    train(data, tmp_path)
    knobs = {"unlabelled": str(data / "datalist.json"), "ckpt_path": str(tmp_path / "checkpoints")}
    with pytest.raises(RuntimeError) as caught:
        workflow(data, tmp_path / "pseudo", "pseudo_label.yaml", **knobs).run()
    assert isinstance(root_cause(caught.value), ProvenanceError)


def test_the_same_seed_gives_the_same_bytes(data, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(3)
        train(data, tmp_path / name, seed=seed)
    read = {(n, f): (tmp_path / n / f).read_bytes() for n in "abc" for f in RESULTS}
    assert all(read["a", f] == read["b", f] for f in RESULTS)
    assert read["a", "predictions.json"] != read["c", "predictions.json"]


def test_arms_of_one_seed_start_from_the_same_weights(data, tmp_path):
    states = []
    for arm in ("real", "warm_start"):
        found = workflow(data, tmp_path, "train.yaml", arm=arm, seed=3)
        states.append(found.parser.get_parsed_content("model").state_dict())
    assert all(torch.equal(a, b) for a, b in zip(*(s.values() for s in states), strict=True))


def test_images_of_a_gan_that_saw_test_patients_are_refused(data, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        train(
            data,
            tmp_path,
            "real_plus_synthetic",
            synthetic=[str(data / "leaking" / "datalist.json")],
        )
    assert isinstance(root_cause(caught.value), ProvenanceError)
    assert not (tmp_path / "checkpoints").exists()


def test_an_arm_that_needs_synthetic_images_says_so(data, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path, "synthetic_only")
    assert isinstance(root_cause(caught.value), DataError)


def root_cause(error):
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def test_training_without_a_validation_split(data, tmp_path):
    train(data, tmp_path, no_validation=True)
    curves = json.loads((tmp_path / "curves.json").read_text())
    assert curves["validation_auc"] == [None, None]


def test_evaluation_repeats_what_training_reported(data, tmp_path):
    trained = train(data, tmp_path)
    workflow(data, tmp_path, "evaluate.yaml").run()
    found = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert found["metrics"] == trained["metrics"]


def test_evaluation_refuses_training_patients(data, tmp_path):
    train(data, tmp_path)
    with pytest.raises(RuntimeError) as caught:
        workflow(data, tmp_path, "evaluate.yaml", split="training").run()
    assert isinstance(root_cause(caught.value), ProvenanceError)
    assert "learned from" in str(root_cause(caught.value))


def test_inference_needs_a_folder_and_a_checkpoint_only(data, tmp_path):
    train(data, tmp_path)
    knobs = {"dataset_dir": str(data / "0"), "datalist": "absent.json"}
    workflow(data, tmp_path, "inference.yaml", **knobs).run()
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert len(rows) == 12
    assert {row["predicted"] for row in rows} <= {"left", "right"}


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("train.yaml", "train"),
        ("evaluate.yaml", "infer"),
        ("inference.yaml", "infer"),
    ],
)
def test_declares_every_monai_property(file, kind, data, tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_FAIL_ON_DUPLICATE_CONFIG", "1")
    train(data, tmp_path / "trained")
    found = ConfigWorkflow(
        [str(BUNDLE / "configs" / name) for name in ("common.yaml", file)],
        workflow_type=kind,
        dataset_dir=str(data),
        datalist=str(data / "datalist.json"),
        cache_dir=str(data / "cache"),
        output_dir=str(tmp_path / "trained"),
        image_size=16,
        workers=1,
    )
    found.initialize()
    assert found.check_properties() == []


@pytest.mark.slow
def test_command_line_warns_of_nothing_but_that_configurations_are_code(data, tmp_path):
    files = [f"configs/{name}.yaml" for name in ("common", "train")]
    knobs = {
        "arm": "real",
        "dataset_dir": data,
        "datalist": data / "datalist.json",
        "cache_dir": data / "cache",
        "output_dir": tmp_path / "run",
        "device": "cpu",
        "image_size": 16,
        "total_steps": 4,
    }
    arguments = [f"--{key}={value}" for key, value in knobs.items()]
    done = subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", f"--config_file={files}", *arguments],
        cwd=BUNDLE,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0, lines
    shouted = [
        line for line in lines if re.search("warning|error|cannot find", line, re.IGNORECASE)
    ]
    assert [line for line in shouted if 'any `"_target_"` value' not in line] == []
    assert all((tmp_path / "run" / name).is_file() for name in RESULTS)


def test_unlabelled_images_of_held_out_patients_are_refused(data, tmp_path):
    datalist = Datalist.load(data / "datalist.json")
    leaking = replace(datalist, training=datalist.test[:2], validation=(), test=())
    leaking.save(tmp_path / "leaking.json")
    knobs = {**needs("semi_supervised", data), "unlabelled": str(tmp_path / "leaking.json")}
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path / "run", "semi_supervised", **knobs)
    assert isinstance(root_cause(caught.value), ProvenanceError)


@pytest.mark.parametrize("arm", ["pseudo_labels", "semi_supervised"])
def test_the_checkpoint_names_the_patients_of_unlabelled_images(arm, data, tmp_path):
    train(data, tmp_path / "run", arm, **needs(arm, data))
    seen = load_checkpoint(tmp_path / "run" / "checkpoints")["training"]["groups"]
    datalist, others = (Datalist.load(data / f"{n}.json") for n in ("datalist", "guessed"))
    assert set(seen) == datalist.groups("training") | others.groups()


def test_unlabelled_images_are_asked_for(data, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path / "run", "semi_supervised")
    assert "--unlabelled" in str(root_cause(caught.value))


def test_images_drawn_without_a_class_are_refused(data, tmp_path):
    made = SyntheticDatalist.load(data / "synthetic" / "datalist.json")
    together = replace(made.provenance, settings={"classes_together": True})
    target = data / "synthetic" / "together.json"
    replace(made, provenance=together).save(target)
    with pytest.raises(RuntimeError) as caught:
        train(data, tmp_path / "run", "real_plus_synthetic", synthetic=[str(target)])
    assert isinstance(root_cause(caught.value), DataError)
    assert "without a class" in str(root_cause(caught.value))
