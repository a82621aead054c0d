"""Images that stand where synthetic ones would: controls that separate a GAN's gain from others.

A gain of generated images may come from seeing more images, from noise that regularises, or from
repeating the training images. Each of these sets offers one such cause and nothing else, in the
same place of the same batches, and passes the same check for leaks.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.loading import Batch
from monai_gan_aug.errors import DataError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.provenance import Provenance, SyntheticDatalist, SyntheticEntry

__all__ = ["EXTRA_IMAGES", "ControlImages", "ExtraImages", "LabelShuffled", "extra_images"]

ExtraImages = Literal["generated", "duplicated", "copycat", "shuffled", "pseudo"]
EXTRA_IMAGES = ("generated", "duplicated", "copycat", "shuffled", "pseudo")
SALT = 7_919
COPIES = 8


class ControlImages:
    """Real images in the place of synthetic ones: as they are, or slightly moved and noisy.

    Args:
        real: Where the images come from. What they were taken from goes into their provenance, so
            a set of held-out patients is refused like a GAN that saw them.
        kind: Recorded as the settings of the set.
        copies: Versions of every image; with one, the images are as they are. Others are what a
            generator would make that memorises: moved by up to ``shift`` and with noise of
            deviation ``noise``, always the same for the same index.
        shift: Largest movement, as a share of the image size; one pixel at least.
        noise: Standard deviation of the noise, as a share of the range of intensities.
        seed: Makes the versions.

    Attributes:
        lists: One datalist with provenance, as :class:`SyntheticImages` has.
        targets: Labels, ``int64`` of shape ``(N * copies,)``.

    Raises:
        ValueError: If ``copies`` is less than 1.
    """

    def __init__(
        self,
        real: CachedImages,
        kind: str,
        *,
        copies: int = 1,
        shift: float = 0.03,
        noise: float = 0.02,
        seed: int = 0,
    ) -> None:
        if copies < 1:
            raise ValueError(f"`copies` must be at least 1, got {copies}.")
        self.real = real
        self.recipe = real.recipe
        self.label_names = real.label_names
        self.copies = copies
        self.reach = max(1, round(shift * real.recipe.size)) if copies > 1 else 0
        self.noise = noise if copies > 1 else 0.0
        self.seed = seed
        self.ids = [id_ for _ in range(copies) for id_ in real.ids]
        self.targets = np.tile(real.targets, copies)
        self.lists = (_as_datalist(real, kind, copies, seed),)

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices: np.ndarray | Sequence[int]) -> Batch:
        """Images ``(B, C, H, W)`` of the type in the cache, and labels ``(B,)``."""
        indices = np.asarray(indices, dtype=np.int64)
        found = self.real.batch(indices % len(self.real))
        if self.copies > 1:
            pixels = found[DataKeys.IMAGE].numpy()
            moved = [self._version(one, int(i)) for one, i in zip(pixels, indices, strict=True)]
            found[DataKeys.IMAGE] = torch.from_numpy(np.stack(moved))
        return found

    def _version(self, pixels: np.ndarray, index: int) -> np.ndarray:
        """One image ``(C, H, W)``, moved (its border repeated) and noisy."""
        draw = np.random.default_rng([self.seed, SALT, index])
        reach = self.reach
        down, right = draw.integers(0, 2 * reach + 1, 2)
        padded = np.pad(pixels, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
        height, width = pixels.shape[1:]
        moved = padded[:, down : down + height, right : right + width]
        largest = np.iinfo(pixels.dtype).max
        noisy = moved + draw.normal(0, self.noise * largest, pixels.shape)
        return np.clip(np.rint(noisy), 0, largest).astype(pixels.dtype)


class LabelShuffled:
    """Synthetic images with their labels dealt out again: as many of each class, to any image.

    What such a set still gains cannot come from what the GAN knows about the classes.

    Args:
        synthetic: The images.
        seed: Makes the permutation.
    """

    def __init__(self, synthetic: SyntheticImages, *, seed: int = 0) -> None:
        self.synthetic = synthetic
        self.recipe = synthetic.recipe
        self.label_names = synthetic.label_names
        self.ids = synthetic.ids
        self.targets = np.random.default_rng([seed, SALT]).permutation(synthetic.targets)
        labels = iter(self.targets.tolist())
        self.lists = tuple(
            replace(
                one,
                training=tuple(replace(entry, label=next(labels)) for entry in one.training),
                provenance=replace(
                    one.provenance,
                    settings={**one.provenance.settings, "labels": f"shuffled, seed {seed}"},
                ),
            )
            for one in synthetic.lists
        )

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices: np.ndarray | Sequence[int]) -> Batch:
        """Images ``(B, C, H, W)`` and the labels dealt to them ``(B,)``."""
        indices = np.asarray(indices, dtype=np.int64)
        images = self.synthetic.batch(indices)[DataKeys.IMAGE]
        return {DataKeys.IMAGE: images, DataKeys.LABEL: torch.from_numpy(self.targets[indices])}


def extra_images(
    kind: ExtraImages,
    real: CachedImages,
    generated: SyntheticImages,
    pseudo: CachedImages | None = None,
    *,
    seed: int = 0,
) -> SyntheticImages | ControlImages | LabelShuffled:
    """The set that is mixed into the batches.

    Args:
        kind: ``"generated"``; ``"duplicated"``: the training images themselves; ``"copycat"``:
            slightly moved and noisy versions of them; ``"shuffled"``: the generated images with
            permuted labels; ``"pseudo"``: images whose classes were guessed.
        real: The training images.
        generated: Images of a GAN.
        pseudo: Images with guessed classes.
        seed: Makes permutations and versions.

    Raises:
        ValueError: If the kind is unknown.
        DataError: If the images it needs are not given, or a GAN drew them without a class.
    """
    if kind not in EXTRA_IMAGES:
        raise ValueError(f"`extra_images` must be one of {EXTRA_IMAGES}, got {kind!r}.")
    if kind == "duplicated":
        return ControlImages(real, kind)
    if kind == "copycat":
        return ControlImages(real, kind, copies=COPIES, seed=seed)
    if kind == "pseudo":
        if pseudo is None:
            raise DataError("There are no guessed classes: give a datalist with --pseudo.")
        return ControlImages(pseudo, kind)
    for one in generated.lists:
        one.require_classes()
    return generated if kind == "generated" else LabelShuffled(generated, seed=seed)


def _as_datalist(real: CachedImages, kind: str, copies: int, seed: int) -> SyntheticDatalist:
    pairs = zip(real.ids, real.targets.tolist(), strict=True)
    return SyntheticDatalist(
        labels=real.datalist.labels,
        training=tuple(
            SyntheticEntry(id_, real.datalist.labels.index(real.label_names[label]), id_)
            for id_, label in pairs
        ),
        provenance=Provenance(
            checkpoint_sha256=f"no checkpoint: {kind}",
            training=real.training_record(),
            seed=seed,
            settings={"mixed in": kind, "versions": copies},
        ),
        name=kind,
    )
