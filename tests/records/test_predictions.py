"""The predictions file."""

import json

import numpy as np
import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.predictions import Predictions


def make(**changes):
    values = {
        "arm": "classical",
        "seed": 0,
        "class_names": ("a", "b"),
        "split": "test",
        "split_sha256": "00",
        "ids": ("x", "y", "z"),
        "groups": ("p", "p", "q"),
        "labels": [0, 1, 1],
        "probabilities": [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]],
    }
    return Predictions(**{**values, **changes})


def test_round_trip(tmp_path):
    make().save(tmp_path / "p.json")
    found = Predictions.load(tmp_path / "p.json")
    assert found.same_test_set(make())
    assert (found.arm, found.seed, found.groups) == ("classical", 0, ("p", "p", "q"))
    np.testing.assert_allclose(found.probabilities, make().probabilities)


def test_the_file_is_what_the_contract_says(tmp_path):
    make().save(tmp_path / "p.json")
    content = json.loads((tmp_path / "p.json").read_text())
    assert content["labels"] == ["a", "b"]
    assert content["rows"][1] == {"id": "y", "group": "p", "label": 1, "probabilities": [0.2, 0.8]}


def test_same_test_set_means_same_images_labels_and_order():
    assert make().same_test_set(make(arm="other"))
    assert not make().same_test_set(make(ids=("y", "x", "z")))
    assert not make().same_test_set(make(labels=[1, 0, 1]))


@pytest.mark.parametrize(
    "changes",
    [{"ids": ("x", "y")}, {"ids": ("x", "x", "z")}, {"class_names": ("a", "b", "c")}],
)
def test_refuses_what_does_not_fit_together(changes):
    with pytest.raises(DataError):
        make(**changes)


@pytest.mark.parametrize("text", [None, "{", '{"rows": []}', '{"rows": [1]}'])
def test_a_bad_file_is_a_data_error(tmp_path, text):
    if text is not None:
        (tmp_path / "p.json").write_text(text)
    with pytest.raises(DataError):
        Predictions.load(tmp_path / "p.json")
