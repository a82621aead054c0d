"""Copies of images: found, joined, not invented; pairs are those of a double loop."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from monai_gan_aug.data import duplicates
from monai_gan_aug.data.duplicates import (
    Thumbnail,
    correlated_pairs,
    find_identical,
    merge_groups,
    read_thumbnails,
)
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.records.datalist import Entry


def smooth_picture(path, seed):
    """Smooth random hills: like anatomy, most of it at low frequency."""
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    for seed in range(20):
        smooth_picture(tmp_path / f"{seed:02}.png", seed)
    return tmp_path


def listed(folder):
    paths = sorted(folder.iterdir())
    return [Entry(p.name, 0, f"g-{p.stem}", content_id(p)) for p in paths]


def near_copies(entries, root):
    return correlated_pairs(read_thumbnails(entries, root, progress=False).vectors, 0.995)


def test_identical_files_are_paired(folder):
    (folder / "20.png").write_bytes((folder / "05.png").read_bytes())
    (folder / "21.png").write_bytes((folder / "05.png").read_bytes())
    assert find_identical(listed(folder)) == [(5, 20), (5, 21)]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((50, 50)),
        lambda image: image.point(lambda v: 0.8 * v + 20),
        lambda image: image.convert("RGB"),
        lambda image: image.filter(ImageFilter.GaussianBlur(0.7)),
    ],
    ids=["resized", "brighter", "colour", "blurred"],
)
def test_changed_copy_is_found_and_nothing_else(folder, change):
    change(Image.open(folder / "03.png")).save(folder / "20.jpg", quality=80)
    assert near_copies(listed(folder), folder) == [(3, 20)]


def test_constant_image_is_named(folder):
    Image.new("L", (64, 64), 7).save(folder / "20.png")
    bad = read_thumbnails(listed(folder), folder, progress=False).bad
    assert list(bad) == [20]
    assert "20.png has one value" in str(bad[20])


def test_thumbnail_is_the_area_mean():
    pixels = np.random.default_rng(0).normal(size=(1, 48, 96)).astype(np.float32)
    small = Thumbnail(24)(DecodedImage(pixels, Units.NATIVE))
    np.testing.assert_allclose(
        small, pixels[0].reshape(24, 2, 24, 4).mean(axis=(1, 3)), rtol=1e-4, atol=1e-5
    )


def test_groups_are_joined_along_chains():
    entries = [Entry(str(i), 0, f"g{i}", str(i)) for i in range(6)]
    merged = merge_groups(entries, [(4, 2), (2, 1), (5, 0)])
    assert [e.group for e in merged] == ["g0", "g1", "g1", "g3", "g1", "g0"]
    assert [e.id for e in merged] == [e.id for e in entries]


def test_known_copies_of_the_skin_set_are_found(shared_data):
    pairs = {("12127", "12970"), ("12290", "13594"), ("12756", "13184"), ("12672", "12673")}
    names = [(f"benign/ISIC_00{n}.jpg", f"malignant/ISIC_00{n}.jpg") for p in pairs for n in p]
    root = shared_data / "skin"
    paths = [root / n for both in names for n in both if (root / n).is_file()]
    paths += sorted((root / "malignant").iterdir())[:40]
    names = sorted({p.relative_to(root).as_posix() for p in paths})
    entries = [Entry(n, 0, n, content_id(root / n)) for n in names]
    pairs_by_look = near_copies(entries, root)
    stems = {tuple(sorted(names[k][-9:-4] for k in pair)) for pair in pairs_by_look}
    assert pairs <= stems
    assert len(find_identical(entries)) == 1


def hills(count, seed=0):
    """Smooth random images of 24 x 24 with a common shape, as those of one body part are."""
    draw = np.random.default_rng(seed)
    waves = np.cos(np.outer(np.arange(24), np.arange(12)) * np.pi / 24) / (1 + np.arange(12)) ** 1.5
    images = np.einsum("hk,nkl,wl->nhw", waves, draw.normal(size=(count, 12, 12)), waves)
    return (images + 2 * images[0]).reshape(count, -1).astype(np.float32)


def double_loop(vectors, threshold):
    table = np.corrcoef(vectors.astype(np.float64))
    return [tuple(map(int, pair)) for pair in np.argwhere(np.triu(table >= threshold, k=1))]


@pytest.mark.parametrize("block", [7, 64, 1000])
@pytest.mark.parametrize("threshold", [0.7, 0.95, 0.995])
def test_pairs_are_those_of_a_double_loop(block, threshold):
    vectors = np.concatenate((hills(150), hills(10) * 3 + 1e-3 * hills(10, seed=1)))
    expected = double_loop(vectors, threshold)
    assert expected
    assert correlated_pairs(vectors, threshold, block=block) == expected


def test_noise_without_common_directions_is_searched_too():
    noise = np.random.default_rng(0).normal(size=(120, 300))
    noise[100] = noise[7] * 5 + 0.01 * noise[8]
    assert correlated_pairs(noise, 0.99, block=50) == [(7, 100)]


def test_few_dimensions():
    vectors = np.random.default_rng(0).normal(size=(70, 5))
    assert correlated_pairs(vectors, 0.9, block=16) == double_loop(vectors, 0.9)


def test_constant_rows_correlate_with_nothing():
    assert correlated_pairs(np.ones((5, 60)), 0.5) == []


def test_images_that_are_all_alike_are_refused_before_memory_is_full(monkeypatch):
    monkeypatch.setattr(duplicates, "MAX_PAIRS", 100)
    with pytest.raises(DataError, match="nearly all alike"):
        correlated_pairs(np.tile(np.arange(60.0), (100, 1)), 0.99, block=10)


def test_input_is_kept():
    vectors = hills(5)
    before = vectors.copy()
    correlated_pairs(vectors, 0.9)
    np.testing.assert_array_equal(vectors, before)


@pytest.mark.parametrize("threshold", [0, 1.5])
def test_threshold_must_be_a_correlation(threshold):
    with pytest.raises(ValueError, match="threshold"):
        correlated_pairs(np.eye(3), threshold)
