"""Images from files, with the package's one loader."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.config.type_definitions import KeysCollection, NdarrayOrTensor
from monai.data.meta_tensor import MetaTensor
from monai.transforms.transform import MapTransform, Transform

from monai_gan_aug.io.reading import read_image
from monai_gan_aug.transforms.recipe import PreprocessingRecipe, own_affine

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
        track_meta: Whether to return a MetaTensor, which the transforms after it can invert. Its
            affine holds the spacing alone, in millimetres or, where the file gives none, in widths
            of its pixels; nothing else of the file is kept.
    """

    def __init__(
        self,
        recipe: PreprocessingRecipe | None = None,
        root: str | Path | None = None,
        allow_raw: bool = False,
        allow_no_preamble: bool = False,
        *,
        track_meta: bool = False,
    ) -> None:
        self.recipe = recipe
        self.root = root
        self.allow_raw = allow_raw
        self.allow_no_preamble = allow_no_preamble
        self.track_meta = track_meta

    def __call__(self, path: str | Path) -> NdarrayOrTensor:
        """Load ``path``, as an array or, if asked for, as a MetaTensor.

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
        pixels = image.pixels if self.recipe is None else self.recipe(image)
        if not self.track_meta:
            return pixels
        affine = own_affine(image) if self.recipe is None else self.recipe.affine(image)
        return MetaTensor(torch.as_tensor(pixels), affine=torch.as_tensor(affine))


class LoadMedicalImaged(MapTransform):
    """Dictionary-based wrapper of :class:`LoadMedicalImage`: paths become arrays.

    Args:
        keys: Keys of the paths.
        recipe: See :class:`LoadMedicalImage`.
        root: See :class:`LoadMedicalImage`.
        allow_raw: See :class:`LoadMedicalImage`.
        allow_no_preamble: See :class:`LoadMedicalImage`.
        allow_missing_keys: Whether a sample may lack a key.
        track_meta: See :class:`LoadMedicalImage`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        recipe: PreprocessingRecipe | None = None,
        root: str | Path | None = None,
        allow_raw: bool = False,
        allow_no_preamble: bool = False,
        allow_missing_keys: bool = False,
        *,
        track_meta: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.load = LoadMedicalImage(
            recipe, root, allow_raw, allow_no_preamble, track_meta=track_meta
        )

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a shallow copy of ``data`` with every key loaded."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.load(out[key])
        return out


LoadMedicalImageD = LoadMedicalImageDict = LoadMedicalImaged
