"""Slices chosen by rule, of every kind of source."""

import nibabel
import numpy as np
import pytest

from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.data.decoding import decode_images
from monai_gan_aug.data.slices import SliceRule
from monai_gan_aug.data.sources import DicomTreeSource, FolderSource
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.dicom.header import read_dicom_header
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.phantoms.series import write_phantom_series
from monai_gan_aug.records.datalist import Datalist, Entry, SplitRecord
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from tests.drawing import draw_noise


@pytest.fixture
def volumes(tmp_path):
    """Two classes of four arrays of ten frames; frame ``f`` is brighter than frame ``f - 1``."""
    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "set" / label).mkdir(parents=True)
        for patient in range(4):
            noise = rng.normal(size=(10, 12, 12)) + 100 * np.arange(10)[:, None, None]
            np.save(tmp_path / "set" / label / f"{patient}.npy", noise.astype(np.float32))
    return tmp_path / "set"


def frames(root, **rule):
    records = FolderSource(slices=SliceRule(**rule)).records(root)
    return [r.frame for r in records if r.image == "a/0.npy"]


def test_without_a_rule_every_frame_is_taken(volumes):
    assert frames(volumes) == list(range(10))


def test_every_nth_of_a_region(volumes):
    assert frames(volumes, every=2, region=(0.4, 1.0)) == [4, 6, 8]


def test_content_is_a_share_of_pixels_in_a_range(volumes):
    assert frames(volumes, content=(350, 650), share=0.5) == [4, 5, 6]


def test_display_values_have_no_content(tmp_path):
    for label in "ab":
        draw_noise(tmp_path / label / "1.png", 1)
    with pytest.raises(DataError, match="content"):
        FolderSource(slices=SliceRule(content=(0, 1))).records(tmp_path)


def test_several_frames_need_a_rule(volumes, tmp_path, pooled):
    source = FolderSource(patient_pattern=r"(\d)")
    with pytest.raises(DataError, match="`slices`"):
        pooled(source, volumes)


@pytest.mark.parametrize(
    "rule",
    [
        {"every": 0},
        {"region": (0.5, 0.5)},
        {"region": (0, 2)},
        {"plane": "oblique"},
        {"content": (1, 0)},
        {"share": 0},
    ],
    ids=str,
)
def test_rules_out_of_range_are_refused(rule):
    with pytest.raises(ValueError, match=next(iter(rule))):
        SliceRule(**rule)


def test_pooled_frames_have_ids_of_their_own_and_one_patient(volumes, tmp_path, pooled):
    source = FolderSource(patient_pattern=r"(\d)", slices=SliceRule(every=5))
    pool = pooled(source, volumes)
    assert len({entry.id for entry in pool.entries}) == len(pool.entries) == 16
    assert {entry.group for entry in pool.entries if entry.image == "a/0.npy"} == {
        pool.entries[0].group
    }


def mean(image):
    return image.pixels.mean(axis=(1, 2))


def test_frames_are_decoded_one_by_one(volumes):
    path = volumes / "a" / "0.npy"
    entries = [Entry("a/0.npy", 0, "g", content_id(path, f), f) for f in (0, 7)]
    decoded = list(decode_images(entries, volumes, mean, progress=False))
    assert [round(float(d.pixels[0]), -1) for d in decoded] == [0, 700]
    assert [d.id for d in decoded] == [e.id for e in entries]


def test_frame_is_written_to_the_datalist_only_where_there_is_one(tmp_path):
    entries = [Entry("a.npy", 0, "g0", "i0", 3), Entry("b.png", 1, "g1", "i1")]
    datalist = Datalist(("a", "b"), tuple(entries), (), (), SplitRecord(0, "test"))
    datalist.save(tmp_path / "d.json")
    assert Datalist.load(tmp_path / "d.json") == datalist
    assert [("frame" in item) for item in datalist.to_dict()["training"]] == [True, False]


def test_volumes_are_sliced_in_the_plane_of_the_rule(tmp_path):
    for label in "ab":
        (tmp_path / label).mkdir()
        values = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / label / "v.nii.gz")
    records = FolderSource(slices=SliceRule(plane="coronal")).records(tmp_path)
    assert [record.frame for record in records] == [*range(5, 9)] * 2


def test_dicom_tree_takes_slices_by_position_and_content(tmp_path):
    write_phantom_series(tmp_path, {"normal": 2, "haemorrhage": 2}, slices=5, size=32, seed=0)
    every = DicomTreeSource(slices=SliceRule()).records(tmp_path)
    assert len(every) == 20
    middle = DicomTreeSource(slices=SliceRule(every=2, region=(0.2, 0.8))).records(tmp_path)
    assert len(middle) == 8
    heights = {}
    for record in every:
        header = read_dicom_header(tmp_path / record.image)
        heights.setdefault(record.patient, []).append((header.position[2], record.image))
    for patient, places in heights.items():
        expected = [name for _, name in sorted(places)][1:4:2]
        assert sorted(r.image for r in middle if r.patient == patient) == sorted(expected)
    air = DicomTreeSource(slices=SliceRule(content=(2000, 3000), share=0.9))
    with pytest.raises(DataError, match="No labelled image"):
        air.records(tmp_path)


def test_cache_of_multi_frame_files_holds_each_frame_once(volumes, tmp_path):
    entries = [
        Entry("a/0.npy", 0, "g", content_id(volumes / "a/0.npy", frame), frame)
        for frame in range(10)
    ]
    recipe = PreprocessingRecipe(size=12, fit="stretch")
    cache = ImageCache.build(entries, volumes, recipe, tmp_path / "cache", progress=False)
    got = cache.gather(cache.rows(entry.id for entry in entries))
    for entry, image in zip(entries, got, strict=True):
        expected = recipe(read_image(volumes / entry.image, frame=entry.frame))
        np.testing.assert_array_equal(image, expected)
    again = ImageCache.build(entries, volumes, recipe, tmp_path / "cache", progress=False)
    assert again.decoded == 0
