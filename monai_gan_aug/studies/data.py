"""The images, patients and splits of an experiment, as all its runs see them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.data.pooling import LabelledSource, Pool
from monai_gan_aug.data.sources import Source
from monai_gan_aug.data.splitting import draw_split
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.studies.layout import StudyLayout
from monai_gan_aug.studies.pool import kept_pool
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["StudyData", "preprocessing"]

logger = logging.getLogger(__name__)


def preprocessing(knobs: Mapping[str, Any]) -> PreprocessingRecipe:
    """The recipe behind the bundles' knobs ``image_size``, ``channels``, ``windows`` and so on.

    Example:
        >>> preprocessing({"image_size": 32, "channels": 3}).size
        32
    """
    rest = dict(knobs)
    return PreprocessingRecipe(size=rest.pop("image_size"), **rest)


@dataclass(frozen=True)
class StudyData:
    """Labelled images of one folder, and how every seed splits their patients.

    Args:
        name: Short name, for folders and files.
        dataset_dir: Root of the images.
        source: Where labels and patients come from (:mod:`monai_gan_aug.data.sources`).
        image: Knobs of :class:`~monai_gan_aug.transforms.recipe.PreprocessingRecipe`, named as in
            the bundles: ``image_size``, ``channels``, ``windows``, ``fit``.
        split: Arguments of :func:`monai_gan_aug.data.splitting.draw_split`.
        classes: Classes to use, in label order; all if not given.
        group: ``"none"`` to say that there is no patient id.
        caveats: Sentences the report must carry.
        key_file: Secret key of the patient hashes; the user's own if not given.
        unlabelled: Label of images without a class (a folder, or a value in the table), which some
            arms learn from beside those of patients the split leaves out.

    Raises:
        DataError: If ``dataset_dir`` is not a folder.
    """

    name: str
    dataset_dir: str
    source: Source
    image: Mapping[str, Any]
    split: Mapping[str, Any]
    classes: Sequence[str] | None = None
    group: str | None = None
    caveats: Sequence[str] = field(default=())
    key_file: str | None = None
    unlabelled: str | None = None

    def __post_init__(self) -> None:
        if not self.dataset_dir or not Path(self.dataset_dir).is_dir():
            raise DataError("`dataset_dir` is not a folder: give it with --dataset_dir.")

    @property
    def root(self) -> Path:
        """Root of the images, absolute."""
        return Path(self.dataset_dir).resolve()

    def pool(self, layout: StudyLayout) -> Pool:
        """All images and patients; kept on disk.

        Raises:
            DataError: As :func:`monai_gan_aug.data.pooling.pool_entries` does.
        """
        images = LabelledSource(
            self.source, self.root, self.classes, self.unlabelled, self.key_file, self.group
        )
        return kept_pool(layout.pool, images)

    def splits(
        self, layout: StudyLayout, seeds: Sequence[int], training_patients: int | None = None
    ) -> dict[int, Datalist]:
        """Draw the split of every seed and write it.

        Args:
            layout: Where the experiment lies.
            seeds: One split per seed.
            training_patients: Training patients per class, instead of those of ``split``.

        Raises:
            DataError: If a class has too few patients.
        """
        pool = self.pool(layout)
        split = dict(self.split)
        if training_patients is not None:
            split["training_patients_per_class"] = training_patients
        datalists = {}
        for seed in seeds:
            datalists[seed] = draw_split(
                pool.entries,
                pool.labels,
                seed=seed,
                grouping=pool.grouping,
                key_fingerprint=pool.key_fingerprint,
                name=self.name,
                caveats=(*self.caveats, *pool.caveats),
                **split,
            )
            datalists[seed].save(layout.seed(seed).datalist)
        return datalists

    def decode(self, layout: StudyLayout, image: Mapping[str, Any] | None = None) -> None:
        """Decode every image of the pool once into the cache.

        Args:
            layout: Where the experiment lies.
            image: Knobs that replace those of ``image``.
        """
        logger.info("Decoding the images once.")
        recipe = preprocessing({**self.image, **(image or {})})
        pool = self.pool(layout)
        ImageCache.build((*pool.entries, *pool.unlabelled), self.root, recipe, layout.cache)
