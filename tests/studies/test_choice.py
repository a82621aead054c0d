"""Choosing an arm by its validation AUC, and by nothing else."""

import json

import numpy as np
import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.studies.choice import ChooseByValidation


@pytest.fixture
def arms(tmp_path):
    """Write folders of arms with a validation AUC and the test probability they gave."""

    def write(**found):
        for name, (area, probability) in found.items():
            folder = tmp_path / name
            rows = np.array([[1 - probability, probability]] * 2)
            pair = ("a", "b")
            labels = np.array([0, 1])
            Predictions(name, 0, pair, "test", "5f", pair, pair, labels, rows).save(
                folder / "predictions.json"
            )
            curves = {"step": [1, 2], "loss": [1.0, 0.5], "validation_auc": [0.99, area]}
            (folder / "curves.json").write_text(json.dumps(curves))
            (folder / "metrics.json").write_text(json.dumps({"arm": name, "steps": 2}))
        return [tmp_path / name for name in found]

    return write


def test_the_final_validation_auc_decides(arms, tmp_path):
    folders = arms(light=(0.7, 0.9), strong=(0.8, 0.1))
    assert ChooseByValidation("tuned", folders, tmp_path / "tuned").run().name == "strong"
    found = Predictions.load(tmp_path / "tuned" / "predictions.json")
    assert (found.arm, found.probabilities[0, 1]) == ("tuned", 0.1)
    metrics = json.loads((tmp_path / "tuned" / "metrics.json").read_text())
    assert metrics == {"arm": "tuned", "steps": 2, "chosen": "strong"}


def test_results_on_another_set_are_taken_from_the_arm_that_was_chosen(arms, tmp_path):
    folders = arms(light=(0.7, 0.9), strong=(0.8, 0.1))
    results = arms(light_elsewhere=(None, 0.3), strong_elsewhere=(None, 0.6))
    for folder in results:
        (folder / "curves.json").unlink()
    target = tmp_path / "tuned"
    assert ChooseByValidation("tuned", folders, target, results).run().name == "strong"
    assert Predictions.load(target / "predictions.json").probabilities[0, 1] == 0.6
    assert not (target / "curves.json").exists()


def test_every_choice_has_its_results(arms, tmp_path):
    folders = arms(light=(0.7, 0.9), strong=(0.8, 0.1))
    with pytest.raises(ValueError, match="one folder per choice"):
        ChooseByValidation("tuned", folders, tmp_path, folders[:1])


def test_the_first_wins_a_tie(arms, tmp_path):
    folders = arms(light=(0.7, 0.9), strong=(0.7, 0.1))
    assert ChooseByValidation("tuned", folders, tmp_path / "tuned").run().name == "light"


def test_without_validation_there_is_nothing_to_choose_by(arms, tmp_path):
    folders = arms(light=(None, 0.9), strong=(0.7, 0.1))
    with pytest.raises(DataError, match="light"):
        ChooseByValidation("tuned", folders, tmp_path / "tuned").run()


def test_one_arm_is_no_choice(tmp_path):
    with pytest.raises(ValueError, match="two or more"):
        ChooseByValidation("tuned", [tmp_path], tmp_path / "tuned")
