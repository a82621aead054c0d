"""The families of quality numbers, each number beside the same one of real against real."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.metrics.coverage import prdc
from monai_gan_aug.metrics.diversity import (
    mean_pairwise_distance,
    pairwise_similarity,
    vendi_score,
)
from monai_gan_aug.metrics.features import ClassifierFeatures
from monai_gan_aug.metrics.frechet import frechet_distance, frechet_limit, memorisation_informed
from monai_gan_aug.metrics.kernel import kernel_distance
from monai_gan_aug.metrics.paired import PAIRED, paired_metric, paired_values
from monai_gan_aug.quality.jackknife import jackknife_interval
from monai_gan_aug.records.quality import SIZES, QualityRow

__all__ = [
    "Quartet",
    "distances",
    "diversities",
    "label_fidelity",
    "paired_similarities",
    "radiomics",
]

NEIGHBOURS = 5
LEAST_FOR_LIMIT = 16
PAIRINGS = ("random", "nearest")
LIMIT = {"extrapolated": "from half the images to all; a guess below two images per feature"}


@dataclass(frozen=True, eq=False)
class Quartet:
    """The four sets of one comparison.

    Args:
        training: Images the generator and the classifier learned from.
        held_out: Real images of other patients, which all others are compared with.
        baseline: Real images of yet other patients, in the place of the synthetic ones.
        synthetic: Generated images, as many of each class as ``baseline``.
        features: Features of the four, in this order.
    """

    training: ImageSet
    held_out: ImageSet
    baseline: ImageSet
    synthetic: ImageSet
    features: tuple[Tensor, ...] = ()

    @property
    def sets(self) -> tuple[ImageSet, ...]:
        """The four sets, in the order of the arguments."""
        return self.training, self.held_out, self.baseline, self.synthetic

    @property
    def sizes(self) -> dict[str, int]:
        """Images of each set, for the recipe."""
        return {name: len(images) for name, images in zip(SIZES, self.sets, strict=True)}

    def of_class(self, label: int) -> "Quartet":
        """The images of one class with their features."""
        masks = [images.labels == label for images in self.sets]
        features = tuple(rows[mask] for rows, mask in zip(self.features, masks, strict=False))
        training, held_out, baseline, synthetic = (images.of_class(label) for images in self.sets)
        return Quartet(training, held_out, baseline, synthetic, features)

    def embedded(self, embed: Callable[[Tensor], Tensor], floor: float | None = None) -> "Quartet":
        """The same sets with features, standardised by mean and deviation of the baseline.

        Args:
            embed: Images to features.
            floor: Smallest deviation a feature is divided by, so that one which never moves in
                the baseline does not drown the others; a tenth of the root mean square deviation
                if not given.
        """
        raw = [embed(images.images) for images in self.sets]
        mean, deviation = raw[2].mean(0), raw[2].std(0)
        least = max(floor or float(deviation.square().mean().sqrt()) / 10, 1e-6)
        rows = tuple((part - mean) / deviation.clamp_min(least) for part in raw)
        return replace(self, features=rows)


def _ends(
    intervals: NDArray[np.float64] | None, index: int = 0, *, share: bool = False
) -> tuple[float, float] | None:
    """Ends of one interval; a share cannot leave ``[0, 1]``."""
    if intervals is None:
        return None
    low, high = (float(end) for end in intervals[index])
    return (max(low, 0.0), min(high, 1.0)) if share else (low, high)


SHARES = {"precision", "recall", "coverage"}


def distances(four: Quartet) -> list[QualityRow]:
    """KID, FID, precision, recall, density and coverage against held-out images; MIFID.

    MIFID is against the training images, which are what could be copied.
    """
    training, held_out, baseline_rows, synthetic = four.features
    names = {"kid": True, "fid": True}
    if min(len(held_out), len(synthetic)) > NEIGHBOURS:
        names |= {"precision": False, "recall": False, "density": False, "coverage": False}

    def measure(real: Tensor, fake: Tensor) -> NDArray[np.float64]:
        values = [kernel_distance(real, fake).item(), frechet_distance(real, fake).item()]
        if len(names) > 2:
            shares = prdc(real, fake, min(NEIGHBOURS, len(real) - 1, len(fake) - 1))
            values += [shares.precision, shares.recall, shares.density, shares.coverage]
        return np.array(values)

    values, baseline = measure(held_out, synthetic), measure(held_out, baseline_rows)
    ends = jackknife_interval(
        lambda a, b: measure(held_out[a], synthetic[b]),
        four.held_out.groups,
        four.synthetic.groups,
    )
    rows = [
        QualityRow(
            name,
            float(values[i]),
            float(baseline[i]),
            lower,
            interval=_ends(ends, i, share=name in SHARES),
        )
        for i, (name, lower) in enumerate(names.items())
    ]
    if min(len(rows) for rows in four.features) >= LEAST_FOR_LIMIT:
        limit, real_limit = (
            frechet_limit(held_out, other).item() for other in (synthetic, baseline_rows)
        )
        rows.append(QualityRow("fid_limit", limit, real_limit, True, LIMIT))
    copied, real_copied = (
        memorisation_informed(training, other).item() for other in (synthetic, baseline_rows)
    )
    return [*rows, QualityRow("mifid", copied, real_copied, True, {"against": "training"})]


def radiomics(four: Quartet) -> list[QualityRow]:
    """Fréchet distance of first-order and texture features."""
    _, held_out, baseline_rows, synthetic = four.features
    ends = jackknife_interval(
        lambda a, b: np.array([frechet_distance(held_out[a], synthetic[b]).item()]),
        four.held_out.groups,
        four.synthetic.groups,
    )
    value, baseline = (frechet_distance(held_out, other) for other in (synthetic, baseline_rows))
    return [
        QualityRow("radiomics_distance", value.item(), baseline.item(), True, interval=_ends(ends))
    ]


def diversities(four: Quartet) -> list[QualityRow]:
    """Spread of features, Vendi score and similarity of pairs, within each class, mean of all."""
    _, _, baseline_rows, synthetic = four.features

    def measure(rows: Tensor, labels: Tensor) -> NDArray[np.float64]:
        parts = [rows[labels == label] for label in sorted(set(labels.tolist()))]
        spreads = [
            (mean_pairwise_distance(part).item(), vendi_score(part).item())
            for part in parts
            if len(part) > 1
        ]
        mean: NDArray[np.float64] = np.mean(spreads, axis=0)
        return mean

    labels = four.synthetic.labels
    values, baseline = measure(synthetic, labels), measure(baseline_rows, four.baseline.labels)
    ends = jackknife_interval(lambda a: measure(synthetic[a], labels[a]), four.synthetic.groups)
    recipe = {"within": "class"}
    rows = [
        QualityRow(name, float(values[i]), float(baseline[i]), False, recipe, _ends(ends, i))
        for i, name in enumerate(("diversity", "vendi"))
    ]
    side = min(four.synthetic.images.shape[2:])
    for name in ("ms_ssim", "ssim"):
        module, method = paired_metric(name, four.synthetic.images.shape[1], side)
        if module is not None:
            alike, real_alike = (
                pairwise_similarity(images.images, images.labels, name).item()
                for images in (four.synthetic, four.baseline)
            )
            rows.append(
                QualityRow(f"pairwise_{name}", alike, real_alike, True, {**recipe, **method})
            )
            break
    return rows


def paired_similarities(
    four: Quartet, pairing: str, seed: int = 0
) -> tuple[list[QualityRow], list[str]]:
    """PIQA's measures between every image and a held-out image of its class.

    Args:
        four: The sets.
        pairing: ``"random"``, or ``"nearest"`` by mean squared difference.
        seed: Seed of random pairs.

    Returns:
        Rows, and what was left out and why.

    Raises:
        ValueError: If ``pairing`` is unknown.
    """
    if pairing not in PAIRINGS:
        raise ValueError(f"`pairing` must be one of {PAIRINGS}, got {pairing!r}.")
    images = four.held_out.images
    partners = {
        name: _partners(four.held_out, others, pairing, seed)
        for name, others in (("fake", four.synthetic), ("real", four.baseline))
    }
    rows, left_out = [], []
    for name, metric in PAIRED.items():
        module, recipe = paired_metric(name, images.shape[1], min(images.shape[2:]))
        if module is None:
            left_out.append(f"{name}: {recipe['left_out']}")
            continue
        fake = paired_values(name, images[partners["fake"]], four.synthetic.images)
        real = paired_values(name, images[partners["real"]], four.baseline.images)
        values = fake.numpy().astype(np.float64)
        ends = jackknife_interval(
            lambda kept, values=values: np.array([values[kept].mean()]),
            [four.held_out.groups[i] for i in partners["fake"].tolist()],
        )
        recipe = {**recipe, "pairing": f"{pairing} held-out image of the class"}
        rows.append(
            QualityRow(
                name,
                float(values.mean()),
                real.mean().item(),
                metric.lower_is_better,
                recipe,
                _ends(ends),
            )
        )
    return rows, left_out


def _partners(real: ImageSet, others: ImageSet, pairing: str, seed: int) -> Tensor:
    """Position of a held-out image of the same class for every other image."""
    draw = torch.Generator().manual_seed(seed)
    partners = torch.zeros(len(others), dtype=torch.long)
    for label in sorted(set(others.labels.tolist())):
        candidates = torch.nonzero(real.labels == label).flatten()
        rows = torch.nonzero(others.labels == label).flatten()
        if pairing == "random":  # every candidate about equally often
            order = torch.randperm(len(candidates), generator=draw)
            drawn = order[torch.arange(len(rows)) % len(order)]
        else:
            gaps = torch.cdist(others.images[rows].flatten(1), real.images[candidates].flatten(1))
            drawn = gaps.argmin(1)
        partners[rows] = candidates[drawn]
    return partners


def label_fidelity(
    four: Quartet,
    of_real: ClassifierFeatures,
    of_synthetic: ClassifierFeatures,
    names: tuple[str, ...],
) -> list[QualityRow]:
    """GAN-test and GAN-train: can a classifier carry the classes from one side to the other?

    Args:
        four: The sets.
        of_real: Label classifier trained on the real training images.
        of_synthetic: Label classifier trained on the synthetic images alone.
        names: Class names.

    Returns:
        ``gan_test`` (``of_real`` on synthetic images, beside the same on held-out ones), for all
        classes and each; ``gan_train`` (``of_synthetic`` on held-out images, beside ``of_real``).
    """
    recipe = {**of_real.recipe, "value": "mean over classes of the share called right"}
    right = {
        "synthetic": _right(of_real, four.synthetic),
        "held_out": _right(of_real, four.held_out),
        "learned": _right(of_synthetic, four.held_out),
    }
    fake, real = four.synthetic.labels.numpy(), four.held_out.labels.numpy()
    rows = []
    for metric, hits, labels, groups in (
        ("gan_test", right["synthetic"], fake, four.synthetic.groups),
        ("gan_train", right["learned"], real, four.held_out.groups),
    ):
        ends = jackknife_interval(
            lambda kept, h=hits, y=labels: np.array([_mean_recall(h[kept], y[kept])]), groups
        )
        baseline = _mean_recall(right["held_out"], real)
        value = _mean_recall(hits, labels)
        rows.append(QualityRow(metric, value, baseline, False, recipe, _ends(ends, share=True)))
    for label, name in enumerate(names):
        mine, theirs = right["synthetic"][fake == label], right["held_out"][real == label]
        if len(mine) and len(theirs):
            shares = float(mine.mean()), float(theirs.mean())
            count = int(mine.sum()), len(mine)
            rows.append(QualityRow("gan_test", *shares, False, recipe, label=name, count=count))
    return rows


def _right(classifier: ClassifierFeatures, images: ImageSet) -> NDArray[np.float64]:
    parts = [classifier.probabilities(part).argmax(1) for part in torch.split(images.images, 256)]
    return (torch.cat(parts) == images.labels).double().numpy()


def _mean_recall(hits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    return float(np.mean([hits[labels == label].mean() for label in np.unique(labels)]))
