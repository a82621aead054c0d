"""The grids a report shows: training images and synthetic images of one class, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.engines.grids import tile_images
from monai_gan_aug.io.png import write_png
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.datalist import Datalist
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
) -> list[dict[str, Any]]:
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
        One row per class: ``seed``, ``label``, ``real`` (or nothing), ``synthetic``.
    """
    real = CachedImages(datalist, dataset_dir, recipe, cache_dir)
    fake = SyntheticImages(list(synthetic), recipe, cache_dir)
    rows = []
    for label, name in enumerate(datalist.labels):
        row: dict[str, Any] = {"seed": seed, "label": name, "real": None}
        sources: Mapping[str, Any] = (
            {"real": real, "synthetic": fake} if show_real else {"synthetic": fake}
        )
        for kind, images in sources.items():
            relative = f"figures/{prefix}{kind}_{seed}_{label}.png"
            write_png(folder / relative, _draw(images, label, seed, count))
            row[kind] = relative
        rows.append(row)
    return rows


def _draw(images: CachedImages | SyntheticImages, label: int, seed: int, count: int) -> np.ndarray:
    positions = np.flatnonzero(images.targets == label)
    chosen = np.random.default_rng(seed).permutation(positions)[:count]
    return tile_images(to_signed(images.batch(chosen)[DataKeys.IMAGE]), COLUMNS, gap=2)
