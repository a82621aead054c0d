"""Images from files, with the package's one loader."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, Transform

from monai_gan_aug.io.reading import read_image
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = [
    "LoadMedicalImage",
    "LoadMedicalImageD",
    "LoadMedicalImageDict",
    "LoadMedicalImaged",
]


class LoadMedicalImage(Transform):
    """Array of shape ``(C, H, W)`` from the path of an image, by content and without a fallback.

    Args:
        recipe: Preprocessing to apply; without one, pixels keep the units of the file.
        root: Folder that relative paths start from and that messages name files relative to.
        allow_raw: See :func:`monai_gan_aug.io.reading.read_image`.
        allow_no_preamble: See :func:`monai_gan_aug.io.reading.read_image`.
    """

    def __init__(
        self,
        recipe: PreprocessingRecipe | None = None,
        root: str | Path | None = None,
        allow_raw: bool = False,
        allow_no_preamble: bool = False,
    ) -> None:
        self.recipe = recipe
        self.root = root
        self.allow_raw = allow_raw
        self.allow_no_preamble = allow_no_preamble

    def __call__(self, path: str | Path) -> npt.NDArray[np.generic]:
        """Load ``path``.

        Raises:
            ImageReadError: If the file cannot be read.
            DataError: If the recipe does not fit the image.
        """
        image = read_image(
            path if self.root is None else Path(self.root) / path,
            root=self.root,
            allow_raw=self.allow_raw,
            allow_no_preamble=self.allow_no_preamble,
            target_size=None if self.recipe is None else self.recipe.size,
        )
        return image.pixels if self.recipe is None else self.recipe(image)


class LoadMedicalImaged(MapTransform):
    """Dictionary-based wrapper of :class:`LoadMedicalImage`: paths become arrays.

    Args:
        keys: Keys of the paths.
        recipe: See :class:`LoadMedicalImage`.
        root: See :class:`LoadMedicalImage`.
        allow_raw: See :class:`LoadMedicalImage`.
        allow_no_preamble: See :class:`LoadMedicalImage`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        recipe: PreprocessingRecipe | None = None,
        root: str | Path | None = None,
        allow_raw: bool = False,
        allow_no_preamble: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.load = LoadMedicalImage(recipe, root, allow_raw, allow_no_preamble)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key loaded."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.load(out[key])
        return out


LoadMedicalImageD = LoadMedicalImageDict = LoadMedicalImaged
