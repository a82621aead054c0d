"""The grids of a report hold the images they say they hold."""

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.studies.pictures import draw_grids
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from tests.drawing import draw_datalist, save_pixels, write_synthetic_set

LABELS = ("dark", "bright")
LEVELS = (50, 200)


@pytest.fixture
def images(tmp_path):
    """Per class four real images of one level and four synthetic ones of a level beside it."""

    def draw(path, level, number):
        pixels = np.full((8, 8), level)
        pixels[0, number] += 1  # no two files are the same
        save_pixels(path, pixels)

    path = draw_datalist(
        tmp_path,
        lambda path, number: draw(path, LEVELS[number % 2], number),
        training=8,
        labels=LABELS,
        below="real/",
    )
    datalist = Datalist.load(path)
    write_synthetic_set(
        tmp_path / "synthetic",
        datalist,
        lambda path, label, number: draw(path, LEVELS[label] + 9, number),
        per_class=4,
    )
    return tmp_path, datalist


def draw(images, **more):
    folder, datalist = images
    return draw_grids(
        folder,
        datalist,
        [folder / "synthetic" / "datalist.json"],
        dataset_dir=folder,
        recipe=PreprocessingRecipe(size=8),
        cache_dir=folder / "cache",
        seed=0,
        **more,
    )


def test_every_class_shows_its_own_images(images):
    rows = draw(images)
    assert [row.label for row in rows] == list(LABELS)
    for row, level in zip(rows, LEVELS, strict=True):
        for kind, expected in (("real", level), ("synthetic", level + 9)):
            with Image.open(images[0] / getattr(row, kind)) as picture:
                assert np.median(np.asarray(picture)[:8, :8]) == expected


def test_real_images_are_left_out_on_request(images):
    rows = draw(images, show_real=False)
    assert {row.real for row in rows} == {None}
    assert not list((images[0] / "figures").glob("real*"))
