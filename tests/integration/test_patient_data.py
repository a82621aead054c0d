"""Nothing about a patient in any byte of the output: canaries in every place a name can be."""

import contextlib
import csv
import gzip
import io
import os
import signal
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword

from monai_gan_aug.phantoms.series import class_counts, write_phantom_series
from tests.integration.interrupted import kill_once_there

ROOT = Path(__file__).resolve().parents[2]
FILE, TAG, PATIENT, COLUMN = b"QXFILE", b"QXTAG", b"QXPATIENT", b"QXCOLUMN"
NAMES_FILES = ("datalist.json", "pool.json")
IDENTIFYING = [
    "PatientName",
    "OtherPatientIDs",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "AccessionNumber",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord",
    "StationName",
    "DeviceSerialNumber",
    "StudyID",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "ImageComments",
    "AdditionalPatientHistory",
    "Occupation",
    "MilitaryRank",
    "EthnicGroup",
    "RequestedProcedureDescription",
    "RequestingPhysician",
    "MedicalRecordLocator",
    "CurrentPatientLocation",
    "ContentCreatorName",
]
KNOBS = {
    "seeds": "[0,1]",
    "data::split::training_patients_per_class": 4,
    "data::split::validation_patients_per_class": 2,
    "gan::knobs::max_epochs": 1,
    "gan::knobs::steps_per_epoch": 4,
    "classifier::total_steps": 4,
    "gan::samples_per_class": 8,
    "study::arms": "['real','classical','classical_twice','real_plus_synthetic']",
}


def opened(content: bytes, depth: int = 0) -> list[bytes]:
    """``content`` and what is packed in it: gzip, zip (also ``.pt`` and ``.npz``), zlib streams."""
    found = [content]
    if depth > 3:
        return found
    if content.startswith(b"\x1f\x8b"):
        found += opened(gzip.decompress(content), depth + 1)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            found += [part for name in packed.namelist() for part in (name.encode(),)]
            for name in packed.namelist():
                found += opened(packed.read(name), depth + 1)
    for start in (b"\x78\x9c", b"\x78\xda", b"\x78\x01"):
        if content.startswith(start):
            found.append(zlib.decompressobj().decompress(content))
    return found


def leaks(folder: Path, needles: tuple[bytes, ...], *, but: tuple[str, ...] = ()) -> set[str]:
    """Files below ``folder`` that hold a needle in their name or anywhere in their content."""
    found = set()
    for path in folder.rglob("*"):
        relative = str(path.relative_to(folder))
        parts = [relative.encode()]
        if path.is_file() and not path.is_symlink() and path.name not in but:
            parts += opened(path.read_bytes())
        if any(needle in part for needle in needles for part in parts):
            found.add(relative)
    return found


def plant(folder: Path) -> None:
    """Give every slice canaries in its identifying tags, its name and its folder's."""
    for number, path in enumerate(sorted(folder.rglob("*.dcm"))):
        dataset = dcmread(path)
        for keyword in IDENTIFYING:
            if dictionary_VR(tag_for_keyword(keyword)) not in ("DA", "TM", "SQ"):
                setattr(dataset, keyword, TAG.decode())
        dataset.PatientID = f"{PATIENT.decode()}{dataset.PatientID}"
        dataset.private_block(0x0011, "QXTAG CREATOR", create=True).add_new(1, "LO", "QXTAG")
        dataset.preamble = TAG + bytes(128 - len(TAG))
        path.unlink()
        named = path.parent.parent / f"{FILE.decode()}{path.parent.name}" / f"QXFILE {number}.dcm"
        named.parent.mkdir(exist_ok=True)
        dataset.save_as(named, enforce_file_format=True)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write_phantom_series(folder, class_counts(24), slices=1, size=64, workers=1, progress=False)
    plant(folder)
    return folder


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """Environment whose temporary folder, home and key are known."""
    home = tmp_path_factory.mktemp("home")
    (home / "tmp").mkdir()
    own = {
        **{"HOME": str(home), "TMPDIR": str(home / "tmp"), "OMP_NUM_THREADS": "1"},
        "MONAI_GAN_AUG_KEY_FILE": str(tmp_path_factory.mktemp("key") / "patient.key"),
    }
    return {**os.environ, **own}


def start(words, environment):
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, words)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def test_the_search_opens_what_is_packed(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", np.frombuffer(b"QXTAG" * 9, np.uint8))
    torch.save({"note": "QXTAG"}, tmp_path / "b.pt")
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"QXTAG"))
    (tmp_path / "QXTAG").mkdir()
    (tmp_path / "clean").write_bytes(b"nothing")
    assert leaks(tmp_path, (TAG,)) == {"a.npz", "b.pt", "c.gz", "QXTAG"}


def write_table(root: Path) -> None:
    paths = sorted(root.rglob("*.dcm"))
    with (root / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["image", "label", "patient", "QXCOLUMN"])
        for path in paths:
            relative = path.relative_to(root)
            row = (
                relative.as_posix(),
                relative.parts[0],
                f"QXPATIENT{path.parent.name}",
                "QXCOLUMN",
            )
            table.writerow(row)


@pytest.mark.slow
def test_prepare_keeps_patient_ids_and_other_columns_to_itself(phantoms, surroundings, tmp_path):
    write_table(phantoms)
    out = tmp_path / "out"
    words = ["monai_gan_aug", "prepare", phantoms, "--out", out / "datalist.json", "--csv"]
    with start([*words, "labels.csv", "--patient", "patient"], surroundings) as process:
        printed = process.communicate(timeout=200)[0]
    (phantoms / "labels.csv").unlink()
    assert process.returncode == 0, printed.decode()
    assert (out / "datalist.json").is_file()
    (out / "printed.log").write_bytes(printed)
    assert leaks(out, (TAG, PATIENT, COLUMN)) == set()
    assert leaks(out, (FILE,), but=NAMES_FILES) == set()


@pytest.fixture(scope="module")
def study(phantoms, surroundings, tmp_path_factory):
    """The output of a study that was killed in its first GAN and then run to its end."""
    out = tmp_path_factory.mktemp("study")
    words = ["monai.bundle", "run", "--config_file", "configs/studies/phantom_ct.yaml"]
    given = {"dataset_dir": phantoms, "output_dir": out, **KNOBS}
    words += [word for key, value in given.items() for word in (f"--{key}", value)]
    printed = kill_once_there(start(words, surroundings), out, "seed-*/gan*/job.log")
    after_kill = leaks(out, (TAG, PATIENT), but=()) | leaks(out, (FILE,), but=NAMES_FILES)
    second = start(words, surroundings)
    try:
        printed += second.communicate(timeout=500)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(second.pid, signal.SIGKILL)
    assert second.returncode == 0, printed.decode()
    (out / "printed.log").write_bytes(printed)
    return out, after_kill


@pytest.mark.slow
def test_a_killed_study_leaves_nothing_about_a_patient(study):
    assert study[1] == set()


@pytest.mark.slow
def test_no_byte_of_a_whole_study_holds_a_canary(study):
    out, _ = study
    assert {"report.html", "study.json", "cache"} <= {path.name for path in out.iterdir()}
    assert leaks(out, (TAG, PATIENT)) == set()
    assert leaks(out, (FILE,), but=NAMES_FILES) == set()


@pytest.mark.slow
def test_nothing_is_left_elsewhere_and_the_key_stays_where_it_is(study, surroundings):
    home = Path(surroundings["HOME"])
    assert leaks(home, (TAG, PATIENT, FILE)) == set()
    secret = Path(surroundings["MONAI_GAN_AUG_KEY_FILE"]).read_bytes().strip()
    assert leaks(study[0], (secret, bytes.fromhex(secret.decode()))) == set()
