"""From a source to a pool: classes, patients, copies and faults."""

import shutil

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.data import duplicates
from monai_gan_aug.data.sources import CsvSource, FolderSource
from monai_gan_aug.errors import DataError, ImageReadError
from tests.drawing import draw_noise

BY_NAME = r"^(p\d+)_"


def copy_across(root):
    """The same picture under two patients of one class, once identical, once saved again."""
    shutil.copy(root / "normal/p0_0.png", root / "normal/p5_9.png")
    Image.open(root / "normal/p1_0.png").save(root / "normal/p6_9.bmp")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "lists" / "datalist.json"


def test_pool_holds_every_image_under_keyed_patients(root, pooled):
    pool = pooled(FolderSource(patient_pattern=BY_NAME), root)
    assert pool.labels == ("ill", "normal")
    assert len(pool.entries) == 32
    assert len({e.group for e in pool.entries}) == 16
    assert not any("p1" in e.group for e in pool.entries)
    assert pool.caveats == ()


def test_classes_are_chosen_and_ordered(root, pooled):
    draw_noise(root / "other/p99_0.png", seed=77)
    source = FolderSource(patient_pattern=BY_NAME)
    pool = pooled(source, root, classes=["normal", "ill"])
    assert pool.labels == ("normal", "ill")
    assert {e.image.split("/")[0]: e.label for e in pool.entries} == {"normal": 0, "ill": 1}
    assert pool.caveats == ("Classes left out: other (1 images).",)


@pytest.mark.parametrize(
    ("classes", "reason"),
    [(["normal", "sick"], "sick"), (["ill"], "two different"), (["ill", "ill"], "two different")],
)
def test_impossible_classes_are_refused_with_what_there_is(root, pooled, classes, reason):
    with pytest.raises(DataError, match=f"{reason}.*'ill': 16"):
        pooled(FolderSource(patient_pattern=BY_NAME), root, classes=classes)


def test_labels_that_differ_in_spelling_only_are_refused(root, pooled):
    (root / "Ill").mkdir()
    (root / "ill/p10_0.png").rename(root / "Ill/p10_0.png")
    with pytest.raises(DataError, match="spelling"):
        pooled(FolderSource(patient_pattern=BY_NAME), root)


def test_nobody_is_grouped_silently(root, pooled):
    with pytest.raises(DataError, match="'none'"):
        pooled(FolderSource(), root)
    pool = pooled(FolderSource(), root, group="none")
    assert pool.grouping == "none"
    assert len({e.group for e in pool.entries}) == 32
    assert any("no patient ids" in caveat for caveat in pool.caveats)


def test_patients_with_copies_become_one_group(root, pooled):
    copy_across(root)
    pool = pooled(FolderSource(patient_pattern=BY_NAME), root)
    group = {e.image: e.group for e in pool.entries}
    assert group["normal/p0_0.png"] == group["normal/p5_9.png"] == group["normal/p5_0.png"]
    assert group["normal/p1_0.png"] == group["normal/p6_9.bmp"]
    assert len(set(group.values())) == 14
    assert any("2 pairs" in caveat and "1 byte for byte" in caveat for caveat in pool.caveats)


def test_copies_with_two_labels_are_refused(root, pooled):
    shutil.copy(root / "normal/p0_0.png", root / "ill/p10_9.png")
    with pytest.raises(DataError, match=r"ill/p10_9.png is ill, normal/p0_0.png is normal"):
        pooled(FolderSource(patient_pattern=BY_NAME), root)


def test_two_kinds_of_values_are_refused(root, pooled, shared_data):
    scan = next((shared_data / "dicom_ct/thorax").iterdir())
    shutil.copy(scan, root / "ill/p10_9.dcm")
    with pytest.raises(DataError, match="different kinds of values"):
        pooled(FolderSource(patient_pattern=BY_NAME), root)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty|p10_9"), (b"text", "p10_9"), (None, "one value")]
)
def test_bad_image_is_named_or_skipped_and_counted(root, pooled, content, reason):
    bad = root / "ill/p10_9.png"
    if content is None:
        Image.fromarray(np.full((16, 16), 3, np.uint8)).save(bad)
    else:
        bad.write_bytes(content)
    with pytest.raises(ImageReadError, match=reason):
        pooled(FolderSource(patient_pattern=BY_NAME), root)
    skipping = FolderSource(patient_pattern=BY_NAME, on_error="skip")
    pool = pooled(skipping, root, max_bad_fraction=0.05)
    assert len(pool.entries) == 32
    assert pool.caveats == ("1 of 33 images were skipped because of faults.",)
    with pytest.raises(DataError, match="max_bad_fraction"):
        pooled(skipping, root, max_bad_fraction=0.01)


def test_every_fault_is_listed_before_too_many_are_refused(root, pooled, tmp_path):
    for number in range(30):
        (root / f"ill/p1{number}_x.png").touch()
    rejected = tmp_path / "rejected.txt"
    source = FolderSource(patient_pattern=BY_NAME, on_error="skip")
    with pytest.raises(DataError, match=r"30 of 62.*all 30 are listed in rejected\.txt"):
        pooled(source, root, rejected=rejected)
    lines = rejected.read_text().splitlines()
    assert len(lines) == 30
    assert all("is empty" in line for line in lines)


def test_faults_of_the_table_are_listed_too(root, pooled, tmp_path):
    rows = [f"{p.relative_to(root)},{p.parent.name},{p.name[:3]}" for p in root.rglob("*.png")]
    (root / "labels.csv").write_text("\n".join(["image,label,patient", *rows, "gone.png,ill,p1"]))
    source = CsvSource(patient="patient", on_error="skip")
    rejected = tmp_path / "rejected.txt"
    pooled(source, root, rejected=rejected, max_bad_fraction=0.1)
    assert "row 34 names gone.png, which does not exist" in rejected.read_text()


def test_many_identical_files_are_compared_once(root, pooled, monkeypatch):
    for number in range(40):
        shutil.copy(root / "normal/p0_0.png", root / f"normal/p0_c{number}.png")
    monkeypatch.setattr(duplicates, "MAX_PAIRS", 20)
    pool = pooled(FolderSource(patient_pattern=BY_NAME), root)
    assert len(pool.copies) == 40


def test_unlabelled_images_that_are_not_there_are_said(root, pooled):
    with pytest.raises(DataError, match="'unsorted'"):
        pooled(FolderSource(patient_pattern=BY_NAME), root, unlabelled="unsorted")
