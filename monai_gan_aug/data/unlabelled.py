"""Images without labels, read straight from a folder: what a trained classifier is applied to."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.frames import Plane, frame_name
from monai_gan_aug.io.listing import list_frames
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.io.walking import walk_images
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["UnlabelledImages"]


class UnlabelledImages(Dataset):
    """Every image below a folder, decoded when it is asked for; nothing is cached.

    Args:
        folder: Where the images lie, in any depth. Each frame of a multi-frame file, page of a
            TIFF and slice of a volume is an image.
        recipe: Preprocessing, the same as in training.
        plane: Plane of the slices of volumes.

    Attributes:
        names: Paths relative to the folder, sorted; with the number of the frame where a file has
            several.

    Raises:
        DataError: If there is no image.
    """

    def __init__(
        self, folder: Path | str, recipe: PreprocessingRecipe, plane: Plane = "axial"
    ) -> None:
        self.folder = Path(folder)
        self.recipe = recipe
        files = sorted(found.name.as_posix() for found in walk_images(self.folder))
        self.places = [(name, frame) for name in files for frame in self._frames(name, plane)]
        self.names = [frame_name(name, frame) for name, frame in self.places]
        if not self.names:
            raise DataError("The folder holds no image: give `dataset_dir` a folder of images.")

    def _frames(self, name: str, plane: Plane) -> Iterator[int | None]:
        try:
            frames = list_frames(self.folder / name, plane=plane, root=self.folder)
        except ImageReadError:  # reading it says so again, with the name of the image
            frames = None
        yield from frames or (None,)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict[DataKeys, torch.Tensor]:
        """One image ``(C, S, S)``, ``uint8`` or ``uint16``."""
        name, frame = self.places[index]
        image = read_image(
            self.folder / name, root=self.folder, frame=frame, target_size=self.recipe.size
        )
        return {DataKeys.IMAGE: torch.from_numpy(self.recipe(image))}

    def batch(self, indices: np.ndarray) -> dict[DataKeys, torch.Tensor]:
        """Images ``(B, C, S, S)``."""
        return {DataKeys.IMAGE: torch.stack([self[int(i)][DataKeys.IMAGE] for i in indices])}
