"""The grids of a report hold the images they say they hold."""

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.png import write_png
from monai_gan_aug.records.datalist import Datalist, Entry, SplitRecord
from monai_gan_aug.records.provenance import (
    Provenance,
    SyntheticDatalist,
    SyntheticEntry,
    TrainingRecord,
)
from monai_gan_aug.studies.pictures import draw_grids
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

LABELS = ("dark", "bright")


@pytest.fixture
def images(tmp_path):
    """Per class four real images of one level and four synthetic ones of a level beside it."""
    entries = {"real": [], "synthetic": []}
    for kind, offset in (("real", 0), ("synthetic", 9)):
        for number in range(8):
            level = (50, 200)[number % 2] + offset
            path = tmp_path / kind / f"{number}.png"
            pixels = np.full((1, 8, 8), level, np.uint8)
            pixels[0, 0, number] += 1  # no two files are the same
            write_png(path, pixels)
            entries[kind].append((path.name, number % 2, content_id(path)))
    real = [Entry(f"real/{name}", label, f"p{id_}", id_) for name, label, id_ in entries["real"]]
    datalist = Datalist(LABELS, tuple(real), (), (), SplitRecord(0, "none"))
    record = TrainingRecord(datalist.sha256, "", (), (), LABELS)
    fake = tuple(SyntheticEntry(*item) for item in entries["synthetic"])
    SyntheticDatalist(LABELS, fake, Provenance("c", record, 0)).save(
        tmp_path / "synthetic" / "datalist.json"
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
    for row, level in zip(rows, (50, 200), strict=True):
        for kind, expected in (("real", level), ("synthetic", level + 9)):
            with Image.open(images[0] / getattr(row, kind)) as picture:
                assert np.median(np.asarray(picture)[:8, :8]) == expected


def test_real_images_are_left_out_on_request(images):
    rows = draw(images, show_real=False)
    assert {row.real for row in rows} == {None}
    assert not list((images[0] / "figures").glob("real*"))
