"""Copies of images: found, joined, and not invented."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from monai_gan_aug.data.duplicates import (
    Thumbnail,
    find_identical,
    find_near_duplicates,
    merge_groups,
)
from monai_gan_aug.errors import ImageReadError
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
    assert find_near_duplicates(listed(folder), folder, progress=False) == [(3, 20)]


def test_constant_image_is_named(folder):
    Image.new("L", (64, 64), 7).save(folder / "20.png")
    with pytest.raises(ImageReadError, match=r"20\.png has one value"):
        find_near_duplicates(listed(folder), folder, progress=False)


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
    found = find_near_duplicates(entries, root, progress=False)
    stems = {tuple(sorted(names[k][-9:-4] for k in pair)) for pair in found}
    assert pairs <= stems
    assert len(find_identical(entries)) == 1
