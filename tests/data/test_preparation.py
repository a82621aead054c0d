"""From a source to a datalist, and from that to another."""

import json
import shutil
from collections import defaultdict
from dataclasses import replace

import pytest
from PIL import Image

from monai_gan_aug.data.pooling import NO_PATIENTS
from monai_gan_aug.data.sources import FolderSource, PreparedSource
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import NO_GROUPING, SPLITS, Datalist
from tests.drawing import draw_noise

BY_NAME = r"^(p\d+)_"


def copy_across(root):
    """The same picture under two patients of one class, once identical, once saved again."""
    shutil.copy(root / "normal/p0_0.png", root / "normal/p5_9.png")
    Image.open(root / "normal/p1_0.png").save(root / "normal/p6_9.bmp")


@pytest.fixture
def with_unlabelled(root):
    """The folder beside the classes: two images of a stranger, one of every known patient."""
    for number in (0, 1):
        draw_noise(root / f"unlabelled/p99_{number}.png", seed=900 + number)
    for path in sorted(root.glob("*/p*_0.png")):
        patient = path.name.split("_")[0]
        draw_noise(root / f"unlabelled/{patient}_5.png", seed=1000 + int(patient[1:]))
    return root


@pytest.fixture
def out(tmp_path):
    return tmp_path / "lists" / "datalist.json"


def patients(entries):
    """Images by patient, whatever the patients are called."""
    found = defaultdict(set)
    for entry in entries:
        found[entry.group].add((entry.image, entry.label))
    return {frozenset(images) for images in found.values()}


def test_prepare_writes_a_datalist_that_loads(root, prepared, tmp_path):
    out = tmp_path / "new" / "datalist.json"
    made = prepared(
        FolderSource(patient_pattern=BY_NAME),
        root,
        out,
        name="noise",
        caveats=["Drawn."],
        min_patients_per_class=1,
    )
    assert Datalist.load(out) == made
    assert made.name == "noise"
    assert made.caveats == ("Drawn.",)
    assert sum(len(made.entries(s)) for s in SPLITS) == 32


def test_prepare_is_repeatable(root, prepared, tmp_path):
    source = FolderSource(patient_pattern=BY_NAME)
    hashes = [prepared(source, root, tmp_path / "d.json", seed=seed).sha256 for seed in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_split_does_not_depend_on_the_secret_key(root, tmp_path, prepared):
    made = [
        prepared(
            FolderSource(patient_pattern=BY_NAME),
            root,
            tmp_path / "d.json",
            key_file=tmp_path / key,
        )
        for key in ("one", "two")
    ]
    homes = [{e.name: s for s in SPLITS for e in datalist.entries(s)} for datalist in made]
    assert homes[0] == homes[1]
    assert made[0].split.key_fingerprint != made[1].split.key_fingerprint


def test_copies_across_splits_are_refused_and_nothing_is_written(root, prepared, tmp_path):
    copy_across(root)
    source = FolderSource(patient_pattern=BY_NAME)
    refused = 0
    for seed in range(8):
        out = tmp_path / f"datalist-{seed}.json"
        try:
            prepared(source, root, out, seed=seed)
        except DataError as error:
            refused += "on_duplicates" in str(error)
            assert not out.exists()
    assert refused


def test_identical_copies_across_splits_come_with_the_next_step(root, prepared, tmp_path):
    shutil.copy(root / "normal/p0_0.png", root / "normal/p5_9.png")
    source, said = FolderSource(patient_pattern=BY_NAME), []
    for seed in range(8):
        try:
            prepared(source, root, tmp_path / "d.json", seed=seed)
        except DataError as error:
            said.append(str(error))
    assert said
    assert all("on_duplicates" in text for text in said)


def test_copies_are_kept_together_on_request(root, prepared, tmp_path):
    copy_across(root)
    source = FolderSource(patient_pattern=BY_NAME)
    for seed in range(6):
        made = prepared(source, root, tmp_path / "d.json", seed=seed, on_duplicates="group")
        home = {e.image: s for s in SPLITS for e in made.entries(s)}
        assert home["normal/p0_0.png"] == home["normal/p5_9.png"]
        assert home["normal/p1_0.png"] == home["normal/p6_9.bmp"]


def test_limit_reduces_by_whole_patients(root, prepared, tmp_path):
    made = prepared(FolderSource(patient_pattern=BY_NAME), root, tmp_path / "d.json", limit=28)
    assert made.counts() == {"ill": 14, "normal": 14}


def test_no_patient_id_is_written(root, prepared, tmp_path):
    prepared(FolderSource(patient_pattern=r"^p(\d+_\d)"), root, tmp_path / "d.json")
    content = json.loads((tmp_path / "d.json").read_text())
    for split in SPLITS:
        for entry in content[split]:
            assert entry["image"].rsplit("/p")[-1][:-4] not in entry["group"]


def test_images_without_a_class_are_listed_apart(with_unlabelled, prepared, tmp_path):
    source = FolderSource(patient_pattern=BY_NAME)
    labelled = prepared(source, with_unlabelled, tmp_path / "d.json", unlabelled="unlabelled")
    assert labelled.labels == ("ill", "normal")
    assert labelled.caveats == ()
    apart = Datalist.load(tmp_path / "d.unlabelled.json")
    assert {entry.image.split("/")[0] for entry in apart.training} == {"unlabelled"}
    held_out = labelled.groups("validation") | labelled.groups("test")
    assert not apart.groups() & held_out
    assert apart.groups() > labelled.groups("training")
    assert apart.caveats[1].startswith(f"{len(held_out)} more")
    shutil.rmtree(with_unlabelled / "unlabelled")
    again = prepared(source, with_unlabelled, tmp_path / "e.json")
    assert again.sha256 == labelled.sha256


def test_unlabelled_copies_of_held_out_images_are_refused(
    with_unlabelled, pooled, prepared, tmp_path
):
    source = FolderSource(patient_pattern=BY_NAME)
    held_out = prepared(source, with_unlabelled, tmp_path / "d.json", unlabelled="unlabelled").test[
        0
    ]
    again = with_unlabelled / "unlabelled/p98_0.bmp"
    Image.open(with_unlabelled / held_out.image).save(again)
    (tmp_path / "d.json").unlink()
    (tmp_path / "d.unlabelled.json").unlink()
    with pytest.raises(DataError, match="different splits"):
        prepared(source, with_unlabelled, tmp_path / "d.json", unlabelled="unlabelled")
    assert not list(tmp_path.glob("d.*"))
    pool = pooled(source, with_unlabelled, unlabelled="unlabelled")
    groups = {entry.image: entry.group for entry in (*pool.entries, *pool.unlabelled)}
    assert groups["unlabelled/p98_0.bmp"] == groups[held_out.image]


def test_it_holds_the_same_images_classes_and_patients(root, out, pooled, prepared):
    source = FolderSource(patient_pattern=BY_NAME)
    datalist = prepared(source, root, out, classes=["normal", "ill"], caveats=["Drawn."])
    again = PreparedSource(out)
    pool = pooled(again, root, classes=again.classes)
    assert pool.labels == ("normal", "ill")
    assert pool.grouping == datalist.split.grouping
    assert pool.caveats == ("Drawn.",)
    assert patients(pool.entries) == patients(datalist.entries())
    assert {e.id: e.group for e in pool.entries} == {e.id: e.group for e in datalist.entries()}
    assert pool.key_fingerprint == datalist.split.key_fingerprint
    smallest, validation = (
        min(datalist.group_counts(part).values()) for part in (None, "validation")
    )
    assert again.split == {  # 70 % were listed for training: a study takes 30 %
        "training_patients_per_class": int(0.3 * smallest),
        "validation_patients_per_class": validation,
    }


def test_patients_of_another_key_are_refused(root, out, pooled, prepared, tmp_path):
    """Their hashes would match nobody's, and hide a patient that two sets share."""
    prepared(FolderSource(patient_pattern=BY_NAME), root, out)
    with pytest.raises(DataError, match="another key"):
        pooled(PreparedSource(out), root, key_file=tmp_path / "other")


def test_no_patients_stay_no_patients(root, out, pooled, prepared):
    prepared(FolderSource(patient_pattern=NO_GROUPING), root, out)
    pool = pooled(PreparedSource(out), root)
    assert pool.grouping == NO_GROUPING
    assert pool.caveats == (NO_PATIENTS,)
    assert len(patients(pool.entries)) == 32


def test_copies_that_one_split_held_together_cannot_part_in_the_next(root, out, pooled, prepared):
    """`prepare` lets two patients with one picture be, as long as both are in one split."""
    shutil.copy(root / "normal/p0_0.png", root / "normal/p5_9.png")
    source = FolderSource(patient_pattern=BY_NAME)
    for seed in range(30):
        try:
            prepared(source, root, out, seed=seed)
        except DataError:
            continue
        break
    pool = pooled(PreparedSource(out), root)
    group = {entry.image: entry.group for entry in pool.entries}
    assert group["normal/p0_0.png"] == group["normal/p5_9.png"]
    assert any("look the same" in caveat for caveat in pool.caveats)


def test_images_without_a_class_stay_apart(root, out, pooled, prepared):
    for number in range(3):
        draw_noise(root / f"new/p5{number}_0.png", seed=90 + number)
    source = FolderSource(patient_pattern=BY_NAME)
    prepared(source, root, out, unlabelled="new")
    again = PreparedSource(out)
    pool = pooled(again, root, unlabelled=again.unlabelled)
    assert {entry.image for entry in pool.unlabelled} == {f"new/p5{n}_0.png" for n in range(3)}
    assert len(pool.entries) == 32
    assert PreparedSource(out).unlabelled == "unlabelled"


def test_nothing_without_a_class_means_no_such_label(root, out, prepared):
    prepared(FolderSource(patient_pattern=BY_NAME), root, out)
    assert PreparedSource(out).unlabelled is None


def test_another_list_is_another_source(root, out, prepared):
    """A study keeps what it read under the settings of its source."""
    source = FolderSource(patient_pattern=BY_NAME)
    prepared(source, root, out)
    first = repr(PreparedSource(out))
    prepared(source, root, out, limit=24)
    assert repr(PreparedSource(out)) != first


@pytest.mark.parametrize("given", [None, ""])
def test_a_list_that_was_not_given_is_asked_for(given):
    with pytest.raises(DataError, match="`datalist` is not given"):
        PreparedSource(given)


def test_an_edited_list_is_refused(root, out, prepared):
    prepared(FolderSource(patient_pattern=BY_NAME), root, out)
    content = json.loads(out.read_text())
    content["training"].pop()
    out.write_text(json.dumps(content))
    with pytest.raises(DataError, match="changed after"):
        PreparedSource(out)


def test_lists_from_before_labels_could_be_absent_are_sources_too(root, out, prepared):
    """They gave 0, the first class, to images without one; nobody may take that for a label."""
    draw_noise(root / "new/p50_0.png", seed=90)
    prepared(FolderSource(patient_pattern=BY_NAME), root, out, unlabelled="new")
    beside = out.with_suffix(".unlabelled.json")
    apart = Datalist.load(beside)
    replace(apart, training=tuple(replace(e, label=0) for e in apart.training)).save(beside)
    records = PreparedSource(out).records(root)
    assert [r.label for r in records if r.image.startswith("new/")] == ["unlabelled"]
