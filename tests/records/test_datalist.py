"""Datalists: round trip, hash, and every contradiction refused."""

import hashlib
import json
from dataclasses import replace

import pytest
from monai.data import load_decathlon_datalist

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import SPLITS, Datalist, Entry, SplitRecord


def entry(name, label=0, group=None):
    return Entry(f"x/{name}.png", label, group or f"g{name}", f"id{name}")


@pytest.fixture
def datalist():
    return Datalist(
        ("normal", "ill"),
        training=(entry(0), entry(1, 1), entry(2, 1, "g1")),
        validation=(entry(3), entry(4, 1)),
        test=(entry(5), entry(6, 1), entry(7, 0, "g6")),
        split=SplitRecord(0, "test", "key", {"fractions": [0.5, 0.25, 0.25]}),
        name="tiny",
        caveats=("drawn",),
    )


def test_round_trip(datalist, tmp_path):
    datalist.save(tmp_path / "d.json")
    loaded = Datalist.load(tmp_path / "d.json")
    assert loaded == datalist
    assert loaded.sha256 == datalist.sha256


def test_monai_reads_it(datalist, tmp_path):
    datalist.save(tmp_path / "d.json")
    for split in SPLITS:
        items = load_decathlon_datalist(
            str(tmp_path / "d.json"), data_list_key=split, base_dir=str(tmp_path)
        )
        wanted = [(str(tmp_path / e.image), e.label) for e in datalist.entries(split)]
        assert [(item["image"], item["label"]) for item in items] == wanted


def test_hash_follows_who_is_where_and_not_paths_or_order(datalist):
    moved = tuple(replace(e, image=f"new/{e.id}.png") for e in datalist.training[::-1])
    assert replace(datalist, training=moved, name="x").sha256 == datalist.sha256
    swapped = replace(datalist, training=datalist.validation, validation=datalist.training)
    relabelled = replace(datalist, labels=("ill", "normal"))
    fewer = replace(datalist, test=datalist.test[:1])
    assert len({d.sha256 for d in (datalist, swapped, relabelled, fewer)}) == 4


def test_patient_in_two_splits_is_refused_by_group(datalist):
    with pytest.raises(DataError, match=r"1 patients .*g1"):
        replace(datalist, validation=(*datalist.validation, entry(9, 1, "g1")))


def test_image_in_two_splits_is_refused_even_under_two_names(datalist):
    copy = replace(datalist.training[0], image="x/other.png", group="other")
    with pytest.raises(DataError, match="identical images"):
        replace(datalist, test=(*datalist.test, copy))


@pytest.mark.parametrize("label", [-1, 2])
def test_label_without_a_name_is_refused(datalist, label):
    with pytest.raises(DataError, match="label names"):
        replace(datalist, training=(entry(9, label),))


def test_one_class_is_refused(datalist):
    with pytest.raises(DataError, match="two classes"):
        replace(datalist, labels=("normal",))


def test_counts_are_by_image_and_by_patient(datalist):
    assert datalist.counts() == {"normal": 4, "ill": 4}
    assert datalist.counts("training") == {"normal": 1, "ill": 2}
    assert datalist.group_counts("training") == {"normal": 1, "ill": 1}
    assert datalist.groups("test") == {"g5", "g6"}


def test_unknown_split_is_refused(datalist):
    with pytest.raises(ValueError, match="split"):
        datalist.entries("holdout")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda c: c["training"].append(c["validation"].pop()), "changed after"),
        (lambda c: c["training"][0].update(label=1), "changed after"),
        (lambda c: c["split"].pop("sha256"), "not a datalist"),
        (lambda c: c["labels"].pop("0"), "not a datalist"),
        (lambda c: c["training"][0].pop("id"), "not a datalist"),
        (lambda c: c["training"][0].update(extra=1), "not a datalist"),
    ],
)
def test_edited_file_is_refused(datalist, tmp_path, edit, reason):
    path = tmp_path / "d.json"
    datalist.save(path)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=reason):
        Datalist.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"labels": 5}'])
def test_file_of_another_kind_is_refused_by_name(tmp_path, content):
    (tmp_path / "d.json").write_bytes(content)
    with pytest.raises(DataError, match=r"d\.json is not a datalist"):
        Datalist.load(tmp_path / "d.json")


def test_missing_file_is_refused_with_the_next_step(tmp_path):
    with pytest.raises(DataError, match="prepare"):
        Datalist.load(tmp_path / "d.json")


def test_images_without_a_class_say_so_and_monai_reads_them(datalist, tmp_path):
    apart = replace(
        datalist,
        training=tuple(replace(e, label=None) for e in datalist.training),
        validation=(),
        test=(),
    )
    apart.save(tmp_path / "d.json")
    assert Datalist.load(tmp_path / "d.json") == apart
    assert set(apart.counts().values()) == {0}
    items = load_decathlon_datalist(str(tmp_path / "d.json"), data_list_key="training")
    assert [item["label"] for item in items] == [None] * 3
    with pytest.raises(DataError, match="has no class"):
        _ = apart.training[0].known_label


def test_hash_of_a_labelled_list_is_that_of_its_rows(datalist):
    """Written out by hand, so that no later field can change what old files are known by."""
    parts = {
        split: sorted([e.id, e.label, e.group] for e in datalist.entries(split)) for split in SPLITS
    }
    text = json.dumps({"labels": ["normal", "ill"], **parts}, sort_keys=True, separators=(",", ":"))
    assert datalist.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_images_with_and_without_a_class_do_not_mix_in_a_split(datalist):
    mixed = (datalist.training[0], replace(datalist.training[1], label=None))
    with pytest.raises(DataError, match="list those without apart"):
        replace(datalist, training=mixed)


def test_a_file_without_a_number_is_read_and_one_of_a_newer_version_refused(datalist, tmp_path):
    path = tmp_path / "d.json"
    datalist.save(path)
    content = json.loads(path.read_text())
    del content["schema"]
    path.write_text(json.dumps(content))
    assert Datalist.load(path) == datalist
    path.write_text(json.dumps({**content, "schema": 99}))
    with pytest.raises(DataError, match=r"d\.json was made by a newer version .*prepare"):
        Datalist.load(path)
