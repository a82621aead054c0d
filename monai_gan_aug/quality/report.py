"""Quality of synthetic sets, each number beside the same number of real against real."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.image_sets import ImageSet, load_set, matched
from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.features import ClassifierFeatures, extract
from monai_gan_aug.metrics.radiomics import RadiomicsFeatures
from monai_gan_aug.quality.families import (
    Quartet,
    distances,
    diversities,
    label_fidelity,
    paired_similarities,
    radiomics,
)
from monai_gan_aug.quality.label_classifier import kept_label_classifier, trained_label_classifier
from monai_gan_aug.records.provenance import check_chain
from monai_gan_aug.records.quality import QualityFile, QualityRow
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["FAMILIES", "QualityReport", "synthetic_sets"]

logger = logging.getLogger(__name__)
FAMILIES = ("distances", "radiomics", "diversity", "labels", "pairs")
Paths = str | Path | Sequence[str | Path]


def synthetic_sets(
    synthetic: Paths | Mapping[str, Paths], recipe: PreprocessingRecipe, cache_dir: str | Path
) -> dict[str, SyntheticImages]:
    """Open one synthetic set, or several by name.

    Args:
        synthetic: Path of a synthetic datalist, several that make one set together, or a mapping
            from names to either.
        recipe: Preprocessing.
        cache_dir: Where decoded images lie.

    Returns:
        Sets by name; a set without a name is called ``""``.

    Raises:
        DataError: If there is none, or one has no datalist.
    """
    named = synthetic if isinstance(synthetic, Mapping) else {"": synthetic}
    sets = {name: SyntheticImages(paths, recipe, cache_dir) for name, paths in named.items()}
    if not sets or not all(images.lists for images in sets.values()):
        raise DataError("`synthetic` names no synthetic datalist: generate one first.")
    return sets


@dataclass
class QualityReport:
    """Compare synthetic sets with real images, over all classes and for each.

    All sets are thinned to the same number of images per class, so that numbers that depend on
    it can be compared with their baseline and with each other
    (:func:`~monai_gan_aug.data.image_sets.matched`).

    Args:
        training: Images the generators were trained on.
        held_out: Real images of other patients, which the synthetic ones are compared with.
        baseline: Real images of yet other patients, compared with ``held_out`` in the same way.
            (Training images will not do: the classifier that gives the features knows them.)
        synthetic: See :func:`synthetic_sets`.
        path: Where ``quality.json`` goes.
        cache_dir: Where decoded images lie.
        extractor: Images ``(B, C, H, W)`` to features ``(B, F)``, with ``recipe``; a classifier
            trained on the training images if not given.
        families: Which of :data:`FAMILIES` to compute.
        pairing: Partners of the paired measures, ``"random"`` or ``"nearest"``.
        classifier_steps: Optimiser steps of every classifier that is trained here.
        batch_size: Images per forward pass.
        maximum: Largest number of images per set; more are thinned at random.
        seed: Seed of the thinning.
        device: Device of the extractor.

    Raises:
        ValueError: If a family is unknown.
    """

    training: CachedImages
    held_out: CachedImages
    baseline: CachedImages
    synthetic: Paths | Mapping[str, Paths]
    path: str | Path
    cache_dir: str | Path
    extractor: nn.Module | None = None
    families: Sequence[str] = FAMILIES
    pairing: str = "random"
    classifier_steps: int = 300
    batch_size: int = 256
    maximum: int = 2000
    seed: int = 0
    device: Any = "cpu"

    def __post_init__(self) -> None:
        unknown = sorted(set(self.families) - set(FAMILIES))
        if unknown:
            raise ValueError(f"`families` {unknown} are unknown: choose from {list(FAMILIES)}.")

    def run(self) -> tuple[QualityRow, ...]:
        """Compute, write and return the rows; those of sets given by name carry it as ``set``.

        Raises:
            ProvenanceError: If a generator saw held-out patients.
            DataError: If there are no synthetic images.
        """
        sources = synthetic_sets(self.synthetic, self.training.recipe, self.cache_dir)
        for source in sources.values():
            for datalist in source.lists:
                check_chain(self.training.datalist, datalist)
        whole = self._load(self.training)
        classes = len(self.training.label_names)
        self._of_real = self._classifier_of_real(whole, classes)
        sets = {name: self._load(source) for name, source in sources.items()}
        sets |= {HELD_OUT: self._load(self.held_out), BASELINE: self._load(self.baseline)}
        names: tuple[str, ...] = tuple(self.training.label_names)
        if not all(source.know_classes for source in sources.values()):
            logger.info("A GAN drew images without a class: all classes are compared together.")
            whole, names = whole.without_classes(), ()
            sets = {name: images.without_classes() for name, images in sets.items()}
        held_out, thinned = matched(sets.pop(HELD_OUT), sets, classes, self.seed)
        named = isinstance(self.synthetic, Mapping)
        rows: list[QualityRow] = []
        for name in sources:
            four = Quartet(whole, held_out, thinned[BASELINE], thinned[name])
            rows += [replace(row, set=name if named else None) for row in self._rows(four, names)]
        record = QualityFile(tuple(rows))
        record.save(self.path)
        _log(rows)
        return record.rows

    def _classifier_of_real(self, images: ImageSet, classes: int) -> ClassifierFeatures | None:
        """What gives features and calls labels, if needed: at large sizes it takes minutes."""
        needed = "labels" in self.families or (self._of_features and self.extractor is None)
        if not needed:
            return None
        return kept_label_classifier(images, classes, self.classifier_steps, Path(self.cache_dir))

    @property
    def _of_features(self) -> bool:
        return "distances" in self.families or "diversity" in self.families

    def _load(self, source: CachedImages | SyntheticImages) -> ImageSet:
        return load_set(source, self.maximum, self.seed)

    def _embed(self, images: Tensor) -> Tensor:
        extractor = self.extractor or self._of_real
        if extractor is None:
            raise RuntimeError("Features were asked for, but no classifier was trained.")
        return extract(extractor, images, device=self.device, batch_size=self.batch_size)

    def _rows(self, four: Quartet, names: tuple[str, ...]) -> Iterator[QualityRow]:
        """Rows of all classes together, then of each, with their whole recipes."""
        recipe = {"image": self.training.recipe.to_dict()}
        whole = four.embedded(self._embed) if self._of_features else four
        texture = self._texture(four)
        yield from (_with(row, recipe) for row in self._family_rows(whole, texture))
        yield from (_with(row, recipe) for row in self._label_rows(four, names))
        for label, name in enumerate(names):
            parts = whole.of_class(label), texture.of_class(label)
            if min(parts[0].sizes.values()) >= 2:
                rows = self._family_rows(*parts)
                yield from (_with(row, recipe, name) for row in rows)

    def _texture(self, four: Quartet) -> Quartet:
        """With features of shape and texture, which take long, if they are wanted."""
        wanted = "radiomics" in self.families
        return four.embedded(RadiomicsFeatures(), floor=0.01) if wanted else four

    def _family_rows(self, four: Quartet, texture: Quartet) -> Iterator[QualityRow]:
        extractor = self.extractor or self._of_real
        features = {**getattr(extractor, "recipe", {}), **STANDARDISED, **four.sizes}
        if "distances" in self.families:
            yield from (_with(row, features) for row in distances(four))
        if "radiomics" in self.families:
            method = {**RadiomicsFeatures().recipe, **STANDARDISED, **four.sizes}
            yield from (_with(row, method) for row in radiomics(texture))
        if "diversity" in self.families:
            for row in diversities(four):
                of_pixels = row.metric.startswith("pairwise")
                yield _with(row, four.sizes if of_pixels else features)
        if "pairs" in self.families:
            rows, left_out = paired_similarities(four, self.pairing, self.seed)
            for reason in left_out:
                logger.info("Left out: %s", reason)
            yield from (_with(row, four.sizes) for row in rows)

    def _label_rows(self, four: Quartet, names: tuple[str, ...]) -> Iterator[QualityRow]:
        if "labels" not in self.families or self._of_real is None or not names:
            return
        if min(four.synthetic.counts(len(names))) > 0:
            of_synthetic = trained_label_classifier(
                four.synthetic, len(names), self.classifier_steps
            )
            rows = label_fidelity(four, self._of_real, of_synthetic, names)
            yield from (_with(row, four.sizes) for row in rows)


def _log(rows: Sequence[QualityRow]) -> None:
    for row in rows:
        logger.log(
            logging.INFO if row.label is None else logging.DEBUG,
            "%-18s %-20s %9.4f   (real versus real %9.4f)",
            row.metric,
            row.label or "all classes",
            row.value,
            row.real_versus_real,
        )


HELD_OUT, BASELINE = "\0held out", "\0baseline"
STANDARDISED = {"standardised": "by mean and deviation of the baseline images"}


def _with(row: QualityRow, recipe: Mapping[str, object], label: str | None = None) -> QualityRow:
    return replace(row, recipe={**recipe, **row.recipe}, label=row.label or label)
