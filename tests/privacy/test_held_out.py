"""A classifier is never judged on patients it learned from."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_gan_aug.engines.checkpoint import save_checkpoint
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.privacy.held_out import (
    LoadClassifier,
    check_held_out,
    classes_of,
    described_by,
)
from monai_gan_aug.records.provenance import TrainingRecord

RECORD = TrainingRecord("5f", "key", ("p", "q"), ("i", "j"), ("a", "b"))


def judged(*, ids=("x",), groups=("r",), labels=("a", "b"), sha256="00", key="key"):
    split = SimpleNamespace(key_fingerprint=key)
    datalist = SimpleNamespace(sha256=sha256, split=split)
    return SimpleNamespace(ids=ids, groups=groups, label_names=labels, datalist=datalist)


@pytest.fixture
def checkpoint(tmp_path):
    content = {
        "network": nn.Linear(2, 2).state_dict(),
        "training": RECORD.to_dict(),
        "description": {"arm": "real", "seed": 4, "steps": 10, "settings": {}},
    }
    save_checkpoint(tmp_path, "classifier.pt", content)
    return tmp_path


def test_other_patients_pass():
    check_held_out(RECORD, judged())


def test_the_same_split_needs_no_common_key():
    check_held_out(RECORD, judged(sha256="5f", key="another"))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (judged(groups=("q", "r")), "1 of these patients"),
        (judged(ids=("j",)), "1 of these images"),
        (judged(labels=("b", "a")), "same order"),
        (judged(key="another"), "different keys"),
        (judged(sha256="5f", ids=("i",)), "1 of these images"),
    ],
)
def test_leaks_are_refused(dataset, message):
    with pytest.raises(ProvenanceError, match=message):
        check_held_out(RECORD, dataset)


def test_checkpoint_tells_what_it_is(checkpoint):
    assert classes_of(checkpoint) == ["a", "b"]
    assert described_by(checkpoint).seed == 4


def test_weights_arrive(checkpoint):
    network = nn.Linear(2, 2)
    LoadClassifier(network, checkpoint, judged())._load(None)
    saved = torch.load(checkpoint / "classifier.pt", weights_only=True)["network"]
    assert torch.equal(network.weight, saved["weight"])


def test_another_network_is_refused_with_the_keys(checkpoint):
    with pytest.raises(DataError, match="weight: shape"):
        LoadClassifier(nn.Linear(3, 2), checkpoint)._load(None)


def test_the_checkpoint_of_a_gan_is_refused(tmp_path):
    save_checkpoint(tmp_path, "gan.pt", {"trainer": {}})
    with pytest.raises(DataError, match="not the checkpoint of a classifier"):
        classes_of(tmp_path)
