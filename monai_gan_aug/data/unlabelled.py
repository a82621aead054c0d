"""Images without labels, read straight from a folder: what a trained classifier is applied to."""

from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.io.walking import walk_images
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["UnlabelledImages"]


class UnlabelledImages(Dataset):
    """Every image below a folder, decoded when it is asked for; nothing is cached.

    Args:
        folder: Where the images lie, in any depth.
        recipe: Preprocessing, the same as in training.

    Attributes:
        names: Paths relative to the folder, sorted.

    Raises:
        DataError: If there is no image.
    """

    def __init__(self, folder: Path | str, recipe: PreprocessingRecipe) -> None:
        self.folder = Path(folder)
        self.recipe = recipe
        self.names = sorted(found.name.as_posix() for found in walk_images(self.folder))
        if not self.names:
            raise DataError("The folder holds no image: give `dataset_dir` a folder of images.")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict[DataKeys, torch.Tensor]:
        """One image ``(C, S, S)``, ``uint8`` or ``uint16``."""
        image = read_image(self.folder / self.names[index], root=self.folder)
        return {DataKeys.IMAGE: torch.from_numpy(self.recipe(image))}

    def batch(self, indices: np.ndarray) -> dict[DataKeys, torch.Tensor]:
        """Images ``(B, C, S, S)``."""
        return {DataKeys.IMAGE: torch.stack([self[int(i)][DataKeys.IMAGE] for i in indices])}
