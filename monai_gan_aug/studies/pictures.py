"""The grids a report shows: training images and synthetic images of one class, side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.engines.grids import tile_images
from monai_gan_aug.io.png import write_png
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.study_parts import Grid
from monai_gan_aug.transforms.intensity import to_signed
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["draw_grids"]

COLUMNS = 8


def draw_grids(
    folder: Path,
    datalist: Datalist,
    synthetic: Sequence[Path],
    *,
    dataset_dir: Path,
    recipe: PreprocessingRecipe,
    cache_dir: Path,
    seed: int,
    show_real: bool = True,
    count: int = 32,
    prefix: str = "",
) -> tuple[Grid, ...]:
    """Write one grid of real and one of synthetic images per class into ``folder/figures``.

    Args:
        folder: Folder of ``study.json``.
        datalist: Split whose training images are shown.
        synthetic: Synthetic datalists.
        dataset_dir: Root of the real images.
        recipe: Preprocessing.
        cache_dir: Where decoded images lie.
        seed: Draws the images shown; named in the result.
        show_real: Whether real training images may be shown.
        count: Images per grid at most.
        prefix: Put in front of the names of the pictures.

    Returns:
        One per class, with the paths of the pictures in ``folder``.
    """
    real = CachedImages(datalist, dataset_dir, recipe, cache_dir)
    fake = SyntheticImages(list(synthetic), recipe, cache_dir)
    grids = []
    for label, name in enumerate(datalist.labels):
        paths = {
            kind: f"figures/{prefix}{kind}_{seed}_{label}.png" for kind in ("real", "synthetic")
        }
        write_png(folder / paths["synthetic"], _draw(fake, label, seed, count))
        if show_real:
            write_png(folder / paths["real"], _draw(real, label, seed, count))
        grids.append(Grid(seed, name, paths["synthetic"], paths["real"] if show_real else None))
    return tuple(grids)


def _draw(
    images: CachedImages | SyntheticImages, label: int, seed: int, count: int
) -> NDArray[np.uint8]:
    positions = np.flatnonzero(images.targets == label)
    shown = np.random.default_rng(seed).permutation(positions)[:count]
    return tile_images(to_signed(images.batch(shown)[DataKeys.IMAGE]), COLUMNS, gap=2)
