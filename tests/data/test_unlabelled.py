"""Images without labels."""

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.data.unlabelled import UnlabelledImages
from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

RECIPE = PreprocessingRecipe(size=8, channels=1)


def test_finds_images_in_any_depth_in_a_stable_order(tmp_path):
    for name, value in (("b/2.png", 20), ("a.png", 10), (".hidden.png", 99)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)
    images = UnlabelledImages(tmp_path, RECIPE)
    assert images.names == ["a.png", "b/2.png"]
    batch = images.batch(np.array([1, 0]))
    assert batch[DataKeys.IMAGE].shape == (2, 1, 8, 8)
    assert batch[DataKeys.IMAGE][:, 0, 0, 0].tolist() == [20, 10]


def test_refuses_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="no image"):
        UnlabelledImages(tmp_path, RECIPE)


def test_every_frame_is_an_image_named_with_its_number(tmp_path):
    frames = np.arange(4, dtype=np.uint8)[:, None, None] + np.zeros((4, 8, 8), np.uint8)
    np.save(tmp_path / "x.npy", frames)
    images = UnlabelledImages(tmp_path, PreprocessingRecipe(size=8))
    assert images.names == [f"x.npy frame {n}" for n in range(4)]
    assert [int(images[n][DataKeys.IMAGE].max()) for n in range(4)] == [0, 1, 2, 3]


def test_damaged_file_is_named_when_it_is_read(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    images = UnlabelledImages(tmp_path, PreprocessingRecipe(size=8))
    with pytest.raises(ImageReadError, match=r"x\.npy"):
        images[0]
