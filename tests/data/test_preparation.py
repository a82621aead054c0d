"""From a source to a pool and to a datalist."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.data import similarity
from monai_gan_aug.data.preparation import pool_entries, prepare
from monai_gan_aug.data.sources import CsvSource, FolderSource
from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.records.datalist import SPLITS, Datalist

BY_NAME = r"^(p\d+)_"


def copy_across(root):
    """The same picture under two patients of one class, once identical, once saved again."""
    shutil.copy(root / "normal/p0_0.png", root / "normal/p5_9.png")
    Image.open(root / "normal/p1_0.png").save(root / "normal/p6_9.bmp")


def test_pool_holds_every_image_under_keyed_patients(root, options):
    pool = pool_entries(FolderSource(patient_pattern=BY_NAME), root, **options)
    assert pool.labels == ("ill", "normal")
    assert len(pool.entries) == 32
    assert len({e.group for e in pool.entries}) == 16
    assert not any("p1" in e.group for e in pool.entries)
    assert pool.caveats == ()


def test_classes_are_chosen_and_ordered(root, options, noise):
    noise(root / "other/p99_0.png", seed=77)
    source = FolderSource(patient_pattern=BY_NAME)
    pool = pool_entries(source, root, classes=["normal", "ill"], **options)
    assert pool.labels == ("normal", "ill")
    assert {e.image.split("/")[0]: e.label for e in pool.entries} == {"normal": 0, "ill": 1}
    assert pool.caveats == ("Classes left out: other (1 images).",)


@pytest.mark.parametrize(
    ("classes", "reason"),
    [(["normal", "sick"], "sick"), (["ill"], "two different"), (["ill", "ill"], "two different")],
)
def test_impossible_classes_are_refused_with_what_there_is(root, options, classes, reason):
    with pytest.raises(DataError, match=f"{reason}.*'ill': 16"):
        pool_entries(FolderSource(patient_pattern=BY_NAME), root, classes=classes, **options)


def test_labels_that_differ_in_spelling_only_are_refused(root, options):
    (root / "Ill").mkdir()
    (root / "ill/p10_0.png").rename(root / "Ill/p10_0.png")
    with pytest.raises(DataError, match="spelling"):
        pool_entries(FolderSource(patient_pattern=BY_NAME), root, **options)


def test_nobody_is_grouped_silently(root, options):
    with pytest.raises(DataError, match="'none'"):
        pool_entries(FolderSource(), root, **options)
    pool = pool_entries(FolderSource(), root, group="none", **options)
    assert pool.grouping == "none"
    assert len({e.group for e in pool.entries}) == 32
    assert any("no patient ids" in caveat for caveat in pool.caveats)


def test_patients_with_copies_become_one_group(root, options):
    copy_across(root)
    pool = pool_entries(FolderSource(patient_pattern=BY_NAME), root, **options)
    group = {e.image: e.group for e in pool.entries}
    assert group["normal/p0_0.png"] == group["normal/p5_9.png"] == group["normal/p5_0.png"]
    assert group["normal/p1_0.png"] == group["normal/p6_9.bmp"]
    assert len(set(group.values())) == 14
    assert any("2 pairs" in caveat and "1 byte for byte" in caveat for caveat in pool.caveats)


def test_copies_with_two_labels_are_refused(root, options):
    shutil.copy(root / "normal/p0_0.png", root / "ill/p10_9.png")
    with pytest.raises(DataError, match=r"ill/p10_9.png is ill, normal/p0_0.png is normal"):
        pool_entries(FolderSource(patient_pattern=BY_NAME), root, **options)


def test_two_kinds_of_values_are_refused(root, options, shared_data):
    scan = next((shared_data / "dicom_ct/thorax").iterdir())
    shutil.copy(scan, root / "ill/p10_9.dcm")
    with pytest.raises(DataError, match="different kinds of values"):
        pool_entries(FolderSource(patient_pattern=BY_NAME), root, **options)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty|p10_9"), (b"text", "p10_9"), (None, "one value")]
)
def test_bad_image_is_named_or_skipped_and_counted(root, options, content, reason):
    bad = root / "ill/p10_9.png"
    if content is None:
        Image.fromarray(np.full((16, 16), 3, np.uint8)).save(bad)
    else:
        bad.write_bytes(content)
    with pytest.raises(ImageReadError, match=reason):
        pool_entries(FolderSource(patient_pattern=BY_NAME), root, **options)
    skipping = FolderSource(patient_pattern=BY_NAME, on_error="skip")
    pool = pool_entries(skipping, root, max_bad_fraction=0.05, **options)
    assert len(pool.entries) == 32
    assert pool.caveats == ("1 of 33 images were skipped because of faults.",)
    with pytest.raises(DataError, match="max_bad_fraction"):
        pool_entries(skipping, root, max_bad_fraction=0.01, **options)


def test_prepare_writes_a_datalist_that_loads(root, options, tmp_path):
    out = tmp_path / "new" / "datalist.json"
    made = prepare(
        FolderSource(patient_pattern=BY_NAME),
        root,
        out,
        name="noise",
        caveats=["Drawn."],
        min_patients_per_class=1,
        **options,
    )
    assert Datalist.load(out) == made
    assert made.name == "noise"
    assert made.caveats == ("Drawn.",)
    assert sum(len(made.entries(s)) for s in SPLITS) == 32


def test_prepare_is_repeatable(root, options, tmp_path):
    source = FolderSource(patient_pattern=BY_NAME)
    hashes = [
        prepare(source, root, tmp_path / "d.json", seed=seed, **options).sha256
        for seed in (1, 1, 2)
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_split_does_not_depend_on_the_secret_key(root, tmp_path):
    made = [
        prepare(
            FolderSource(patient_pattern=BY_NAME),
            root,
            tmp_path / "d.json",
            key_file=tmp_path / key,
            progress=False,
        )
        for key in ("one", "two")
    ]
    homes = [{e.name: s for s in SPLITS for e in datalist.entries(s)} for datalist in made]
    assert homes[0] == homes[1]
    assert made[0].split.key_fingerprint != made[1].split.key_fingerprint


def test_copies_across_splits_are_refused_and_nothing_is_written(root, options, tmp_path):
    copy_across(root)
    source = FolderSource(patient_pattern=BY_NAME)
    refused = 0
    for seed in range(8):
        out = tmp_path / f"datalist-{seed}.json"
        try:
            prepare(source, root, out, seed=seed, **options)
        except DataError as error:
            refused += "on_duplicates" in str(error)
            assert not out.exists()
    assert refused


def test_identical_copies_across_splits_come_with_the_next_step(root, options, tmp_path):
    shutil.copy(root / "normal/p0_0.png", root / "normal/p5_9.png")
    source, said = FolderSource(patient_pattern=BY_NAME), []
    for seed in range(8):
        try:
            prepare(source, root, tmp_path / "d.json", seed=seed, **options)
        except DataError as error:
            said.append(str(error))
    assert said
    assert all("on_duplicates" in text for text in said)


def test_copies_are_kept_together_on_request(root, options, tmp_path):
    copy_across(root)
    source = FolderSource(patient_pattern=BY_NAME)
    for seed in range(6):
        made = prepare(
            source,
            root,
            tmp_path / "d.json",
            seed=seed,
            on_duplicates="group",
            **options,
        )
        home = {e.image: s for s in SPLITS for e in made.entries(s)}
        assert home["normal/p0_0.png"] == home["normal/p5_9.png"]
        assert home["normal/p1_0.png"] == home["normal/p6_9.bmp"]


def test_limit_reduces_by_whole_patients(root, options, tmp_path):
    made = prepare(
        FolderSource(patient_pattern=BY_NAME),
        root,
        tmp_path / "d.json",
        limit=28,
        **options,
    )
    assert made.counts() == {"ill": 14, "normal": 14}


def test_no_patient_id_is_written(root, options, tmp_path):
    prepare(
        FolderSource(patient_pattern=r"^p(\d+_\d)"),
        root,
        tmp_path / "d.json",
        **options,
    )
    content = json.loads((tmp_path / "d.json").read_text())
    for split in SPLITS:
        for entry in content[split]:
            assert entry["image"].rsplit("/p")[-1][:-4] not in entry["group"]


def test_every_fault_is_listed_before_too_many_are_refused(root, options, tmp_path):
    for number in range(30):
        (root / f"ill/p1{number}_x.png").touch()
    rejected = tmp_path / "rejected.txt"
    source = FolderSource(patient_pattern=BY_NAME, on_error="skip")
    with pytest.raises(DataError, match=r"30 of 62.*all 30 are listed in rejected\.txt"):
        pool_entries(source, root, rejected=rejected, **options)
    lines = rejected.read_text().splitlines()
    assert len(lines) == 30
    assert all("is empty" in line for line in lines)


def test_faults_of_the_table_are_listed_too(root, options, tmp_path):
    rows = [f"{p.relative_to(root)},{p.parent.name},{p.name[:3]}" for p in root.rglob("*.png")]
    (root / "labels.csv").write_text("\n".join(["image,label,patient", *rows, "gone.png,ill,p1"]))
    source = CsvSource(patient="patient", on_error="skip")
    rejected = tmp_path / "rejected.txt"
    pool_entries(source, root, rejected=rejected, max_bad_fraction=0.1, **options)
    assert "row 34 names gone.png, which does not exist" in rejected.read_text()


def test_many_identical_files_are_compared_once(root, options, monkeypatch):
    for number in range(40):
        shutil.copy(root / "normal/p0_0.png", root / f"normal/p0_c{number}.png")
    monkeypatch.setattr(similarity, "MAX_PAIRS", 20)
    pool = pool_entries(FolderSource(patient_pattern=BY_NAME), root, **options)
    assert len(pool.copies) == 40


@pytest.fixture
def with_unlabelled(root, noise):
    """The folder beside the classes: two images of a stranger, one of every known patient."""
    for number in (0, 1):
        noise(root / f"unlabelled/p99_{number}.png", seed=900 + number)
    for path in sorted(root.glob("*/p*_0.png")):
        patient = path.name.split("_")[0]
        noise(root / f"unlabelled/{patient}_5.png", seed=1000 + int(patient[1:]))
    return root


def test_images_without_a_class_are_listed_apart(with_unlabelled, options, tmp_path):
    source = FolderSource(patient_pattern=BY_NAME)
    labelled = prepare(
        source, with_unlabelled, tmp_path / "d.json", unlabelled="unlabelled", **options
    )
    assert labelled.labels == ("ill", "normal")
    assert labelled.caveats == ()
    apart = Datalist.load(tmp_path / "d.unlabelled.json")
    assert {entry.image.split("/")[0] for entry in apart.training} == {"unlabelled"}
    held_out = labelled.groups("validation") | labelled.groups("test")
    assert not apart.groups() & held_out
    assert apart.groups() > labelled.groups("training")
    assert apart.caveats[1].startswith(f"{len(held_out)} more")
    shutil.rmtree(with_unlabelled / "unlabelled")
    again = prepare(source, with_unlabelled, tmp_path / "e.json", **options)
    assert again.sha256 == labelled.sha256


def test_unlabelled_copies_of_held_out_images_are_refused(with_unlabelled, options, tmp_path):
    source = FolderSource(patient_pattern=BY_NAME)
    held_out = prepare(
        source,
        with_unlabelled,
        tmp_path / "d.json",
        unlabelled="unlabelled",
        **options,
    ).test[0]
    again = with_unlabelled / "unlabelled/p98_0.bmp"
    Image.open(with_unlabelled / held_out.image).save(again)
    (tmp_path / "d.json").unlink()
    (tmp_path / "d.unlabelled.json").unlink()
    with pytest.raises(DataError, match="different splits"):
        prepare(source, with_unlabelled, tmp_path / "d.json", unlabelled="unlabelled", **options)
    assert not list(tmp_path.glob("d.*"))
    pool = pool_entries(source, with_unlabelled, unlabelled="unlabelled", **options)
    groups = {entry.image: entry.group for entry in (*pool.entries, *pool.unlabelled)}
    assert groups["unlabelled/p98_0.bmp"] == groups[held_out.image]


def test_unlabelled_images_that_are_not_there_are_said(root, options):
    with pytest.raises(DataError, match="'unsorted'"):
        pool_entries(FolderSource(patient_pattern=BY_NAME), root, unlabelled="unsorted", **options)
