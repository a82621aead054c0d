"""Data sets that read whole batches from the image cache: real patients and synthetic images."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from monai_gan_aug.data.cache import ImageCache, OnError
from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.frames import Plane, frame_name
from monai_gan_aug.io.reading import list_frames, read_image
from monai_gan_aug.io.walking import walk_images
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.datalist import Datalist, Entry
from monai_gan_aug.records.provenance import SyntheticDatalist, SyntheticEntry, TrainingRecord
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["CachedImages", "SyntheticImages", "UnlabelledImages"]

NO_CLASS = -1
"""Target of an image whose class nobody knows: no loss and no embedding takes it."""

logger = logging.getLogger(__name__)


class _BatchedImages(Dataset[dict[DataKeys, torch.Tensor]]):
    """Images of one cache with a class each."""

    recipe: PreprocessingRecipe
    label_names: tuple[str, ...]
    ids: list[str]
    targets: np.ndarray
    cache: ImageCache
    _rows: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[DataKeys, torch.Tensor]:
        """One image ``(C, H, W)``, as stored in the cache, and its scalar label."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"`index` must be below {len(self)}, got {index}.")
        return {key: value[0] for key, value in self.batch(np.array([index])).items()}

    def batch(self, indices: np.ndarray | Sequence[int]) -> dict[DataKeys, torch.Tensor]:
        """Images ``(B, C, H, W)``, ``uint8`` or ``uint16``, and labels ``(B,)``, ``int64``."""
        indices = np.asarray(indices, dtype=np.int64)
        return {
            DataKeys.IMAGE: torch.from_numpy(self.cache.gather(self._rows[indices])),
            DataKeys.LABEL: torch.from_numpy(self.targets[indices]),
        }


class CachedImages(_BatchedImages):
    """The images of one split, preprocessed and cached.

    Args:
        datalist: A datalist or its path.
        dataset_dir: Data root that the datalist's paths are relative to.
        recipe: Preprocessing.
        cache_dir: Where caches live; see :class:`monai_gan_aug.data.cache.ImageCache`.
        split: ``"training"``, ``"validation"`` or ``"test"``.
        labels: Keep only these classes; the position in this list becomes the label.
        workers: Decoding processes for the first use; ``None`` for one per core.
        on_error: What a bad image does: ``"raise"`` or ``"skip"``.
        max_bad_fraction: With ``"skip"``, the largest part of the images that may be bad.
        progress: Whether to show a progress bar while the cache is filled.

    Attributes:
        targets: Labels, ``int64`` of shape ``(N,)``; -1 for an image whose class nobody knows,
            which no loss takes for a class.
        ids: Content ids, by index.
        groups: Patient hashes, by index.
        label_names: Class names, by label.
        datalist: The whole datalist, all classes.

    Raises:
        DataError: If a class is unknown or the split holds none of the images asked for.
    """

    def __init__(
        self,
        datalist: Datalist | Path | str,
        dataset_dir: Path | str,
        recipe: PreprocessingRecipe,
        cache_dir: Path | str,
        *,
        split: str = "training",
        labels: Sequence[str] | None = None,
        workers: int | None = None,
        on_error: OnError = "raise",
        max_bad_fraction: float = 0.02,
        progress: bool = True,
    ) -> None:
        self.datalist = (
            datalist if isinstance(datalist, Datalist) else Datalist.load(Path(datalist))
        )
        self.recipe = recipe
        self.split = split
        self.label_names = self._chosen_labels(labels)
        position: dict[int | None, int] = {
            self.datalist.labels.index(name): new for new, name in enumerate(self.label_names)
        }
        if not labels:
            position[None] = NO_CLASS
        entries = [e for e in self.datalist.entries(split) if e.label in position]
        if not entries:
            raise DataError(
                f"The {split} split has no image of {list(self.label_names)}: it holds "
                f"{self.datalist.counts(split)}."
            )
        self.cache = ImageCache.build(
            entries,
            Path(dataset_dir),
            recipe,
            Path(cache_dir),
            workers=workers,
            progress=progress,
            on_error=on_error,
            max_bad_fraction=max_bad_fraction,
        )
        self._index([e for e in entries if e.name not in self.cache.skipped], position)

    def _chosen_labels(self, labels: Sequence[str] | None) -> tuple[str, ...]:
        if not labels:
            return self.datalist.labels
        if isinstance(labels, str):
            labels = [labels]
        unknown = [name for name in labels if name not in self.datalist.labels]
        if unknown or len(set(labels)) < len(labels):
            raise DataError(
                f"`labels` must name different classes of {list(self.datalist.labels)}, got "
                f"{list(labels)}."
            )
        return tuple(labels)

    def _index(self, entries: list[Entry], position: dict[int | None, int]) -> None:
        self.ids = [entry.id for entry in entries]
        self.groups = [entry.group for entry in entries]
        self.targets = np.array([position[entry.label] for entry in entries], dtype=np.int64)
        self._rows = self.cache.rows(self.ids)

    def training_record(self) -> TrainingRecord:
        """What a network that learns from these images has seen, for its checkpoint."""
        return TrainingRecord(
            split_sha256=self.datalist.sha256,
            key_fingerprint=self.datalist.split.key_fingerprint,
            groups=tuple(sorted(set(self.groups))),
            ids=tuple(sorted(set(self.ids))),
            labels=self.label_names,
            recipe=self.recipe.to_dict(),
        )


class SyntheticImages(_BatchedImages):
    """Generated images of one or several synthetic datalists, preprocessed and cached.

    Args:
        datalist: A synthetic datalist's path, or several (which must name the same classes);
            image paths are relative to the folder of their datalist. An empty list is an empty
            data set.
        recipe: Preprocessing.
        cache_dir: Where caches live.
        workers: Decoding processes for the first use; ``None`` for one per core.
        progress: Whether to show a progress bar while the cache is filled.

    Attributes:
        lists: The synthetic datalists, in order.
        know_classes: Whether all labels mean something.

    Raises:
        ProvenanceError: If a list carries no complete provenance or was edited.
        DataError: If the lists name different classes.
    """

    def __init__(
        self,
        datalist: Path | str | Sequence[Path | str],
        recipe: PreprocessingRecipe,
        cache_dir: Path | str,
        *,
        workers: int | None = None,
        progress: bool = True,
    ) -> None:
        paths = [datalist] if isinstance(datalist, str | Path) else list(datalist)
        self.lists = tuple(SyntheticDatalist.load(Path(path)) for path in paths)
        self.recipe = recipe
        self.label_names = self.lists[0].labels if self.lists else ()
        self.know_classes = all(synthetic.knows_classes for synthetic in self.lists)
        if any(synthetic.labels != self.label_names for synthetic in self.lists):
            named = [list(synthetic.labels) for synthetic in self.lists]
            raise DataError(
                f"The synthetic datalists name different classes, {named}: generate them from one "
                "datalist."
            )
        caches = [
            ImageCache.build(
                synthetic.training,
                Path(path).parent,
                recipe,
                Path(cache_dir),
                workers=workers,
                progress=progress,
            )
            for path, synthetic in zip(paths, self.lists, strict=True)
        ]
        self._index([entry for synthetic in self.lists for entry in synthetic.training], caches)

    def _index(self, entries: list[SyntheticEntry], caches: list[ImageCache]) -> None:
        self.ids = [entry.id for entry in entries]
        self.targets = np.array([entry.label for entry in entries], dtype=np.int64)
        if caches:
            self.cache = ImageCache.union(caches)
            self._rows = self.cache.rows(self.ids)

    @property
    def synthetic(self) -> SyntheticDatalist:
        """The synthetic datalist, if there is exactly one.

        Raises:
            DataError: If there are none or several; use ``lists``.
        """
        if len(self.lists) != 1:
            raise DataError(
                f"There are {len(self.lists)} synthetic datalists, not one: use `lists`."
            )
        return self.lists[0]


class UnlabelledImages(Dataset[dict[DataKeys, torch.Tensor]]):
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
        files = sorted(file.name.as_posix() for file in walk_images(self.folder))
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
