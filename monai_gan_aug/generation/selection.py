"""Choose among generated images, and say what the choice cost.

A filter can make every image look better and the set worse: what it loses is reported beside a
random choice of as many images from the same set, which is also written, as a control.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.image_sets import ImageSet, load_set
from monai_gan_aug.errors import DataError
from monai_gan_aug.generation.filtering import write_filtered
from monai_gan_aug.metrics.coverage import distance_matrix, local_density, neighbour_radii, prdc
from monai_gan_aug.metrics.features import ClassifierFeatures, extract
from monai_gan_aug.records.provenance import check_chain
from monai_gan_aug.records.quality import (
    ClassSelection,
    SelectionCost,
    SelectionCriteria,
    SelectionFile,
)

__all__ = ["CONTROL", "SELECTED", "Selection", "out_of_fold"]

logger = logging.getLogger(__name__)
SELECTED, CONTROL = "datalist_selected.json", "datalist_unselected.json"
NEIGHBOURS = 5


def out_of_fold(
    training: ImageSet, synthetic: ImageSet, classes: int, *, folds: int, steps: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Probability of its own class for every image, from classifiers that did not learn from it.

    Args:
        training: Real images; folds share no patient.
        synthetic: Generated images, judged by the mean of all folds' classifiers.
        classes: Number of classes.
        folds: Number of folds, at least 2.
        steps: Optimiser steps per classifier.
        seed: Seed of the folds.

    Returns:
        Of the real images, ``(N,)``, and of the generated ones, ``(M,)``.

    Raises:
        DataError: If a fold leaves a class without patients to learn from.
    """
    names = np.random.default_rng(seed).permutation(sorted(set(training.groups)))
    home = dict(zip(names.tolist(), (np.arange(len(names)) % folds).tolist(), strict=True))
    fold = np.array([home[group] for group in training.groups])
    real = torch.zeros(len(training))
    fake = torch.zeros(len(synthetic))
    for number in range(folds):
        rest, out = (np.flatnonzero(mask) for mask in (fold != number, fold == number))
        part = training.take(rest)
        if min(part.counts(classes)) == 0:
            raise DataError(f"Fold {number} leaves a class without patients: use fewer `folds`.")
        fresh = ClassifierFeatures(part.images.shape[1], classes, steps=steps, seed=number)
        classifier = fresh.fit(part.images, part.labels)
        if len(out):
            real[torch.from_numpy(out)] = _own_class(classifier, training.take(out))
        fake += _own_class(classifier, synthetic) / folds
    return real, fake


@dataclass
class Selection:
    """Keep the generated images that pass every criterion, up to a budget per class.

    With every criterion off and no budget, the new datalist holds the same images in the same
    order.

    Args:
        training: Images the generator was trained on.
        synthetic: Path of one synthetic datalist; the choice goes beside it, as
            ``datalist_selected.json`` and, chosen at random, ``datalist_unselected.json``.
        path: Where ``selection.json`` goes.
        cache_dir: Where decoded images lie.
        extractor: Images to features, for realism, diversity and coverage.
        confidence: Smallest out-of-fold probability of the intended class; 0 is off.
        realism: Smallest local density among training images of the class; 0 is off.
        diversity: Smallest distance to an image already kept, as a share of the median distance
            between neighbouring training images; 0 is off.
        budget: Images per class after the choice; the best by confidence, or at random if that is
            off. All that pass if not given.
        folds: Folds of the classifiers.
        classifier_steps: Optimiser steps of each.
        seed: Seed of every random choice.
        batch_size: Images per forward pass.
        device: Device of the extractor.

    Raises:
        ValueError: If a criterion is out of range.
    """

    training: CachedImages
    synthetic: str | Path
    path: str | Path
    cache_dir: str | Path
    extractor: nn.Module
    confidence: float = 0.0
    realism: float = 0.0
    diversity: float = 0.0
    budget: int | None = None
    folds: int = 3
    classifier_steps: int = 300
    seed: int = 0
    batch_size: int = 256
    device: Any = "cpu"

    def __post_init__(self) -> None:
        if not 0 <= self.confidence < 1 or min(self.realism, self.diversity) < 0:
            raise ValueError(
                "`confidence` must be in [0, 1), `realism` and `diversity` not negative, got "
                f"{self.confidence}, {self.realism} and {self.diversity}."
            )
        if self.folds < 2 or (self.budget is not None and self.budget < 1):
            raise ValueError("`folds` must be at least 2 and `budget` at least 1.")

    def run(self) -> SelectionFile:
        """Choose, write both datalists and ``selection.json``, and return the latter.

        Raises:
            ProvenanceError: If the generator saw held-out patients.
            DataError: If too few images pass for the budget.
        """
        path = Path(self.synthetic)
        source = SyntheticImages(path, self.training.recipe, self.cache_dir)
        for one in source.lists:
            one.require_classes()
        check_chain(self.training.datalist, source.synthetic)
        real, fake = (load_set(one, 10**9, self.seed) for one in (self.training, source))
        sure = self._confidences(real, fake)
        rows, kept, control = [], [], []
        for label in sorted(set(fake.labels.tolist())):
            row, chosen, at_random = self._choose(label, real, fake, sure)
            rows.append(row)
            kept.append(chosen)
            control.append(at_random)
        criteria = SelectionCriteria(self.confidence, self.realism, self.diversity, self.budget)
        record = SelectionFile(criteria, tuple(rows))
        record.save(self.path)
        for name, positions in ((SELECTED, kept), (CONTROL, control)):
            ids = {fake.ids[i] for i in np.concatenate(positions)}
            what = asdict(criteria) if name == SELECTED else {"random": "as many as were selected"}
            write_filtered(path, name, ids, {"selection": what, "seed": self.seed})
        return record

    def _confidences(self, real: ImageSet, fake: ImageSet) -> tuple[Tensor, Tensor] | None:
        if self.confidence == 0:
            return None
        return out_of_fold(
            real,
            fake,
            len(self.training.label_names),
            folds=self.folds,
            steps=self.classifier_steps,
            seed=self.seed,
        )

    def _choose(
        self, label: int, real: ImageSet, fake: ImageSet, sure: tuple[Tensor, Tensor] | None
    ) -> tuple[ClassSelection, NDArray[np.int64], NDArray[np.int64]]:
        """One class: its row of the report, the positions chosen, and as many at random."""
        where = np.flatnonzero(fake.labels.numpy() == label)
        own, others = (self._embed(one.of_class(label)) for one in (real, fake))
        order = np.random.default_rng([self.seed, label]).permutation(len(where))
        passed = {"confidence": np.ones(len(where), bool)}
        accepted_real = 1.0
        if sure is not None:
            values = sure[1][torch.from_numpy(where)].numpy()
            order = order[np.argsort(-values[order], kind="stable")]
            passed["confidence"] = values >= self.confidence
            mine = sure[0][real.labels == label]
            accepted_real = float((mine >= self.confidence).float().mean())
        if self.realism > 0:
            dense = local_density(own, others, NEIGHBOURS).numpy()
            passed["realism"] = dense >= self.realism
        good = np.logical_and.reduce(list(passed.values()))
        if self.diversity > 0:
            apart = self.diversity * float(neighbour_radii(own, 1).median())
            passed["diversity"] = _spread_out(others, order[good[order]], apart)
            good &= passed["diversity"]
        kept = order[good[order]]
        if self.budget is not None:
            if len(kept) < self.budget:
                raise DataError(
                    f"{len(kept)} of {len(where)} images of "
                    f"{self.training.label_names[label]} pass, fewer than the budget of "
                    f"{self.budget}: generate more images, or relax the criteria."
                )
            kept = kept[: self.budget]
        draw = np.random.default_rng([self.seed, label, 1])
        control = draw.permutation(len(where))[: len(kept)]
        row = ClassSelection(
            label=self.training.label_names[label],
            generated=len(where),
            accepted=int(good.sum()),
            acceptance_rate=float(good.mean()),
            passed={name: int(mask.sum()) for name, mask in passed.items()},
            real_accepted_by_confidence=accepted_real,
            selected=len(kept),
            cost=_cost(own, others[kept], others[control]),
        )
        logger.info("%s: %d of %d selected", row.label, row.selected, row.generated)
        return row, where[kept], where[control]

    def _embed(self, images: ImageSet) -> Tensor:
        return extract(
            self.extractor, images.images, device=self.device, batch_size=self.batch_size
        )


def _cost(real: Tensor, selected: Tensor, control: Tensor) -> dict[str, SelectionCost]:
    """Coverage and recall of the choice and of as many images at random; the loss between."""
    if min(len(real), len(selected)) <= NEIGHBOURS:
        return {}
    values = [prdc(real, rows, NEIGHBOURS) for rows in (selected, control)]
    return {
        name: SelectionCost(
            selected=getattr(values[0], name),
            random=getattr(values[1], name),
            lost=getattr(values[1], name) - getattr(values[0], name),
        )
        for name in ("coverage", "recall", "precision", "density")
    }


def _spread_out(rows: Tensor, order: NDArray[np.int64], apart: float) -> NDArray[np.bool_]:
    """Go through ``order`` and keep every row that is farther than ``apart`` from all kept."""
    kept: list[int] = []
    for position in order.tolist():
        near = bool(kept) and bool(
            (distance_matrix(rows[position : position + 1], rows[kept]) <= apart).any()
        )
        if not near:
            kept.append(position)
    mask = np.zeros(len(rows), bool)
    mask[kept] = True
    return mask


def _own_class(classifier: ClassifierFeatures, images: ImageSet) -> Tensor:
    values = torch.cat([classifier.probabilities(part) for part in torch.split(images.images, 256)])
    return values[torch.arange(len(values)), images.labels]
