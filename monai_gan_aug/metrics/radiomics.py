"""First-order and texture features of images, without weights: radiomics, lightly."""

import itertools
import math

import torch
from torch import Tensor, nn

__all__ = ["RadiomicsFeatures", "cooccurrence", "first_order", "texture"]

LEVELS = 16
OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1))
DISTANCES = (1, 2)
FIRST_ORDER = (
    "mean",
    "standard deviation",
    "skewness",
    "excess kurtosis",
    "10th percentile",
    "median",
    "90th percentile",
    "interquartile range",
    "mean absolute deviation",
    "entropy",
    "uniformity",
)
TEXTURE = (
    "contrast",
    "dissimilarity",
    "homogeneity",
    "joint energy",
    "joint entropy",
    "correlation",
)


class RadiomicsFeatures(nn.Module):
    """Eleven features of the grey levels and six of their co-occurrence at one and two pixels.

    The definitions are those of the image biomarker standardisation initiative, over the whole
    image (there is no region of interest), with 16 grey levels of fixed width and co-occurrence
    averaged over four directions. Colour images are judged by the mean of their channels.

    Attributes:
        num_features: Width ``F`` of the features.

    References:
        Zwanenburg et al., "The Image Biomarker Standardization Initiative", Radiology 2020,
        https://doi.org/10.1148/radiol.2020191145; Konz et al., "Fréchet Radiomic Distance (FRD)",
        https://arxiv.org/abs/2412.01496

    Example:
        >>> RadiomicsFeatures()(torch.zeros(3, 1, 16, 16)).shape
        torch.Size([3, 23])
    """

    def __init__(self) -> None:
        super().__init__()
        self.num_features = len(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of every feature."""
        pairs = itertools.product(DISTANCES, TEXTURE)
        return (*FIRST_ORDER, *(f"{name} at {distance} px" for distance, name in pairs))

    @property
    def recipe(self) -> dict[str, int | str]:
        """What must agree for two values to be comparable."""
        return {"features": "radiomics", "grey_levels": LEVELS, "distances": "1 and 2 px"}

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)`` in ``[-1, 1]`` to features ``(B, F)``."""
        grey = ((images.mean(1) + 1) / 2).clamp(0, 1)
        parts = [first_order(grey)]
        parts += [texture(cooccurrence(grey, distance)) for distance in DISTANCES]
        return torch.cat(parts, dim=1)


def quantised(grey: Tensor) -> Tensor:
    """Grey values in ``[0, 1]`` to levels 0 to 15 of equal width."""
    return (grey * LEVELS).long().clamp(0, LEVELS - 1)


def first_order(grey: Tensor) -> Tensor:
    """The features of :data:`FIRST_ORDER`.

    Args:
        grey: Shape ``(B, H, W)`` in ``[0, 1]``.

    Returns:
        Shape ``(B, 11)``; skewness and kurtosis of a constant image are 0, as the standard says.
    """
    values = grey.flatten(1)
    mean = values.mean(1, keepdim=True)
    centred = values - mean
    variance = centred.square().mean(1)
    spread = torch.where(variance > 1e-12, variance, torch.ones_like(variance))
    quantiles = values.quantile(torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9]).to(values), dim=1)
    low, quarter, median, three_quarters, high = quantiles
    shares = nn.functional.one_hot(quantised(values), LEVELS).float().mean(1)
    flat = variance <= 1e-12
    return torch.stack(
        [
            mean[:, 0],
            variance.sqrt(),
            (centred**3).mean(1) / spread**1.5,
            ((centred**4).mean(1) / spread**2 - 3).masked_fill(flat, 0.0),
            low,
            median,
            high,
            three_quarters - quarter,
            centred.abs().mean(1),
            _entropy(shares),
            shares.square().sum(1),
        ],
        dim=1,
    )


def cooccurrence(grey: Tensor, distance: int) -> Tensor:
    """How often two levels lie ``distance`` pixels apart, symmetric, mean of four directions.

    Args:
        grey: Shape ``(B, H, W)`` in ``[0, 1]``, sides larger than ``distance``.
        distance: Offset in pixels.

    Returns:
        Shape ``(B, 16, 16)``; every matrix sums to 1.

    Raises:
        ValueError: If the images are too small.
    """
    if min(grey.shape[1:]) <= distance:
        raise ValueError(f"Images must be larger than {distance} px, got {tuple(grey.shape[1:])}.")
    levels = quantised(grey)
    batch, height, width = levels.shape
    total = torch.zeros(batch, LEVELS * LEVELS, device=grey.device)
    for down, right in OFFSETS:
        dy, dx = down * distance, right * distance
        first = levels[:, : height - dy, max(0, -dx) : width - max(0, dx)]
        second = levels[:, dy:, max(0, dx) : width + min(0, dx)]
        cells = (first * LEVELS + second).flatten(1)
        counts = torch.zeros_like(total).scatter_add_(1, cells, torch.ones_like(cells).float())
        total += counts / counts.sum(1, keepdim=True)
    matrix = total.view(batch, LEVELS, LEVELS) / len(OFFSETS)
    return (matrix + matrix.transpose(1, 2)) / 2


def texture(matrix: Tensor) -> Tensor:
    """The features of :data:`TEXTURE` of co-occurrence matrices ``(B, 16, 16)``.

    Returns:
        Shape ``(B, 6)``; the correlation of a constant image is 1.
    """
    level = torch.arange(LEVELS, device=matrix.device, dtype=matrix.dtype)
    gap = (level[:, None] - level[None, :]).abs()

    def weighted(weights: Tensor) -> Tensor:
        return (matrix * weights).sum((1, 2))

    mean = weighted(level[:, None].expand_as(gap))
    variance = weighted(level[:, None].square().expand_as(gap)) - mean.square()
    product = weighted(level[:, None] * level[None, :]) - mean.square()
    flat = variance < 1e-9
    return torch.stack(
        [
            weighted(gap.square()),
            weighted(gap),
            weighted(1 / (1 + gap.square())),
            matrix.square().sum((1, 2)),
            _entropy(matrix.flatten(1)),
            (product / variance.masked_fill(flat, 1.0)).masked_fill(flat, 1.0),
        ],
        dim=1,
    )


def _entropy(shares: Tensor) -> Tensor:
    """Entropy in bits of the rows."""
    nats: Tensor = torch.special.entr(shares).sum(1)
    return nats / math.log(2)
