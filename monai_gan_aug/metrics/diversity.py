"""How different the images of one set are from each other."""

import torch
from torch import Tensor

from monai_gan_aug.metrics.paired import paired_values

__all__ = ["mean_pairwise_distance", "pairwise_similarity", "vendi_score"]


def mean_pairwise_distance(features: Tensor) -> Tensor:
    """Mean Euclidean distance over all pairs of different rows.

    Near zero means that the set repeats one image (mode collapse); compare with the value of
    real images, never with an absolute threshold.

    Args:
        features: Shape ``(N, F)``, floating point; pixels count as features.

    Returns:
        A scalar tensor, in the units of the features.

    Raises:
        ValueError: If there are fewer than two rows, or the shape is another.

    References:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
        used for diversity in Zhu et al., https://arxiv.org/abs/1711.11586

    Example:
        >>> mean_pairwise_distance(torch.tensor([[0.0, 0.0], [3.0, 4.0]])).item()
        5.0
    """
    _check(features)
    return torch.pdist(features.float()).mean()


def vendi_score(features: Tensor) -> Tensor:
    r"""Effective number of different images: exponential entropy of the eigenvalues of similarity.

    Likeness is :math:`\tfrac{1}{2} (1 + \cos)` of rows centred on nothing: centre or standardise
    them first with *real* images. 1 for copies of one image, N for images with nothing in common;
    it grows with N, so compare sets of one size.

    Args:
        features: Shape ``(N, F)``, floating point.

    Returns:
        A scalar tensor in ``[1, N]``.

    Raises:
        ValueError: If there are fewer than two rows, or the shape is another.

    References:
        Friedman and Dieng, "The Vendi Score". https://arxiv.org/abs/2210.02410

    Example:
        >>> round(vendi_score(torch.ones(4, 3)).item(), 4)
        1.0
    """
    _check(features)
    rows = torch.nn.functional.normalize(features.double(), dim=1)
    similarity = (1 + rows @ rows.T) / 2
    shares = torch.linalg.eigvalsh(similarity / len(rows)).clamp_min(0)
    entropy: Tensor = torch.special.entr(shares).sum()
    return entropy.exp()


def pairwise_similarity(
    images: Tensor, labels: Tensor, name: str, *, pairs: int = 500, seed: int = 0
) -> Tensor:
    """Mean MS-SSIM (or another similarity) of random pairs within a class; higher is less diverse.

    Args:
        images: Shape ``(N, C, H, W)`` in ``[-1, 1]``.
        labels: Class of every image, shape ``(N,)``; pairs are of one class, classes equally.
        name: A key of :data:`~monai_gan_aug.metrics.paired.PAIRED`.
        pairs: Pairs per class.
        seed: Seed of the draw.

    Returns:
        A scalar tensor, in the units of the measure.

    Raises:
        ValueError: If no class has two images.

    References:
        Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs", section 4.2.
        https://arxiv.org/abs/1610.09585
    """
    draw = torch.Generator().manual_seed(seed)
    values = []
    for label in labels.unique():
        rows = torch.nonzero(labels == label).flatten()
        if len(rows) < 2:
            continue
        first = torch.randint(len(rows), (pairs,), generator=draw)
        step = torch.randint(1, len(rows), (pairs,), generator=draw)
        second = (first + step) % len(rows)
        values.append(paired_values(name, images[rows[first]], images[rows[second]]).mean())
    if not values:
        raise ValueError("`labels` has no class with two images: there are no pairs.")
    return torch.stack(values).mean()


def _check(features: Tensor) -> None:
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"`features` must be of shape (N, F) with N at least 2, got {tuple(features.shape)}."
        )
