"""A prepared datalist is a source of the same images, to be split again."""

import json
import shutil
from collections import defaultdict

import pytest

from monai_gan_aug.data.pooling import NO_PATIENTS, pool_entries
from monai_gan_aug.data.preparation import prepare
from monai_gan_aug.data.prepared import PreparedSource
from monai_gan_aug.data.sources import FolderSource
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import NO_GROUPING

BY_NAME = r"^(p\d+)_"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "lists" / "datalist.json"


def patients(entries):
    """Images by patient, whatever the patients are called."""
    found = defaultdict(set)
    for entry in entries:
        found[entry.group].add((entry.image, entry.label))
    return {frozenset(images) for images in found.values()}


def test_it_holds_the_same_images_classes_and_patients(root, out, options):
    source = FolderSource(patient_pattern=BY_NAME)
    datalist = prepare(source, root, out, classes=["normal", "ill"], caveats=["Drawn."], **options)
    again = PreparedSource(out)
    pool = pool_entries(again, root, classes=again.classes, **options)
    assert pool.labels == ("normal", "ill")
    assert pool.grouping == datalist.split.grouping
    assert pool.caveats == ("Drawn.",)
    assert patients(pool.entries) == patients(datalist.entries())
    assert {e.id: e.group for e in pool.entries} == {e.id: e.group for e in datalist.entries()}
    assert pool.key_fingerprint == datalist.split.key_fingerprint
    assert again.split == {
        f"{part}_patients_per_class": min(datalist.group_counts(part).values())
        for part in ("training", "validation")
    }


def test_patients_of_another_key_are_refused(root, out, options, tmp_path):
    """Their hashes would match nobody's, and hide a patient that two sets share."""
    prepare(FolderSource(patient_pattern=BY_NAME), root, out, **options)
    with pytest.raises(DataError, match="another key"):
        pool_entries(PreparedSource(out), root, key_file=tmp_path / "other", progress=False)


def test_no_patients_stay_no_patients(root, out, options):
    prepare(FolderSource(patient_pattern=NO_GROUPING), root, out, **options)
    pool = pool_entries(PreparedSource(out), root, **options)
    assert pool.grouping == NO_GROUPING
    assert pool.caveats == (NO_PATIENTS,)
    assert len(patients(pool.entries)) == 32


def test_copies_that_one_split_held_together_cannot_part_in_the_next(root, out, options):
    """`prepare` lets two patients with one picture be, as long as both are in one split."""
    shutil.copy(root / "normal/p0_0.png", root / "normal/p5_9.png")
    source = FolderSource(patient_pattern=BY_NAME)
    for seed in range(30):
        try:
            prepare(source, root, out, seed=seed, **options)
        except DataError:
            continue
        break
    pool = pool_entries(PreparedSource(out), root, **options)
    group = {entry.image: entry.group for entry in pool.entries}
    assert group["normal/p0_0.png"] == group["normal/p5_9.png"]
    assert any("look the same" in caveat for caveat in pool.caveats)


def test_images_without_a_class_stay_apart(root, out, options, noise):
    for number in range(3):
        noise(root / f"new/p5{number}_0.png", seed=90 + number)
    source = FolderSource(patient_pattern=BY_NAME)
    prepare(source, root, out, unlabelled="new", **options)
    again = PreparedSource(out)
    pool = pool_entries(again, root, unlabelled=again.unlabelled, **options)
    assert {entry.image for entry in pool.unlabelled} == {f"new/p5{n}_0.png" for n in range(3)}
    assert len(pool.entries) == 32
    assert PreparedSource(out).unlabelled == "unlabelled"


def test_nothing_without_a_class_means_no_such_label(root, out, options):
    prepare(FolderSource(patient_pattern=BY_NAME), root, out, **options)
    assert PreparedSource(out).unlabelled is None


def test_another_list_is_another_source(root, out, options):
    """A study keeps what it read under the settings of its source."""
    source = FolderSource(patient_pattern=BY_NAME)
    prepare(source, root, out, **options)
    first = repr(PreparedSource(out))
    prepare(source, root, out, limit=24, **options)
    assert repr(PreparedSource(out)) != first


@pytest.mark.parametrize("given", [None, ""])
def test_a_list_that_was_not_given_is_asked_for(given):
    with pytest.raises(DataError, match="`datalist` is not given"):
        PreparedSource(given)


def test_an_edited_list_is_refused(root, out, options):
    prepare(FolderSource(patient_pattern=BY_NAME), root, out, **options)
    content = json.loads(out.read_text())
    content["training"].pop()
    out.write_text(json.dumps(content))
    with pytest.raises(DataError, match="changed after"):
        PreparedSource(out)
