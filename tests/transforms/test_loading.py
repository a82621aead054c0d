"""Loading transforms."""

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.png import write_png
from monai_gan_aug.transforms.loading import LoadMedicalImage, LoadMedicalImaged
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from monai_gan_aug.transforms.shape import Letterboxd

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


@pytest.fixture
def flat_slice(tmp_path):
    """A NIfTI slice whose pixels are 3 mm high and 1.5 mm wide."""
    values = np.random.default_rng(0).normal(size=(10, 12, 1)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1.5, 3.0, 2.0, 1.0])), tmp_path / "1.nii")
    return tmp_path / "1.nii"


def test_spacing_becomes_the_affine(flat_slice):
    image = LoadMedicalImage(track_meta=True)(flat_slice)
    assert isinstance(image, MetaTensor)
    assert image.shape == (1, 12, 10)
    assert image.affine.diagonal().tolist() == [3.0, 1.5, 1.0, 1.0]
    assert set(image.meta) <= {"affine", "space"}
    np.testing.assert_array_equal(image.numpy(), LoadMedicalImage()(flat_slice))


@pytest.mark.parametrize("fit", ["letterbox", "stretch", "crop"])
def test_recipe_keeps_the_affine_true(flat_slice, fit):
    image = LoadMedicalImage(PreprocessingRecipe(size=8, fit=fit), track_meta=True)(flat_slice)
    spacing = image.affine.diagonal()[:2].tolist()
    if fit != "stretch":
        assert spacing[0] == pytest.approx(spacing[1], rel=0.15)
    middle = (image.affine @ torch.tensor([3.5, 3.5, 0.0, 1.0]).double()).tolist()
    # An odd padding is half a pixel of the result off the middle, an odd cut half one of the file.
    assert middle[0] == pytest.approx(3.0 * 5.5, abs=0.51 * max(3.0, spacing[0]))
    assert middle[1] == pytest.approx(1.5 * 4.5, abs=0.51 * max(1.5, spacing[1]))


def test_file_without_spacing_counts_in_pixels(root):
    recipe = PreprocessingRecipe(size=4)
    image = LoadMedicalImage(recipe, root, track_meta=True)("a/1.png")
    assert image.dtype == torch.uint8
    assert image.affine.diagonal().tolist() == [2.0, 2.0, 1.0, 1.0]


def test_pipeline_from_the_file_is_inverted(flat_slice):
    preprocess = Compose([LoadMedicalImaged("image", track_meta=True), Letterboxd("image", 24)])
    back = preprocess.inverse(preprocess({"image": flat_slice}))["image"]
    assert back.shape == (1, 12, 10)
    assert back.affine.diagonal().tolist() == [3.0, 1.5, 1.0, 1.0]
