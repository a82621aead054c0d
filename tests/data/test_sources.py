"""Sources of images, labels and patients, and their faults."""

import csv
import json
import os

import pydicom
import pytest

from monai_gan_aug.data.sources import (
    CsvSource,
    DicomTreeSource,
    FolderSource,
    JsonPerImageSource,
)
from monai_gan_aug.errors import DataError
from tests.drawing import draw_noise


@pytest.fixture
def root(tmp_path):
    """Two classes of two images, plus what lies about in folders."""
    root = tmp_path / "a root"
    for number, name in enumerate(
        ["ill/P1_1.png", "ill/P2_1.png", "well/P3_1.png", "well/P3_2.png"]
    ):
        draw_noise(root / name, seed=number)
    (root / "notes.txt").write_text("x")
    (root / "ill" / ".hidden.png").write_bytes(b"x")
    return root


def write_rows(root, rows, header=("image", "label", "patient")):
    with (root / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


GOOD = [("ill/P1_1.png", "ill", "P1"), ("well/P3_1.png", "well", "P3")]


def triples(records):
    return [(r.image, r.label, r.patient) for r in records]


def test_folder_names_are_labels_and_the_pattern_finds_patients(root):
    got = triples(FolderSource(patient_pattern=r"^(P\d+)_").records(root))
    assert got == [
        ("ill/P1_1.png", "ill", "P1"),
        ("ill/P2_1.png", "ill", "P2"),
        ("well/P3_1.png", "well", "P3"),
        ("well/P3_2.png", "well", "P3"),
    ]


def test_patient_may_be_a_folder(root):
    draw_noise(root / "ill" / "P9" / "1.png", seed=9)
    for path in (root / "ill").glob("P?_*"):
        path.unlink()
    for path in (root / "well").iterdir():
        path.unlink()
    source = FolderSource(patient_pattern="^([^/]+)/")
    assert triples(source.records(root)) == [("ill/P9/1.png", "ill", "P9")]


def test_skipped_files_are_counted_in_the_log(root, caplog):
    with caplog.at_level("INFO"):
        FolderSource().records(root)
    assert "1 x hidden" in caplog.text
    assert "1 x other file (.txt)" in caplog.text


def test_grouping_says_where_patients_come_from():
    assert FolderSource().grouping is None
    assert FolderSource(patient_pattern="none").grouping == "none"
    assert "P" in FolderSource(patient_pattern="P").grouping
    assert CsvSource(patient="pid").grouping == "column pid"
    assert CsvSource(patient="none").grouping == "none"
    assert JsonPerImageSource(patient="a.b").grouping == "key a.b"
    assert DicomTreeSource().grouping == "DICOM PatientID"


def test_name_that_does_not_match_the_pattern_is_a_fault(root):
    with pytest.raises(DataError, match=r"ill/P1_1.png does not match"):
        FolderSource(patient_pattern="patient-([0-9]+)").records(root)


def test_broken_pattern_is_refused():
    with pytest.raises(ValueError, match="regular expression"):
        FolderSource(patient_pattern="(")


def test_table_gives_its_rows(root):
    write_rows(root, GOOD)
    assert triples(CsvSource(patient="patient").records(root)) == GOOD


def test_record_does_not_show_its_patient(root):
    write_rows(root, [("ill/P1_1.png", "ill", "Roe^Jane")])
    assert "Roe" not in repr(CsvSource(patient="patient").records(root))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("../../etc/passwd", "ill", "P"), "out of the data root"),
        (("/etc/passwd", "ill", "P"), "not a relative file name"),
        (("link.png", "ill", "P"), "out of the data root"),
        (("ill/none.png", "ill", "P"), "does not exist"),
        (("ill", "ill", "P"), "does not exist"),
        (("ill/P1_1.png", "", "P"), "no label"),
        (("ill/P1_1.png", "ill", " "), "no patient"),
        (("ill/P1_1.png", "=cmd|' /C calc'!A0", "P"), "formula"),
        (("ill/P1_1.png", "@SUM(A1)", "P"), "formula"),
        (("ill/P1_1.png", "+1+cmd()", "P"), "formula"),
        (("ill/P1_1.png", "ill"), "2 cells"),
        (("well/P3_1.png", "ill", "P"), "twice"),
    ],
)
def test_faulty_row_is_named_by_number_and_reason(root, row, reason):
    (root.parent / "outside.png").write_bytes(b"")
    (root / "link.png").symlink_to(root.parent / "outside.png")
    write_rows(root, [*GOOD, row])
    with pytest.raises(DataError, match=f"labels.csv row 4 .*{reason}"):
        CsvSource(patient="patient").records(root)
    skipping = CsvSource(patient="patient", on_error="skip")
    assert triples(skipping.records(root)) == GOOD
    assert len(skipping.faults) == 1


@pytest.mark.parametrize("label", ["-1", "+", "-0.5", "+high"])
def test_signs_are_no_formulas(root, label):
    write_rows(root, [("ill/P1_1.png", label, "P")])
    assert CsvSource(patient="patient").records(root)[0].label == label


def test_odd_names_work(root):
    odd = os.fsdecode(b"ill/na me;\xff.png")
    draw_noise(root / odd, seed=8)
    assert odd in [r.image for r in FolderSource().records(root)]


def test_one_json_per_image(root):
    (root / "json").mkdir()
    for stem, label in (("P1_1", "benign"), ("P3_2", "malignant")):
        content = {"meta": {"clinical": {"label": label, "pid": int(stem[1])}}}
        (root / "json" / f"{stem}.json").write_text(json.dumps(content))
    source = JsonPerImageSource("meta.clinical.label", "meta.clinical.pid", descriptions="json")
    assert triples(source.records(root)) == [
        ("ill/P1_1.png", "benign", "1"),
        ("well/P3_2.png", "malignant", "3"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("P1_1", "{", "not usable"),
        ("P1_1", "[]", "no key label"),
        ("P1_1", '{"label": null}', "no single value"),
        ("unknown", '{"label": "x"}', "0 images"),
    ],
)
def test_faulty_json_is_named(root, name, content, reason):
    (root / f"{name}.json").write_text(content)
    with pytest.raises(DataError, match=f"{name}.json .*{reason}"):
        JsonPerImageSource().records(root)


def test_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="No labelled image"):
        FolderSource().records(tmp_path)


def test_missing_root_is_refused(tmp_path):
    with pytest.raises(DataError, match="not a folder"):
        FolderSource().records(tmp_path / "nowhere")


def test_dicom_patients_come_from_the_header(shared_data):
    root = shared_data / "dicom_ct"
    records = DicomTreeSource().records(root)
    assert len(records) == 95
    for record in records[::12]:
        header = pydicom.dcmread(root / record.image, stop_before_pixels=True)
        assert record.patient == header.PatientID.strip()
        assert record.image.startswith(f"{record.label}/")


def test_dicom_labels_may_come_from_a_table(shared_data):
    root = shared_data / "dicom_ct"
    by_table = DicomTreeSource(csv="labels.csv", image="path").records(root)
    by_folder = DicomTreeSource().records(root)
    assert sorted(triples(by_table)) == sorted(triples(by_folder))


def test_file_that_is_not_dicom_is_a_fault_of_the_tree(shared_data, root):
    with pytest.raises(DataError, match=r"ill/P1_1\.png"):
        DicomTreeSource().records(root)


@pytest.mark.parametrize(("name", "patients"), [("xray", 1600), ("malaria", 200)])
def test_real_tables_are_read_whole(shared_data, name, patients):
    records = CsvSource(image="path", patient="patient_id").records(shared_data / name)
    with (shared_data / name / "labels.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(r.image, r.label) for r in records] == [(row["path"], row["label"]) for row in rows]
    assert len({record.patient for record in records}) == patients
