"""A checkpoint names everyone its network learned from, however they came in."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from monai_gan_aug.engines.checkpoint import save_checkpoint
from monai_gan_aug.engines.trained_network import read_checkpoint
from monai_gan_aug.errors import ProvenanceError
from monai_gan_aug.privacy.training_patients import CombinedTrainingRecord
from monai_gan_aug.records.provenance import TrainingRecord

RECORD = TrainingRecord("5f", "key", ("p1", "p2"), ("i1", "i2"), ("a", "b"), {"size": 8})


def learned_from(number, key="key"):
    return replace(RECORD, key_fingerprint=key, groups=(f"p{number}",), ids=(f"i{number}",))


def images(record):
    return SimpleNamespace(training_record=lambda: record)


def test_everyone_is_named_whatever_they_came_in_by(tmp_path):
    save_checkpoint(tmp_path, "gan.pt", {"training": learned_from(3).to_dict()}, keep=1)
    save_checkpoint(tmp_path / "b", "gan.pt", {"training": learned_from(6).to_dict()})
    opened = read_checkpoint(tmp_path / "b")
    synthetic = SimpleNamespace(
        lists=[SimpleNamespace(provenance=SimpleNamespace(training=learned_from(4)))]
    )
    seen = CombinedTrainingRecord(
        images(RECORD), [None, str(tmp_path), synthetic, images(learned_from(5)), opened]
    )
    found = seen.training_record()
    assert found.groups == ("p1", "p2", "p3", "p4", "p5", "p6")
    assert found.ids == ("i1", "i2", "i3", "i4", "i5", "i6")
    assert replace(found, groups=RECORD.groups, ids=RECORD.ids) == RECORD


def test_patients_under_another_key_cannot_be_named():
    with pytest.raises(ProvenanceError, match="same key"):
        CombinedTrainingRecord(
            images(RECORD), [images(learned_from(6, "another"))]
        ).training_record()
