"""The DICOM series that phantoms are written as."""

import shutil
import subprocess
from collections import Counter

import numpy as np
import pydicom
import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.phantoms.series import (
    PhantomPlan,
    class_counts,
    ct_dataset,
    write_phantom_series,
)

COUNTS = {"normal": 4, "haemorrhage": 2}


def write(folder, **changes):
    """A small set."""
    options = {"slices": 2, "size": 32, "seed": 5, "workers": 1, "progress": False}
    return write_phantom_series(folder, COUNTS, **(options | changes))


def contents(folder):
    """Bytes of every file by its relative name."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.dcm")}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder of a set and the paths in it."""
    folder = tmp_path_factory.mktemp("phantoms")
    return folder, write(folder)


@pytest.fixture(scope="module")
def datasets(written):
    """Every file, in the order of the returned paths."""
    folder, paths = written
    return [pydicom.dcmread(folder / path) for path in paths]


@pytest.fixture(scope="module")
def tilted():
    """A slice pair of a patient scanned with a tilted gantry, and the patient."""
    plans = (PhantomPlan(0, number, "normal", 2, 32) for number in range(1, 30))
    plan, patient = next((p, d) for p in plans if (d := p.draw()).scanner.gantry_tilt > 5)
    return patient, [ct_dataset(plan, patient, index) for index in range(2)]


def test_writes_a_folder_per_class_and_patient(written):
    folder, paths = written
    assert set(paths) == set(contents(folder))
    assert Counter(path.parts[0] for path in paths) == {"normal": 8, "haemorrhage": 4}
    assert sorted({path.parts[1] for path in paths}) == [f"PHANTOM000{n}" for n in range(1, 7)]
    assert sorted({path.name for path in paths}) == ["1.dcm", "2.dcm"]


def test_same_arguments_same_bytes_in_one_process_or_two(written, tmp_path):
    write(tmp_path, workers=2)
    assert contents(tmp_path) == contents(written[0])


def test_other_seed_other_bytes_and_uids(written, tmp_path):
    folder = tmp_path / "other"
    write(folder, seed=6)
    uids = [
        {pydicom.dcmread(path).SOPInstanceUID for path in root.rglob("*.dcm")}
        for root in (written[0], folder)
    ]
    assert not uids[0] & uids[1]


def test_uids_group_slices_by_patient(datasets):
    assert len({item.SOPInstanceUID for item in datasets}) == len(datasets) == 12
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        owners = {(item[keyword].value, item.PatientID) for item in datasets}
        assert len(owners) == len({uid for uid, _ in owners}) == 6


def test_pixels_are_the_hounsfield_units_that_were_drawn(written, datasets):
    for path, item in zip(written[1], datasets, strict=True):
        number = int(item.PatientID.removeprefix("PHANTOM"))
        plan = PhantomPlan(5, number, path.parts[0], 2, 32)
        hu = item.pixel_array * float(item.RescaleSlope) + float(item.RescaleIntercept)
        np.testing.assert_array_equal(hu, plan.draw().hu[item.InstanceNumber - 1])


def test_slices_lie_along_the_table(datasets):
    for lower, upper in zip(datasets[::2], datasets[1::2], strict=True):
        step = np.subtract(upper.ImagePositionPatient, lower.ImagePositionPatient)
        np.testing.assert_allclose(step[:2], 0, atol=1e-6)
        assert step[2] >= float(lower.SliceThickness) - 1e-4
        assert step[2] == pytest.approx(float(upper.SliceLocation) - float(lower.SliceLocation))


def test_orientation_is_orthonormal_and_follows_the_gantry(tilted):
    patient, (item, _) = tilted
    row, column = np.reshape(item.ImageOrientationPatient, (2, 3)).astype(float)
    np.testing.assert_allclose([row @ row, column @ column, row @ column], [1, 1, 0], atol=1e-6)
    angle = np.degrees(np.arctan2(-column[2], column[1]))
    assert angle == pytest.approx(patient.scanner.gantry_tilt, abs=1e-4)
    assert float(item.GantryDetectorTilt) == patient.scanner.gantry_tilt


def test_image_is_centred_on_the_table_axis(tilted):
    _, items = tilted
    for item in items:
        row, column = np.reshape(item.ImageOrientationPatient, (2, 3)).astype(float)
        spacing = float(item.PixelSpacing[0])
        middle = np.array(item.ImagePositionPatient, dtype=float)
        middle += spacing * ((item.Columns - 1) * row + (item.Rows - 1) * column) / 2
        np.testing.assert_allclose(middle, [0, 0, float(item.SliceLocation)], atol=1e-3)
        assert spacing * item.Columns == pytest.approx(float(item.ReconstructionDiameter), abs=0.01)


def test_patient_number_does_not_order_the_classes(tmp_path):
    paths = write_phantom_series(
        tmp_path, {"normal": 10, "haemorrhage": 10}, slices=1, size=32, workers=1, progress=False
    )
    labels = [path.parts[0] for path in paths]
    assert labels[:10].count("normal") not in (0, 10)


def test_a_file_says_that_it_shows_no_person(datasets):
    assert {item.QualityControlSubject for item in datasets} == {"YES"}
    assert all("not a person" in item.StudyDescription for item in datasets)


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_nothing(written):
    folder, paths = written
    for path in paths[:4]:
        checked = subprocess.run(
            ["dciodvfy", "-new", str(folder / path)], capture_output=True, text=True, check=False
        )
        assert (checked.stdout + checked.stderr).split() == ["CTImage"]


def test_interrupted_run_is_completed_by_the_same_call(written, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(written[0], folder)
    lost = next(folder.rglob("2.dcm"))
    expected = lost.read_bytes()
    lost.rename(lost.with_name("2.dcm.123.partial"))
    write(folder)
    assert lost.read_bytes() == expected
    assert not list(folder.rglob("*.partial"))


def test_refuses_to_mix_with_another_set(written, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(written[0], folder)
    with pytest.raises(DataError, match=r"2\.dcm belongs to another set: choose an empty folder"):
        write(folder, slices=1)


@pytest.mark.parametrize(
    ("counts", "changes", "named"),
    [
        ({"normal": 1, "tumour": 1}, {}, "tumour"),
        ({"normal": 0, "haemorrhage": 0}, {}, "at least one patient"),
        ({"normal": -1, "haemorrhage": 3}, {}, "at least one patient"),
        (COUNTS, {"size": 8}, "size"),
        (COUNTS, {"slices": 0}, "slices"),
        (COUNTS, {"seed": -1}, "seed"),
        (COUNTS, {"workers": 0}, "workers"),
    ],
)
def test_refuses_impossible_sets_before_writing(tmp_path, counts, changes, named):
    with pytest.raises(ValueError, match=named):
        write_phantom_series(tmp_path / "set", counts, progress=False, **changes)
    assert not (tmp_path / "set").exists()


def test_class_counts_add_up():
    for fraction in (0.1, 0.33, 0.5):
        counts = class_counts(40, fraction)
        assert sum(counts.values()) == 40
        assert counts["haemorrhage"] == round(40 * fraction)


@pytest.mark.parametrize("fraction", [0.0, 1.0, 0.001, -0.5])
def test_class_counts_refuses_an_empty_class(fraction):
    with pytest.raises(ValueError, match="positive_fraction"):
        class_counts(40, fraction)
