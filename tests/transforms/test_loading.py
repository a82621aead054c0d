"""Loading transforms."""

import numpy as np
import pytest

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.png import write_png
from monai_gan_aug.transforms.loading import LoadMedicalImage, LoadMedicalImaged
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

PIXELS = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)


@pytest.fixture
def root(tmp_path):
    write_png(tmp_path / "a" / "1.png", PIXELS)
    (tmp_path / "a" / "empty.png").write_bytes(b"")
    return tmp_path


def test_pixels_keep_the_units_of_the_file(root):
    np.testing.assert_array_equal(LoadMedicalImage()(root / "a" / "1.png"), PIXELS)


def test_relative_paths_start_at_the_root(root):
    np.testing.assert_array_equal(LoadMedicalImage(root=root)("a/1.png"), PIXELS)


def test_recipe_is_applied(root):
    recipe = PreprocessingRecipe(size=4)
    got = LoadMedicalImage(recipe, root)("a/1.png")
    expected = PIXELS.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(got[0], np.rint(expected))


def test_errors_name_the_file_relative_to_the_root(root):
    with pytest.raises(ImageReadError, match=r"^a/empty\.png is empty"):
        LoadMedicalImage(root=root)("a/empty.png")


def test_dictionary_class_loads_its_keys(root):
    out = LoadMedicalImaged("image", root=root)({"image": "a/1.png", "label": 3})
    np.testing.assert_array_equal(out["image"], PIXELS)
    assert out["label"] == 3
