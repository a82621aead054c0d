"""Published data sets, on tiny imitations of how each folder looks after unpacking."""

import json
from pathlib import Path

import pytest

from monai_gan_aug import published
from monai_gan_aug.__main__ import main
from monai_gan_aug.errors import DataError
from monai_gan_aug.published.layouts import LAYOUTS, layout
from monai_gan_aug.records.datalist import SPLITS, Datalist
from tests.drawing import draw_noise


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "download"


@pytest.fixture
def image(folder):
    """Write one image below the folder; every name gives other pixels."""
    written = []

    def write(name):
        written.append(name)
        return draw_noise(folder / name, seed=len(written))

    return write


def isic2016(folder, image):
    rows = []
    for number in range(12):
        image(f"ISBI2016_ISIC_Part3_Training_Data/ISIC_{number:07d}.jpg")
        rows.append(f"ISIC_{number:07d},{'malignant' if number % 3 == 0 else 'benign'}")
    (folder / "ISBI2016_ISIC_Part3_Training_GroundTruth.csv").write_text("\n".join(rows) + "\n")
    return {"benign": 8, "malignant": 4}, 12


def siim_isic(folder, image):
    rows = ["image_name,patient_id,sex,target"]
    for number in range(16):
        image(f"jpeg/train/ISIC_{number:07d}.jpg")
        rows.append(f"ISIC_{number:07d},IP_{number // 2},male,{int(number < 8)}")
    (folder / "train.csv").write_text("\n".join(rows) + "\n")
    return {"benign": 8, "malignant": 8}, 8


def head_ct(folder, image):
    rows = ["id, hemorrhage"]
    for number in range(12):
        image(f"head_ct/head_ct/{number:03d}.png")
        rows.append(f"{number},{int(number < 6)}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return {"haemorrhage": 6, "normal": 6}, 12


def bone_xray(folder, image):
    for part in ("train", "val"):
        for label in ("fractured", "not fractured"):
            for number in range(3):
                stem = f"{label[0]}{number}{part[0]}"
                image(f"{part}/{label}/{stem}.jpg")
                image(f"{part}/{label}/{stem}-rotated1-rotated2.jpg")
    return {"fractured": 12, "not fractured": 12}, 12


def malaria(folder, image):
    for label, first in (("Parasitized", 0), ("Uninfected", 6)):
        (folder / "cell_images" / label).mkdir(parents=True)
        (folder / "cell_images" / label / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0 thumbnails")
        for patient in range(first, first + 6):
            for cell in range(2):
                name = f"C{patient}P{patient}ThinF_IMG_2015_cell_{cell}.png"
                image(f"cell_images/{label}/{name}")
    return {"Parasitized": 12, "Uninfected": 12}, 12


IMITATIONS = {f.__name__: f for f in (isic2016, siim_isic, head_ct, bone_xray, malaria)}
every_set = pytest.mark.parametrize("name", sorted(LAYOUTS))


@every_set
def test_prepare_makes_a_datalist(name, folder, image, tmp_path, capsys):
    counts, patients = IMITATIONS[name](folder, image)
    out = tmp_path / "datalist.json"
    words = ["prepare", folder, "--published", name, "--out", out, "--key", tmp_path / "key"]
    assert main([*map(str, words), "--fractions", "0.5", "0", "0.5"]) == 0
    made = Datalist.load(out)
    together = [made.counts(split) for split in SPLITS]
    assert {label: sum(c[label] for c in together) for label in counts} == counts
    assert sum(sum(made.group_counts(split).values()) for split in SPLITS) == patients
    assert any("published images" in caveat for caveat in made.caveats)
    assert "published images" in capsys.readouterr().out


@every_set
def test_another_folder_is_refused_by_what_is_missing(name, folder, image, tmp_path):
    image("somewhere/else.png")
    words = ["prepare", folder, "--published", name, "--out", tmp_path / "d.json"]
    assert main([*map(str, words)]) == 2
    assert not (tmp_path / "d.json").exists()
    with pytest.raises(DataError, match=r"must hold|lacks|neither"):
        layout(name, folder)


@every_set
def test_missing_folder_is_refused(name, folder):
    with pytest.raises(DataError, match="not a folder"):
        layout(name, folder)


@pytest.mark.parametrize(
    ("former", "name"), [("bone_fracture", "bone_xray"), ("nih_malaria", "malaria")]
)
def test_former_names_are_refused_by_naming_the_new(former, name, folder, tmp_path, capsys):
    words = ["prepare", str(folder), "--published", former, "--out", str(tmp_path / "d.json")]
    assert main(words) == 2
    assert f"is called '{name}' now" in capsys.readouterr().err


def test_a_system_is_one_file():
    modules = {path.stem for path in Path(published.__file__).parent.glob("[a-z]*.py")}
    assert LAYOUTS.keys() == modules - {"layouts"}


def test_turned_copies_of_a_radiograph_are_one_patient(folder, image):
    bone_xray(folder, image)
    known = layout("bone_xray", folder)
    by_patient = {}
    for record in known.source.records(known.root):
        by_patient.setdefault(record.patient, []).append(record.image)
    assert {len(images) for images in by_patient.values()} == {2}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ISIC_0000099,benign", "no image"),
        ("ISIC_0000001,unknown", "expected one of"),
        ("ISIC_0000001", "cells"),
    ],
)
def test_rows_that_do_not_fit_are_named(folder, image, row, reason):
    isic2016(folder, image)
    table = folder / "ISBI2016_ISIC_Part3_Training_GroundTruth.csv"
    table.write_text(table.read_text() + row + "\n")
    known = layout("isic2016", folder)
    with pytest.raises(DataError, match=f"row 13.*{reason}"):
        known.source.records(known.root)


def test_an_image_that_is_there_twice_is_refused(folder, image):
    isic2016(folder, image)
    image("copy/ISIC_0000003.png")
    known = layout("isic2016", folder)
    with pytest.raises(DataError, match="2 times"):
        known.source.records(known.root)


def test_inner_copy_of_the_cells_is_refused(folder, image):
    malaria(folder, image)
    (folder / "cell_images/cell_images").mkdir()
    with pytest.raises(DataError, match="inner"):
        layout("malaria", folder)


def test_skin_lesions_with_one_json_each_are_read(folder, image):
    for number in range(4):
        image(f"ISIC_{number:07d}.jpg")
        content = {"meta": {"clinical": {"benign_malignant": "benign"}}}
        (folder / f"ISIC_{number:07d}.json").write_text(json.dumps(content))
    known = layout("siim_isic", folder)
    assert {r.label for r in known.source.records(known.root)} == {"benign"}


def test_skin_lesions_of_the_gathered_table_are_read(folder, image):
    image("images/ISIC_1.png")
    (folder / "all.csv").write_text("dcm_name,target\nISIC_1,1\n")
    known = layout("siim_isic", folder)
    assert [r.label for r in known.source.records(known.root)] == ["malignant"]


def test_unknown_name_is_refused(folder):
    with pytest.raises(ValueError, match="one of"):
        layout("imagenet", folder)
