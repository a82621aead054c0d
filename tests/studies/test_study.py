"""A whole small study with every kind of arm, at two numbers of training patients."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from monai_gan_aug.data.sources import CsvSource
from monai_gan_aug.engines.checkpoint import find_checkpoint, load_checkpoint
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.hashing import sha256_file
from monai_gan_aug.networks.classifiers import classifier
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.plan import PlanRecord
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.provenance import SyntheticDatalist
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.html import StudyReport
from monai_gan_aug.studies.arms import arm
from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.external import ExternalData
from monai_gan_aug.studies.gan_runs import GanRecipe
from monai_gan_aug.studies.layout import StudyLayout
from monai_gan_aug.studies.study import Study
from tests.drawing import draw_halves

ARMS = (
    "classical",
    "classical_twice",
    "classical_tuned",
    "real_plus_synthetic",
    "label_shuffled",
    "filtered",
    "filtered_at_random",
    "discriminator_init",
    "discriminator_scratch",
    "pseudo_labels",
    "unlabelled_gan_discriminator_init",
    "oracle_2",
    "averaged",
    "averaged_controls",
    "unlabelled_gan_averaged",
)
AVERAGES = {
    "averaged": ("classical", "discriminator_init"),
    "averaged_controls": ("classical", "discriminator_scratch"),
    "unlabelled_gan_averaged": ("classical", "unlabelled_gan_discriminator_init"),
}
GAN_KNOBS = {
    "max_epochs": 1,
    "steps_per_epoch": 3,
    "batch_size": 8,
    "generator_width": 4,
    "discriminator_width": 4,
    "latent_size": 8,
    "families": ["distances"],
    "classifier_steps": 3,
}


SOURCE = CsvSource("labels.csv", image="path", label="label", patient="patient")


def against_classical(arms):
    """A comparison of the last arm with the baseline."""
    return {"arm": arms[-1], "controls": ["classical"]}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """48 patients."""
    return draw_halves(tmp_path_factory.mktemp("images"), 48, seed=0)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """12 patients of another place."""
    return draw_halves(tmp_path_factory.mktemp("elsewhere"), 12, seed=1, first=100)


def make(images, output, **knobs):
    return Study(
        **{
            "title": "Bright halves",
            "data": StudyData(
                name="halves",
                dataset_dir=str(images),
                source=SOURCE,
                image={"image_size": 16, "channels": 1},
                key_file=str(output / "patients.key"),
                split={
                    "training_patients_per_class": 60,
                    "validation_patients_per_class": 3,
                    "test_patients_per_class": 8,
                },
            ),
            "output_dir": str(output),
            "seeds": [0, 1],
            "arms": ARMS,
            "comparison": {"arm": "discriminator_init"},
            "gan": GanRecipe(
                knobs=GAN_KNOBS,
                samples_per_class=12,
            ),
            "unlabelled_gan": GanRecipe(
                knobs={**GAN_KNOBS, "condition": None, "max_epochs": 2},
            ),
            "classifier": {"total_steps": 4, "batch_size": 8},
            "selection": {"budget": 6},
            "training_patients": [5, 3],
            "unlabelled_images": 8,
            **knobs,
        }
    )


@pytest.fixture(scope="module")
def finished(images, elsewhere, tmp_path_factory, new_executor):
    output = tmp_path_factory.mktemp("study")
    study = make(images, output, external={"b": ExternalData(str(elsewhere), SOURCE)})
    study.run(new_executor())
    return study, output


def record(output):
    return json.loads((output / "study.json").read_text())


def test_ends_with_a_record_that_a_report_can_read(finished):
    _, output = finished
    assert StudyRecord.load(output / "study.json").verdict.arm == "discriminator_init"


def test_the_gan_of_unlabelled_images_reaches_the_record(finished):
    _, output = finished
    study = StudyRecord.load(output / "study.json")
    name = "all classes, with unlabelled images"
    (training,) = [gan for gan in study.curves.gan if (gan.seed, gan.name) == (0, name)]
    assert training.curves.step[-1] == 6
    assert training.alarms is not None
    (hashes,) = [gan for gan in study.seeds[0].gans if gan.name == name]
    assert hashes.synthetic_sha256 is None  # no arm mixes its images in
    semi = Datalist.load(StudyLayout(output).seed(0).guesses.enlarged)
    assert hashes.split_sha256 == semi.sha256
    newest = find_checkpoint(output / "seed-0" / "unlabelled-gan" / "checkpoints")
    assert hashes.checkpoint_sha256 == sha256_file(newest)


def test_its_folder_is_what_the_layout_says(finished):
    """No folder or file of a study but those that `layout.py` names, and what jobs leave."""
    _, output = finished
    main = StudyLayout(output)
    for layout in (main, main.with_patients(3)):
        for seed in (0, 1):
            place = layout.seed(seed)
            gans = [place.gan(), place.unlabelled_gan]
            folders = {place.arm(name).folder for name in (*ARMS, "classical_strong")}
            folders |= {gan.training() for gan in gans}
            folders |= {place.gan().generation(), place.gan().selection(), place.guesses.folder}
            if layout.is_main:  # too few patients for a copy screen
                folders |= {place.gan().evaluation}
            files = {place.datalist, place.unlabelled, place.more_patients("oracle_2")}
            external = place.arm("classical", external="b").folder.parents[1]
            jobs = place.folder / ".jobs"
            assert set(place.folder.iterdir()) - {jobs} == folders | files | {external}


def test_nothing_is_run_again(finished, here):
    study, _ = finished
    study.run(here)
    assert here.names == []


def test_all_arms_take_equally_many_steps_but_those_named_for_it(finished):
    for part in (record(finished[1]), *record(finished[1])["sweep"]):
        steps = {arm["name"]: arm["steps"] for arm in part["arms"]}
        assert {steps.pop(name) for name in ("classical_twice", *AVERAGES)} == {8}
        assert set(steps.values()) == {4}


def test_training_sets_are_nested_and_share_their_test_set(finished):
    _, output = finished
    for seed in (0, 1):
        large = Datalist.load(output / f"seed-{seed}" / "datalist.json")
        small = Datalist.load(output / "patients-3" / f"seed-{seed}" / "datalist.json")
        assert set(small.training) < set(large.training)
        assert (small.test, small.validation) == (large.test, large.validation)
        assert set(large.group_counts("training").values()) == {5}


def test_the_gan_is_trained_again_for_every_size(finished):
    _, output = finished
    for place, patients in ((output, 10), (output / "patients-3", 6)):
        path = place / "seed-0" / "synthetic" / "datalist.json"
        seen = SyntheticDatalist.load(path).provenance.training
        assert len(seen.groups) == patients


def test_every_arm_of_a_seed_is_judged_on_the_same_images(finished):
    _, output = finished
    for seed in (0, 1):
        files = output.glob(f"**/seed-{seed}/arm-*/predictions.json")
        assert len({Predictions.load(path).ids for path in files}) == 1


def test_no_gan_and_no_guess_touches_a_held_out_patient(finished):
    _, output = finished
    for folder in (*output.glob("seed-*"), *output.glob("patients-3/seed-*")):
        split = Datalist.load(folder / "datalist.json")
        held_out = split.groups("test") | split.groups("validation")
        semi = Datalist.load(folder / "pseudo" / "semi.json")
        assert not semi.groups("training") & held_out
        assert len(semi.training) == len(split.training) + 8
        oracle = Datalist.load(folder / "oracle_2.json")
        assert len(oracle.groups("training")) == 2 * len(split.groups("training"))
        assert not oracle.groups("training") & held_out


def test_sweep_holds_every_size_with_a_verdict(finished):
    content = record(finished[1])
    assert [one["training_patients_per_class"] for one in content["sweep"]] == [3, 5]
    assert content["sweep"][1]["verdict"] == content["verdict"]
    assert content["sweep"][1]["comparisons"] == content["comparisons"]


def test_comparisons_carry_p_values_and_what_it_would_take(finished):
    rows = record(finished[1])["comparisons"]
    assert {
        ("filtered", "filtered_at_random"),
        ("discriminator_init", "discriminator_scratch"),
    } <= {(row["arm"], row["control"]) for row in rows}
    for row in rows:  # of two seeds
        assert row["p_value"] is None
        assert row["difference"]["lower"] is row["difference"]["upper"] is None
        assert row["difference"]["minimum_detectable_effect"] is None
        assert row["seeds_needed"]["low"] == 3
        assert len(row["single_splits"]) == 2


def test_the_plan_is_kept_and_looking_again_is_no_look(finished):
    _, output = finished
    plan = PlanRecord.load(output / "plan.json")
    assert plan.plan.arm == "discriminator_init"
    assert plan.plan.matched == ("discriminator_scratch",)
    assert plan.plan.training_patients == (3, 5)
    assert [look.number for look in plan.looks] == [1]
    assert not plan.changes
    study = StudyRecord.load(output / "study.json")
    assert study.plan == plan
    assert study.verdict.word == "underpowered"
    assert "no interval" in study.verdict.sentence


def test_the_overlap_is_that_of_the_training_sets(finished):
    """5 training patients of 24 of each class at two seeds, by hand."""
    _, output = finished
    first, second = (Datalist.load(output / f"seed-{seed}" / "datalist.json") for seed in (0, 1))
    shares = []
    for label in (0, 1):
        one, other = (
            {entry.group for entry in datalist.training if entry.label == label}
            for datalist in (first, second)
        )
        shares.append(len(one & other) / 5)
    found = StudyRecord.load(output / "study.json").verdict.overlap
    assert found.share >= max(shares)  # unlabelled images of `pseudo_labels` may share more
    assert found.patients >= len(first.groups("training") | second.groups("training"))


def test_the_tuned_arm_is_one_of_those_it_was_chosen_from(finished):
    _, output = finished
    for folder in output.glob("seed-*"):
        found = Predictions.load(folder / "arm-classical_tuned" / "predictions.json")
        best = Predictions.load(folder / f"arm-{_best_light_or_strong(folder)}/predictions.json")
        assert np.array_equal(found.probabilities, best.probabilities)
        assert found.arm == "classical_tuned"


def _best_light_or_strong(folder):
    """By the last point of the learning curve, the first if they are alike."""
    areas = {
        name: json.loads((folder / f"arm-{name}" / "curves.json").read_text())["validation_auc"][-1]
        for name in ("classical", "classical_strong")
    }
    return max(areas, key=areas.get)


def test_an_average_is_the_mean_of_its_members(finished):
    _, output = finished
    for folder in output.glob("**/seed-*"):
        found = {
            path.parent.name.removeprefix("arm-"): Predictions.load(path).probabilities
            for path in folder.glob("arm-*/predictions.json")
        }
        for name, (one, other) in AVERAGES.items():
            assert found[name] == pytest.approx((found[one] + found[other]) / 2, abs=1e-7)


def test_members_of_an_average_are_trained_without_being_arms(images, tmp_path):
    arms = ["classical", "unlabelled_gan_averaged"]
    study = make(
        images, tmp_path, arms=arms, comparison=against_classical(arms), training_patients=[5]
    )
    (runs,) = study._sizes().values()
    assert {job.name.removeprefix("seed-0/") for job in runs._jobs_of_seed(0)} == {
        "arm-classical",
        "arm-unlabelled_gan_discriminator_init",
        "pseudo",
        "unlabelled-gan",
    }


def test_a_gan_that_no_arm_uses_is_not_trained(images, tmp_path, here):
    arms = ["classical", "classical_twice", "semi_supervised"]
    planned = against_classical(arms)
    study = make(images, tmp_path, arms=arms, comparison=planned, training_patients=[5])
    output = study.run(here).parent
    assert {Path(name).name for name in here.names} == {f"arm-{name}" for name in arms}
    shown = StudyRecord.load(output / "study.json")
    assert not shown.recipe.gan
    assert not shown.quality
    assert not shown.grids
    assert not shown.curves.gan
    assert not any("copy screen" in caveat for caveat in shown.dataset.caveats)
    assert StudyReport(output / "study.json").write().is_file()


def test_a_gan_without_classes_gives_its_discriminator_to_the_classifier(finished):
    """An unconditional discriminator has no projection, and the classifier takes all of it."""
    _, output = finished
    for folder in output.glob("**/seed-*"):
        semi, plain = (
            load_checkpoint(folder / name / "checkpoints" / "latest.json")["trainer"]["networks"]
            for name in ("unlabelled-gan", "gan")
        )
        assert any(name.startswith("verdict.head") for name in plain["discriminator"])
        assert not any(name.startswith("verdict.head") for name in semi["discriminator"])
        assert not any(name.startswith("condition") for name in semi["generator"])
        arm = load_checkpoint(folder / "arm-unlabelled_gan_discriminator_init" / "checkpoints")[
            "network"
        ]
        taken = {name.removeprefix("discriminator."): value.shape for name, value in arm.items()}
        for name, value in semi["discriminator"].items():
            assert taken[name] == value.shape


def test_the_gan_with_unlabelled_images_has_its_own_recipe(finished):
    _, output = finished
    steps = {
        name: json.loads((output / "seed-0" / name / "curves.json").read_text())["step"][-1]
        for name in ("gan", "unlabelled-gan")
    }
    assert steps == {"gan": 3, "unlabelled-gan": 6}
    assert record(output)["recipe"]["gan"]["with unlabelled"]["condition"] is None


def test_images_nobody_mixes_in_are_not_generated(finished):
    _, output = finished
    assert list(output.glob("**/unlabelled-gan"))
    assert not list(output.glob("**/unlabelled-synthetic"))


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("unlabelled_gan_synthetic", {}),
        ("real_plus_synthetic", {"gan": GanRecipe(knobs={"condition": None})}),
        ("filtered", {"gan": GanRecipe(preset="isic2016")}),
    ],
)
def test_images_without_classes_cannot_be_mixed_in(images, tmp_path, name, knobs, here):
    arms = ["classical", name]
    study = make(images, tmp_path, arms=arms, comparison=against_classical(arms), **knobs)
    with pytest.raises(DataError, match=f"{name} need images with a class"):
        study.run(here)


def test_images_that_never_had_a_class_are_learned_from(images, tmp_path, here):
    shutil.copytree(images, tmp_path / "images")
    table = tmp_path / "images" / "labels.csv"
    rows = table.read_text().splitlines()
    rows[1:9] = [row.replace("left", "?").replace("right", "?") for row in rows[1:9]]
    table.write_text("\n".join(rows))
    study = make(
        tmp_path / "images",
        tmp_path,
        arms=["classical", "pseudo_labels", "semi_supervised"],
        comparison={"arm": "semi_supervised", "controls": ["classical", "pseudo_labels"]},
        training_patients=[],
    )
    split = {"training_patients_per_class": 12, "validation_patients_per_class": 3}
    data = replace(study.data, unlabelled="?", split=split)
    replace(study, data=data).run(here)
    for seed in (0, 1):
        folder = tmp_path / f"seed-{seed}"
        labelled = Datalist.load(folder / "datalist.json")
        unlabelled = Datalist.load(folder / "unlabelled.json")
        assert labelled.labels == ("left", "right")
        assert len(labelled.entries()) == 40
        assert {entry.image for entry in unlabelled.training} == {f"{n}.png" for n in range(8)}
        assert (folder / "arm-semi_supervised" / "predictions.json").is_file()


def test_a_gan_without_classes_for_every_class_has_classes(images, tmp_path):
    recipe = GanRecipe(knobs={"condition": None}, per_class=True)
    arms = ["classical", "real_plus_synthetic"]
    study = make(images, tmp_path, arms=arms, comparison=against_classical(arms), gan=recipe)
    for runs in study._sizes().values():
        runs.prepare()


def test_every_arm_is_judged_on_the_external_images(finished):
    _, output = finished
    (found,) = record(output)["external"]
    assert (found["name"], found["images"]) == ("b", {"left": 6, "right": 6})
    assert [arm["name"] for arm in found["arms"]] == list(ARMS)
    assert found["verdict"]["arm"] == "discriminator_init"
    assert found["verdict"]["look"] == 1
    ids = {entry.id for entry in Datalist.load(output / "external" / "b" / "datalist.json").test}
    for path in output.glob("**/seed-*/external/b/arm-*/predictions.json"):
        assert set(Predictions.load(path).ids) == ids


def test_external_metrics_are_those_of_the_predictions(finished):
    _, output = finished
    (found,) = record(output)["external"]
    row = next(r for r in found["comparisons"] if r["primary"] and r["control"] == "classical")
    differences = [
        _auc(folder / "external/b/arm-discriminator_init")
        - _auc(folder / "external/b/arm-classical")
        for folder in (output / "seed-0", output / "seed-1")
    ]
    assert row["difference"]["per_seed"] == pytest.approx(differences)
    assert row["difference"]["mean"] == pytest.approx(np.mean(differences))


def _auc(folder):
    found = Predictions.load(folder / "predictions.json")
    return roc_auc_score(found.labels, found.probabilities[:, 1])


def test_external_results_are_those_of_the_trained_weights(finished):
    """The classifier is put together by hand and asked again."""
    _, output = finished
    folder = output / "seed-0"
    datalist = Datalist.load(output / "external" / "b" / "datalist.json")
    network = classifier("small_cnn", channels=1, num_classes=2, image_size=16)
    checkpoint = load_checkpoint(folder / "arm-classical" / "checkpoints")
    network.load_state_dict(checkpoint["network"])
    found = Predictions.load(folder / "external" / "b" / "arm-classical" / "predictions.json")
    seen = {entry.id: entry.image for entry in datalist.test}
    pixels = [np.asarray(Image.open(_root(finished) / seen[name])) for name in found.ids]
    inputs = torch.from_numpy(np.stack(pixels)).float()[:, None] / 127.5 - 1
    with torch.inference_mode():
        expected = network.eval()(inputs).softmax(dim=1).numpy()
    assert found.probabilities == pytest.approx(expected, abs=1e-4)


def _root(finished):
    return Path(finished[0].external["b"].dataset_dir)


def test_derived_arms_are_derived_on_external_images_too(finished):
    _, output = finished
    for folder in output.glob("**/seed-*/external/b"):
        found = {
            path.parent.name.removeprefix("arm-"): Predictions.load(path).probabilities
            for path in folder.glob("arm-*/predictions.json")
        }
        for name, (one, other) in AVERAGES.items():
            assert found[name] == pytest.approx((found[one] + found[other]) / 2, abs=1e-7)
        best = _best_light_or_strong(folder.parents[1])
        assert np.array_equal(found["classical_tuned"], found[best])


def test_external_images_are_checked_before_anything_is_trained(images, tmp_path, here):
    study = make(images, tmp_path, external={"b": ExternalData(str(images), SOURCE)})
    with pytest.raises(DataError, match="48 images of the external set b are copies"):
        study.run(here)
    assert here.names == []


def test_claims_and_equivalents_cover_the_candidates(finished):
    content = record(finished[1])
    arms = {claim["arm"] for claim in content["corrected"]["every_control"]}
    assert arms == {row["arm"] for row in content["sample_size_equivalent"]}
    assert all(row["measured"] == [10, 20] for row in content["sample_size_equivalent"])


def test_a_class_as_large_as_the_others_cannot_be_topped_up(images, tmp_path, here):
    arms = ["classical", "minority_only"]
    study = make(images, tmp_path, arms=arms, comparison=against_classical(arms))
    with pytest.raises(DataError, match="minority_only"):
        study.run(here)


@pytest.mark.parametrize(
    ("planned", "reason"),
    [
        ({"arm": "classical", "controls": ["classical"]}, "as its controls"),
        ({"controls": []}, "as its controls"),
        ({"controls": ["classical", "classical"]}, "as its controls"),
        ({"controls": ["classical"], "metric": "beauty"}, "`metric` must be one of"),
        ({"arm": "classical_twice", "controls": ["classical"]}, "uses no GAN"),
        ({"controls": ["classical", "oracle_2"]}, "no controls by their role"),
    ],
)
def test_a_comparison_that_says_nothing_is_refused_before_anything_runs(
    images, tmp_path, planned, reason
):
    with pytest.raises(DataError, match=reason):
        make(images, tmp_path, comparison=planned)


def test_test_sets_too_small_for_an_interval_are_refused_before_anything_is_trained(
    images, tmp_path, here
):
    study = make(images, tmp_path)
    few = replace(study.data, split={**study.data.split, "test_patients_per_class": 2})
    with pytest.raises(DataError, match="has 2 test patients at seed 0"):
        replace(study, data=few).run(here)
    assert not here.names


def test_an_arm_cannot_be_trained_longer_than_the_others(images, tmp_path):
    knobs = {"discriminator_init": {"total_steps": 99}}
    with pytest.raises(DataError, match="equally many steps"):
        make(images, tmp_path, arm_knobs=knobs)


def test_what_an_arm_sets_no_common_knob_changes(images, tmp_path):
    study = make(images, tmp_path, classifier={"augmentation": "strong", "dropout": 0.1})
    recipe = study._recipe()
    assert recipe.knobs_of(arm("real")) == {"dropout": 0.1}
    assert recipe.knobs_of(arm("classical"))["augmentation"] == "strong"


def test_one_gan_per_class_has_no_discriminator_for_all(images, tmp_path):
    with pytest.raises(DataError, match="per_class"):
        make(images, tmp_path, gan=GanRecipe(per_class=True))
