"""A few small images of two classes for the bundles to run on."""

import numpy as np
import pytest

from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.png import write_png
from monai_gan_aug.records.datalist import Datalist, Entry, SplitRecord


@pytest.fixture(scope="package")
def write_data():
    """Write noise images and their datalist into a folder; return knobs that point at them."""

    def write(folder, *, training, validation=0, test=0, shape=(1, 32, 32)):
        rng = np.random.default_rng(0)
        entries = []
        for index in range(training + validation + test):
            name = f"{index}.png"
            write_png(folder / name, rng.integers(0, 256, shape, dtype=np.uint8))
            entries.append(Entry(name, index % 2, f"patient {index}", content_id(folder / name)))
        Datalist(
            labels=("benign", "malignant"),
            training=tuple(entries[:training]),
            validation=tuple(entries[training : training + validation]),
            test=tuple(entries[training + validation :]),
            split=SplitRecord(seed=0, grouping="made in the test"),
        ).save(folder / "datalist.json")
        return {
            "dataset_dir": str(folder),
            "datalist": str(folder / "datalist.json"),
            "cache_dir": str(folder / "cache"),
            "device": "cpu",
        }

    return write
