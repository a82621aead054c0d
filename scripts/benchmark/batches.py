"""Speed of batches: the image cache beside MONAI's data sets, and augmentation by batch or item.

OMP_NUM_THREADS=1 python scripts/benchmark/batches.py
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from comparison import compare, print_heading
from monai.data import CacheDataset, DataLoader, PersistentDataset
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    LoadImaged,
    RandAdjustContrast,
    RandAffine,
    RandFlip,
    RandGaussianNoise,
    ScaleIntensityd,
)
from PIL import Image

from monai_gan_aug.augmentation.classical import ClassicalAugmentation
from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.records.datalist import Entry
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

BATCH = 64


def compare_loading(folder: Path, count: int) -> None:
    """One epoch of random batches from each source, everything decoded before."""
    draw = np.random.default_rng(0)
    entries = []
    for number in range(count):
        path = folder / f"{number}.png"
        Image.fromarray(draw.integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
        entries.append(Entry(path.name, number % 2, "g", content_id(path)))
    recipe = PreprocessingRecipe(size=64)
    cache = ImageCache.build(entries, folder, recipe, folder / "cache", progress=False)
    rows = cache.rows(entry.id for entry in entries)
    items = [{"image": str(folder / e.image), "label": e.label} for e in entries]
    steps = Compose([LoadImaged("image"), EnsureChannelFirstd("image"), ScaleIntensityd("image")])
    cached = DataLoader(CacheDataset(items, steps, progress=False), BATCH, shuffle=True)
    stored = DataLoader(PersistentDataset(items, steps, folder / "stored"), BATCH, shuffle=True)

    def ours() -> None:
        for chosen in np.array_split(draw.permutation(rows), count // BATCH):
            torch.from_numpy(cache.gather(chosen)).float().mul_(2 / 255).sub_(1)

    ways = {
        "ours": ours,
        "CacheDataset + DataLoader": lambda: [batch["image"] for batch in cached],
        "PersistentDataset + DataLoader": lambda: [batch["image"] for batch in stored],
    }
    ways["PersistentDataset + DataLoader"]()
    targets = {"CacheDataset + DataLoader": 3.0, "PersistentDataset + DataLoader": 30.0}
    compare("batches of 64", ways, count, targets=targets)


def compare_augmentation(device: str) -> None:
    """A batch at once against MONAI's random transforms, image by image."""
    images = torch.rand(256, 1, 64, 64, device=device) * 2 - 1
    augment = ClassicalAugmentation("strong")
    single = Compose(
        [
            RandFlip(0.5, 0),
            RandAffine(0.9, rotate_range=0.2, translate_range=4, scale_range=0.1),
            RandAdjustContrast(0.5),
            RandGaussianNoise(0.5),
        ]
    )
    ways = {
        "ours, whole batch": lambda: augment(images),
        "MONAI, per image": lambda: [single(image) for image in images],
    }
    targets = {"MONAI, per image": 20.0}
    compare(f"augmentation on {device}", ways, len(images), targets=targets)


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print_heading()
    with tempfile.TemporaryDirectory() as name:
        compare_loading(Path(name), arguments.images)
    compare_augmentation(arguments.device)


if __name__ == "__main__":
    main()
