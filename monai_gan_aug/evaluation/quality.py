"""Quality of a synthetic set, each number beside the same number of real against real."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.loading import EvaluationLoader
from monai_gan_aug.data.provenance import check_chain
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.metrics.diversity import mean_pairwise_distance
from monai_gan_aug.metrics.kernel import kernel_distance
from monai_gan_aug.transforms.intensity import to_signed

__all__ = ["QualityReport", "quality_rows"]

logger = logging.getLogger(__name__)


def quality_rows(
    training: Tensor, held_out: Tensor, synthetic: Tensor, recipe: dict[str, Any]
) -> list[dict[str, Any]]:
    """Kernel distance and diversity of a synthetic set, with their baselines.

    The kernel distance is to held-out real images; its baseline is that of the training images,
    which no generator can be expected to beat. Diversity is compared with the training images.
    All features are standardised by mean and deviation of the training images first.

    Args:
        training: Features of the generator's training images, shape ``(N, F)``.
        held_out: Features of other patients' images, shape ``(M, F)``.
        synthetic: Features of generated images, shape ``(K, F)``.
        recipe: How the features came about.

    Returns:
        One dictionary per metric: ``metric``, ``value``, ``real_versus_real``,
        ``lower_is_better``, ``recipe``.

    Raises:
        ValueError: If a set has fewer than two rows.
    """
    training, held_out, synthetic = _standardised(training, held_out, synthetic)
    sizes = {
        "training": len(training),
        "held_out": len(held_out),
        "synthetic": len(synthetic),
    }
    values = {
        "kid": (kernel_distance(held_out, synthetic), kernel_distance(held_out, training), True),
        "diversity": (
            mean_pairwise_distance(synthetic),
            mean_pairwise_distance(training),
            False,
        ),
    }
    return [
        {
            "metric": metric,
            "value": float(value),
            "real_versus_real": float(baseline),
            "lower_is_better": lower,
            "recipe": {**recipe, **sizes},
        }
        for metric, (value, baseline, lower) in values.items()
    ]


def _standardised(training: Tensor, *others: Tensor) -> list[Tensor]:
    mean, deviation = training.mean(0), training.std(0).clamp_min(1e-6)
    return [(features - mean) / deviation for features in (training, *others)]


@dataclass
class QualityReport:
    """Compare synthetic images with real ones, over all classes and for each.

    Args:
        training: Images the generator was trained on.
        held_out: Real images of other patients.
        synthetic: The synthetic images.
        extractor: Images ``(B, C, H, W)`` to features ``(B, F)``, with ``recipe``.
        path: Where ``quality.json`` goes.
        batch_size: Images per forward pass.
        maximum: Largest number of images per set; more are thinned at random.
        seed: Seed of the thinning.
        device: Device of the extractor.
    """

    training: CachedImages
    held_out: CachedImages
    synthetic: SyntheticImages
    extractor: nn.Module
    path: str | Path
    batch_size: int = 256
    maximum: int = 5000
    seed: int = 0
    device: str | torch.device = "cpu"

    def run(self) -> list[dict[str, Any]]:
        """Compute, write and return the rows.

        Raises:
            ProvenanceError: If the generator saw held-out patients.
            DataError: If there are no synthetic images.
        """
        if not self.synthetic.lists:
            raise DataError("`synthetic` names no synthetic datalist: generate one first.")
        for one in self.synthetic.lists:
            check_chain(self.training.datalist, one)
        sets = [self._features(s) for s in (self.training, self.held_out, self.synthetic)]
        recipe = {**getattr(self.extractor, "recipe", {}), "image": self.training.recipe.to_dict()}
        training, held_out, synthetic = (features for features, _ in sets)
        rows = quality_rows(training, held_out, synthetic, recipe)
        for index, name in enumerate(self.training.label_names):
            training, held_out, synthetic = (features[labels == index] for features, labels in sets)
            if min(len(training), len(held_out), len(synthetic)) >= 2:
                of_class = quality_rows(training, held_out, synthetic, recipe)
                rows += [{**row, "label": name} for row in of_class]
        write_json(Path(self.path), rows)
        for row in rows:
            logger.info(
                "%-9s %-20s %8.4f   (real versus real %8.4f)",
                row["metric"],
                row.get("label", "all classes"),
                row["value"],
                row["real_versus_real"],
            )
        return rows

    @torch.no_grad()
    def _features(self, images: CachedImages | SyntheticImages) -> tuple[Tensor, Tensor]:
        extractor = self.extractor.to(self.device).eval()
        features: list[Tensor] = []
        labels: list[Tensor] = []
        for batch in self._batches(images):
            signed = to_signed(batch[DataKeys.IMAGE].to(self.device))
            features.append(extractor(signed).cpu())
            labels.append(batch[DataKeys.LABEL])
        return torch.cat(features), torch.cat(labels)

    def _batches(
        self, images: CachedImages | SyntheticImages
    ) -> Iterable[dict[Any, Tensor]] | Sequence[dict[Any, Tensor]]:
        if len(images) <= self.maximum:
            return EvaluationLoader(images, self.batch_size)
        chosen = np.random.default_rng(self.seed).permutation(len(images))[: self.maximum]
        pieces = np.array_split(np.sort(chosen), -(-self.maximum // self.batch_size))
        return (images.batch(piece) for piece in pieces)
