"""A few small images of two classes for the bundles to run on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.drawing import draw_datalist, draw_noise


@pytest.fixture(scope="package")
def write_data() -> Callable[..., dict[str, str]]:
    """Write noise images and their datalist into a folder; return knobs that point at them."""

    def write(
        folder: Path, *, shape: tuple[int, int, int] = (1, 32, 32), **counts: int
    ) -> dict[str, str]:
        channels, *size = shape
        datalist = draw_datalist(
            folder, lambda path, seed: draw_noise(path, seed, tuple(size), channels), **counts
        )
        return {
            "dataset_dir": str(folder),
            "datalist": str(datalist),
            "cache_dir": str(folder / "cache"),
            "device": "cpu",
        }

    return write
