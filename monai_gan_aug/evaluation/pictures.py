"""The grids a report shows: training images and synthetic images of one class, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_gan_aug.data.datalist import Datalist
from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.io.png import write_png
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["draw_grids", "montage"]


def montage(images: np.ndarray, columns: int = 8, gap: int = 2) -> np.ndarray:
    """Images laid out row by row on a mid-grey ground.

    Args:
        images: Shape ``(N, C, H, W)``, unsigned integers.
        columns: Images per row.
        gap: Pixels between images.

    Returns:
        Shape ``(C, rows * (H + gap) - gap, columns * (W + gap) - gap)``.

    Raises:
        ValueError: If there is no image.

    Example:
        >>> montage(np.zeros((3, 1, 4, 4), np.uint8), columns=2, gap=1).shape
        (1, 9, 9)
    """
    if len(images) == 0:
        raise ValueError("`images` is empty: there is nothing to lay out.")
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    ground = np.iinfo(images.dtype).max // 2
    shape = (channels, rows * (height + gap) - gap, columns * (width + gap) - gap)
    canvas = np.full(shape, ground, images.dtype)
    for index, image in enumerate(images):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        canvas[:, top : top + height, left : left + width] = image
    return canvas


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
            relative = f"figures/{kind}_{seed}_{label}.png"
            write_png(folder / relative, _draw(images, label, seed, count))
            row[kind] = relative
        rows.append(row)
    return rows


def _draw(images: CachedImages | SyntheticImages, label: int, seed: int, count: int) -> np.ndarray:
    positions = np.flatnonzero(images.targets == label)
    chosen = np.random.default_rng(seed).permutation(positions)[:count]
    return montage(images.batch(chosen)[DataKeys.IMAGE].numpy())
