"""Sets of images in memory, thinned so that numbers about them can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.errors import DataError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.transforms.intensity import to_signed

__all__ = ["ImageSet", "load_set", "matched"]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with class, patient and content id.

    Args:
        images: Shape ``(N, C, H, W)`` in ``[-1, 1]``.
        labels: Shape ``(N,)``.
        groups: Patient of every image; a generated image is its own.
        ids: Content id of every image.
    """

    images: Tensor
    labels: Tensor
    groups: tuple[str, ...]
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def without_classes(self) -> "ImageSet":
        """The same images, all of one class."""
        return replace(self, labels=torch.zeros_like(self.labels))

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> "ImageSet":
        """The images at ``rows``, in that order."""
        places = torch.as_tensor(np.asarray(rows, np.int64))
        return ImageSet(
            self.images[places],
            self.labels[places],
            tuple(self.groups[i] for i in rows),
            tuple(self.ids[i] for i in rows),
        )

    def of_class(self, label: int) -> "ImageSet":
        """The images of one class."""
        return self.take(np.flatnonzero(self.labels.numpy() == label))

    def counts(self, classes: int) -> list[int]:
        """Images per class."""
        return [int((self.labels == label).sum()) for label in range(classes)]


def load_set(source: CachedImages | SyntheticImages, maximum: int, seed: int) -> ImageSet:
    """Read a data set, thinned at random to ``maximum`` images if it has more.

    Raises:
        DataError: If it holds no images.
    """
    if len(source) == 0:
        raise DataError("A set holds no images: look at the split, or generate images first.")
    rows = np.arange(len(source))
    if len(source) > maximum:
        rows = np.sort(np.random.default_rng(seed).permutation(len(source))[:maximum])
    pieces = [source.batch(piece) for piece in np.array_split(rows, -(-len(rows) // 512))]
    ids = tuple(source.ids[i] for i in rows)
    known = getattr(source, "groups", None)
    groups = tuple(known[i] for i in rows) if known is not None else ids
    images = torch.cat([to_signed(piece[DataKeys.IMAGE]) for piece in pieces])
    labels = torch.cat([piece[DataKeys.LABEL] for piece in pieces])
    return ImageSet(images, labels, groups, ids)


def matched(
    reference: ImageSet, compared: Mapping[str, ImageSet], classes: int, seed: int = 0
) -> tuple[ImageSet, dict[str, ImageSet]]:
    """Thin sets at random to the same number of images of every class.

    Most numbers about two sets depend on their sizes and on the mixture of classes. After this,
    all compared sets have the same number of images of each class, and the reference the same
    mixture. A class that one of the sets lacks is left out of all.

    Args:
        reference: The set that the others are compared with.
        compared: The other sets, by name.
        classes: Number of classes.
        seed: Seed of the choice.

    Returns:
        The reference and the compared sets.

    Raises:
        DataError: If no class is in all sets.
    """
    smallest = np.min([images.counts(classes) for images in compared.values()], axis=0)
    present = reference.counts(classes)
    wanted = np.where(np.array(present) > 0, smallest, 0)
    if wanted.sum() == 0:
        raise DataError("No class has images in every set: look at the splits and `synthetic`.")
    shares = [have / want for have, want in zip(present, wanted, strict=True) if want]
    of_reference = np.floor(min(shares) * wanted + 1e-9).astype(int)
    thinned = {name: _thin(images, wanted, seed) for name, images in compared.items()}
    return _thin(reference, np.maximum(of_reference, wanted > 0), seed), thinned


def _thin(images: ImageSet, counts: NDArray[np.int64], seed: int) -> ImageSet:
    labels, draw = images.labels.numpy(), np.random.default_rng(seed)
    rows = [
        draw.permutation(np.flatnonzero(labels == label))[:count]
        for label, count in enumerate(counts)
    ]
    return images.take(np.sort(np.concatenate(rows)))
