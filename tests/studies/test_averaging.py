"""The average of arms, against probabilities averaged by hand and another library's AUC."""

import json

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.studies.averaging import AverageOfArms

LABELS = np.array([0, 1, 0, 1, 1, 0])


@pytest.fixture
def arm(tmp_path):
    """Write the folder of an arm that gave these probabilities of disease; return it."""

    def write(name, positive, seed=0, labels=LABELS, synthetic=(), steps=4):
        folder = tmp_path / name
        rows = np.stack([1 - np.asarray(positive), positive], axis=1)
        ids = tuple(f"image {n}" for n in range(len(rows)))
        Predictions(name, seed, ("a", "b"), "test", "5f", ids, ids, labels, rows).save(
            folder / "predictions.json"
        )
        provenance = {
            "split": "test",
            "synthetic_sha256": list(synthetic),
            "checkpoint_sha256": [],
            "settings": {"augmentation": name},
        }
        content = {"arm": name, "seed": seed, "metrics": {}, "steps": steps}
        (folder / "metrics.json").write_text(json.dumps({**content, "provenance": provenance}))
        return folder

    return write


ONE = [0.1, 0.6, 0.7, 0.2, 0.9, 0.3]
OTHER = [0.4, 0.9, 0.1, 0.8, 0.3, 0.5]


def test_probabilities_are_averaged_image_by_image(arm, tmp_path):
    folders = [arm("one", ONE), arm("other", OTHER)]
    AverageOfArms("both", folders, tmp_path / "both").run()
    found = Predictions.load(tmp_path / "both" / "predictions.json")
    assert (found.arm, found.seed) == ("both", 0)
    assert found.probabilities[:, 1] == pytest.approx([0.25, 0.75, 0.4, 0.5, 0.6, 0.4])
    assert found.ids == Predictions.load(folders[0] / "predictions.json").ids


def test_metrics_are_those_of_the_average(arm, tmp_path):
    folders = [arm("one", ONE, steps=4), arm("other", OTHER, steps=6)]
    AverageOfArms("both", folders, tmp_path / "both").run()
    content = json.loads((tmp_path / "both" / "metrics.json").read_text())
    mean = (np.array(ONE) + OTHER) / 2
    assert content["metrics"]["auc"] == pytest.approx(roc_auc_score(LABELS, mean))
    assert content["metrics"]["brier"] == pytest.approx(brier_score_loss(LABELS, mean))
    assert (content["arm"], content["averaged"]) == ("both", ["one", "other"])
    assert content["steps"] == 10


def test_the_average_of_an_arm_with_itself_is_that_arm(arm, tmp_path):
    one = arm("one", ONE)
    found = AverageOfArms("both", [one, one], tmp_path / "both").run()
    assert np.array_equal(
        found.probabilities, Predictions.load(one / "predictions.json").probabilities
    )


def test_hashes_of_every_member_are_kept(arm, tmp_path):
    folders = [arm("one", ONE, synthetic=["s1", "s2"]), arm("other", OTHER, synthetic=["s2"])]
    AverageOfArms("both", folders, tmp_path / "both").run()
    provenance = json.loads((tmp_path / "both" / "metrics.json").read_text())["provenance"]
    assert provenance["synthetic_sha256"] == ["s1", "s2"]
    assert provenance["settings"] == {
        "one": {"augmentation": "one"},
        "other": {"augmentation": "other"},
    }


@pytest.mark.parametrize(
    ("change", "what"), [({"seed": 1}, "seeds"), ({"labels": 1 - LABELS}, "images")]
)
def test_arms_that_do_not_belong_together_are_refused(arm, tmp_path, change, what):
    folders = [arm("one", ONE), arm("other", OTHER, **change)]
    with pytest.raises(DataError, match=what):
        AverageOfArms("both", folders, tmp_path / "both").run()
    assert not (tmp_path / "both").exists()


def test_one_arm_is_no_average(tmp_path):
    with pytest.raises(ValueError, match="`members` must name two or more"):
        AverageOfArms("both", [tmp_path], tmp_path / "both")
