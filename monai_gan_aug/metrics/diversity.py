"""How different the images of one set are from each other."""

import torch
from torch import Tensor

__all__ = ["mean_pairwise_distance"]


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
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"`features` must be of shape (N, F) with N at least 2, got {tuple(features.shape)}."
        )
    return torch.pdist(features.float()).mean()
