"""A whole small study with every kind of arm, at two numbers of training patients."""

import json
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.data.datalist import Datalist
from monai_gan_aug.data.provenance import SyntheticDatalist
from monai_gan_aug.data.sources import CsvSource
from monai_gan_aug.engines.predictions import Predictions
from monai_gan_aug.errors import DataError
from monai_gan_aug.evaluation.arms import arm
from monai_gan_aug.evaluation.gan_runs import GanRecipe
from monai_gan_aug.evaluation.study import Study
from monai_gan_aug.evaluation.study_data import StudyData
from monai_gan_aug.reports.loading import read_study

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
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
    "semi_discriminator_init",
    "oracle_2",
)


ONE = {"arm": "classical", "controls": ["classical"]}


class Here(Executor):
    """Runs every job at once, in this process."""

    def __init__(self):
        self.names = []

    def submit(self, function, /, *arguments, **options):
        future = Future()
        self.names.append(arguments[0].name)
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """48 patients of two classes that are hard to tell apart."""
    root, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    rows = ["path,label,patient"]
    for number in range(48):
        label = number % 2
        pixels = rng.integers(0, 120, (16, 16))
        pixels[:, 8 * label : 8 * label + 8] += rng.integers(2, 20)
        Image.fromarray(pixels.astype(np.uint8)).save(root / f"{number}.png")
        rows.append(f"{number}.png,{('left', 'right')[label]},p{number}")
    (root / "labels.csv").write_text("\n".join(rows))
    return root


def make(images, output, **knobs):
    return Study(
        **{
            "title": "Bright halves",
            "data": StudyData(
                name="halves",
                dataset_dir=str(images),
                source=CsvSource("labels.csv", image="path", label="label", patient="patient"),
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
                knobs={
                    "max_epochs": 1,
                    "steps_per_epoch": 3,
                    "batch_size": 8,
                    "generator_width": 4,
                    "discriminator_width": 4,
                    "latent_size": 8,
                    "families": ["distances"],
                    "classifier_steps": 3,
                },
                samples_per_class=12,
            ),
            "classifier": {"total_steps": 4, "batch_size": 8},
            "selection": {"budget": 6},
            "training_patients": [5, 3],
            "unlabelled_images": 8,
            "bundles_dir": str(BUNDLES),
            **knobs,
        }
    )


@pytest.fixture(scope="module")
def finished(images, tmp_path_factory):
    output = tmp_path_factory.mktemp("study")
    study = make(images, output)
    study.run(Here())
    return study, output


def record(output):
    return json.loads((output / "study.json").read_text())


def test_ends_with_a_record_that_a_report_can_read(finished):
    _, output = finished
    assert read_study(output / "study.json").verdict.arm == "discriminator_init"


def test_nothing_is_run_again(finished):
    study, _ = finished
    again = Here()
    study.run(again)
    assert again.names == []


def test_all_arms_take_equally_many_steps_but_the_one_named_for_it(finished):
    for part in (record(finished[1]), *record(finished[1])["sweep"]):
        steps = {arm["name"]: arm["steps"] for arm in part["arms"]}
        assert steps.pop("classical_twice") == 8
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
    for row in rows:
        assert 0 < row["p_value"] <= 1
        assert row["minimum_detectable_effect"] >= 0
        assert len(row["single_splits"]) == 2
    holm = {r["arm"]: (r["p_holm"], r["p_value"]) for r in rows if "p_holm" in r}
    assert set(holm) == {
        "real_plus_synthetic",
        "filtered",
        "discriminator_init",
        "semi_discriminator_init",
    }
    assert all(corrected >= plain for corrected, plain in holm.values())


def test_the_tuned_arm_is_one_of_those_it_was_chosen_from(finished):
    _, output = finished
    for folder in output.glob("seed-*"):
        found = Predictions.load(folder / "arm-classical_tuned" / "predictions.json")
        others = [
            Predictions.load(folder / f"arm-{name}" / "predictions.json").probabilities
            for name in ("classical", "classical_strong")
        ]
        assert any(np.array_equal(found.probabilities, other) for other in others)


def test_claims_and_exchange_cover_the_candidates(finished):
    content = record(finished[1])
    arms = {claim["arm"] for claim in content["corrected"]["every_control"]}
    assert arms == {row["arm"] for row in content["exchange"]}
    assert all(row["measured"] == [10, 20] for row in content["exchange"])


def test_a_class_as_large_as_the_others_cannot_be_topped_up(images, tmp_path):
    study = make(images, tmp_path, arms=["classical", "minority_only"], comparison=ONE)
    with pytest.raises(DataError, match="minority_only"):
        study.run(Here())


def test_an_arm_cannot_be_trained_longer_than_the_others(images, tmp_path):
    knobs = {"discriminator_init": {"total_steps": 99}}
    with pytest.raises(DataError, match="equally many steps"):
        make(images, tmp_path, arm_knobs=knobs)


def test_what_an_arm_sets_no_common_knob_changes(images, tmp_path):
    study = make(images, tmp_path, classifier={"augmentation": "strong", "dropout": 0.1})
    recipe, configs = study._recipe(), BUNDLES / "augmentation_classifier" / "configs"
    assert recipe.knobs_of(arm("real"), configs) == {"dropout": 0.1}
    assert recipe.knobs_of(arm("classical"), configs)["augmentation"] == "strong"


def test_one_gan_per_class_has_no_discriminator_for_all(images, tmp_path):
    with pytest.raises(DataError, match="per_class"):
        make(images, tmp_path, gan=GanRecipe(per_class=True))
