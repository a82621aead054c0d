"""External test sets: what is refused, what is only said, and that their patients stay apart."""

import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import ndimage

from monai_gan_aug.data.sources import CsvSource
from monai_gan_aug.errors import DataError
from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.external import ExternalData, external_sets
from monai_gan_aug.studies.layout import StudyLayout
from tests.drawing import draw_halves

CSV = CsvSource("labels.csv", image="path", label="label", patient="patient")


@pytest.fixture
def data(tmp_path):
    """A study's images: 20 patients called p0 to p19."""
    root = draw_halves(tmp_path / "study", 20, seed=0)
    return StudyData(
        name="halves",
        dataset_dir=str(root),
        source=CSV,
        image={"image_size": 16, "channels": 1},
        key_file=str(tmp_path / "patients.key"),
        split={"training_patients_per_class": 4, "validation_patients_per_class": 2},
    )


def check(data, folder, root, **knobs):
    """The one checked set."""
    external = ExternalData(**{"dataset_dir": str(root), "source": CSV, **knobs})
    return external_sets({"elsewhere": external}, data, StudyLayout(folder))["elsewhere"]


def test_all_images_are_test_images(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, prefix="q")
    found = check(data, tmp_path, root, caveats=["One scanner."]).datalist
    assert found.counts("test") == {"left": 6, "right": 6}
    assert not found.training
    assert not found.validation
    assert found.caveats == ("One scanner.",)
    assert not found.groups() & {entry.group for entry in data.pool(StudyLayout(tmp_path)).entries}


def test_patients_are_hashed_with_the_key_of_the_study(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, prefix="q")
    study = data.pool(StudyLayout(tmp_path))
    assert check(data, tmp_path, root).datalist.split.key_fingerprint == study.key_fingerprint


def test_a_copy_of_an_image_of_the_study_is_refused_by_name(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, prefix="q")
    (root / "4.png").write_bytes((data.root / "6.png").read_bytes())
    with pytest.raises(DataError, match=r"1 images .* copies .*4\.png is 6\.png"):
        check(data, tmp_path, root)


def test_the_same_pixels_in_another_file_are_said(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, prefix="q")
    Image.open(data.root / "6.png").save(root / "4.png", compress_level=1)
    assert (root / "4.png").read_bytes() != (data.root / "6.png").read_bytes()
    for _ in range(2):  # the second time the count is read from disk
        caveats = check(data, tmp_path, root).datalist.caveats
        assert any(text.startswith("1 images look the same") for text in caveats)


def textured(seed):
    """A picture with detail of its own, 64 by 64 pixels."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(size=(8, 8)), np.ones((8, 8)))
    pixels = ndimage.gaussian_filter(coarse, 3) * 90 + rng.normal(size=(64, 64)) * 12 + 128
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    "change",
    [ImageOps.mirror, ImageOps.invert, lambda picture: picture.rotate(90)],
    ids=["mirror", "invert", "quarter turn"],
)
def test_a_changed_copy_of_an_image_of_the_study_is_said(data, tmp_path, change):
    root = draw_halves(tmp_path / "b", 12, seed=1, prefix="q")
    textured(0).save(data.root / "6.png")
    change(textured(0)).save(root / "4.png")
    textured(1).save(root / "2.png")
    for _ in range(2):  # the second time the counts are read from disk
        (caveat,) = check(data, tmp_path, root).datalist.caveats
        assert caveat.startswith("1 more images are one of the study changed")


def test_a_patient_of_the_study_is_refused(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, prefix="p")
    with pytest.raises(DataError, match=r"12 patients .*`own_patient_ids`"):
        check(data, tmp_path, root)


def test_ids_of_another_place_are_other_patients(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, prefix="p")
    found = check(data, tmp_path, root, own_patient_ids=True).datalist
    assert len(found.groups()) == 12
    assert not found.groups() & {entry.group for entry in data.pool(StudyLayout(tmp_path)).entries}
    assert any("cannot be compared" in text for text in found.caveats)


def test_without_patients_equal_file_names_are_no_shared_patients(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1)
    source = CsvSource("labels.csv", image="path", label="label")
    found = check(data, tmp_path, root, source=source, group="none").datalist
    assert len(found.groups()) == 12
    assert any("cannot be compared" in text for text in found.caveats)


def test_classes_may_be_called_otherwise(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, labels=("L", "R"), prefix="q")
    found = check(data, tmp_path, root, classes=["R", "L"]).datalist
    assert found.labels == ("left", "right")
    by_name = {entry.image: entry.label for entry in found.test}
    assert (by_name["0.png"], by_name["1.png"]) == (1, 0)


def test_classes_that_are_not_there_are_named(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, labels=("L", "R"), prefix="q")
    with pytest.raises(DataError, match="left"):
        check(data, tmp_path, root)


def test_as_many_classes_as_the_study_has(data, tmp_path):
    root = draw_halves(tmp_path / "b", 12, seed=1, labels=("L", "R"), prefix="q")
    with pytest.raises(DataError, match="one name for each"):
        check(data, tmp_path, root, classes=["L", "R", "middle"])


def test_too_few_patients_for_an_interval_are_refused_before_anything_is_trained(data, tmp_path):
    root = draw_halves(tmp_path / "b", 8, seed=1, prefix="q")
    with pytest.raises(DataError, match="5 of every class"):
        check(data, tmp_path, root)


@pytest.mark.parametrize("name", ["../up", "a b", "", "a/b"])
def test_a_name_is_that_of_a_folder(data, tmp_path, name):
    external = ExternalData(str(draw_halves(tmp_path / "b", 12, seed=1, prefix="q")), CSV)
    with pytest.raises(DataError, match="letters, digits"):
        external_sets({name: external}, data, StudyLayout(tmp_path))


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="not a folder"):
        ExternalData(str(tmp_path / "absent"), CSV)
