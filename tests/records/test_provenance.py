"""The chain from split to synthetic images, and the refusal of leaks."""

import json
from dataclasses import replace

import pytest

from monai_gan_aug.errors import ProvenanceError
from monai_gan_aug.records.provenance import SyntheticDatalist, TrainingRecord, check_chain


@pytest.fixture
def real(image_set):
    return image_set().datalist


@pytest.fixture
def synthetic(real, synthetic_list):
    return SyntheticDatalist.load(synthetic_list(real))


def with_record(synthetic, **changes):
    training = replace(synthetic.provenance.training, **changes)
    return replace(synthetic, provenance=replace(synthetic.provenance, training=training))


def reordered(real):
    """Another split of the same patients: the test patients now train."""
    return replace(real, training=real.test, test=real.training)


def test_round_trip(synthetic, tmp_path):
    synthetic.save(tmp_path / "s.json")
    assert SyntheticDatalist.load(tmp_path / "s.json") == synthetic


def test_gan_of_this_split_is_accepted(real, synthetic):
    check_chain(real, synthetic)


def test_gan_of_some_training_patients_under_another_split_is_accepted(real, synthetic):
    check_chain(real, with_record(synthetic, split_sha256="another"))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_gan_that_saw_a_held_out_patient_is_refused(real, synthetic, split):
    group = real.entries(split)[0].group
    leaking = with_record(synthetic, split_sha256="another", groups=(group,), ids=())
    with pytest.raises(ProvenanceError, match="1 validation or test patients"):
        check_chain(real, leaking)


def test_gan_that_saw_a_held_out_image_under_another_patient_is_refused(real, synthetic):
    leaking = with_record(
        synthetic, split_sha256="another", groups=("other",), ids=(real.test[0].id,)
    )
    with pytest.raises(ProvenanceError, match="1 of their images"):
        check_chain(real, leaking)


def test_gan_of_another_split_of_the_same_patients_is_refused(real, synthetic_list):
    other = SyntheticDatalist.load(synthetic_list(reordered(real)))
    with pytest.raises(ProvenanceError, match="leak"):
        check_chain(real, other)


def test_right_hash_does_not_excuse_foreign_images(real, synthetic):
    leaking = with_record(synthetic, ids=(real.test[0].id,))
    with pytest.raises(ProvenanceError, match="leak"):
        check_chain(real, leaking)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_right_hash_does_not_excuse_foreign_patients(real, synthetic, split):
    leaking = with_record(synthetic, groups=(real.entries(split)[0].group,))
    with pytest.raises(ProvenanceError, match="leak"):
        check_chain(real, leaking)


def test_patients_hashed_with_another_key_cannot_be_compared(real, synthetic):
    foreign = with_record(synthetic, split_sha256="another", key_fingerprint="other")
    with pytest.raises(ProvenanceError, match="another key"):
        check_chain(real, foreign)


def test_other_classes_are_refused(real, synthetic):
    with pytest.raises(ProvenanceError, match="classes"):
        check_chain(real, replace(synthetic, labels=("ill", "normal")))


def test_hash_follows_images_labels_and_origin(synthetic):
    variants = [
        synthetic,
        replace(synthetic, training=synthetic.training[1:]),
        replace(synthetic, labels=("a", "b")),
        with_record(synthetic, split_sha256="another"),
        replace(synthetic, provenance=replace(synthetic.provenance, checkpoint_sha256="1" * 64)),
    ]
    assert len({one.sha256 for one in variants}) == len(variants)


@pytest.mark.parametrize(
    "edit",
    [
        lambda c: c["training"].pop(),
        lambda c: c["provenance"].update(checkpoint_sha256="f" * 64),
        lambda c: c["provenance"].pop("sha256"),
        lambda c: c["provenance"]["training"].pop("groups"),
        lambda c: c.pop("provenance"),
    ],
)
def test_edited_or_incomplete_file_is_refused(synthetic, tmp_path, edit):
    path = tmp_path / "s.json"
    synthetic.save(path)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ProvenanceError, match=r"generate|train again"):
        SyntheticDatalist.load(path)


def test_record_survives_json(synthetic):
    record = synthetic.provenance.training
    assert TrainingRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record
