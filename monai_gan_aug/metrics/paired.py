"""Full-reference measures between pairs of images, through PIQA."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["PAIRED", "PairedMetric", "paired_metric", "paired_values"]

WINDOW = 11
"""Side of the Gaussian window of SSIM and MS-SSIM, in pixels."""
LEAST = 16
"""Smallest side for the measures of gradients."""


@dataclass(frozen=True)
class PairedMetric:
    """One measure of similarity between two images.

    Args:
        lower_is_better: Whether 0 is best (the deviations) or the largest value (the similarities).
        build: From channels and image side to the PIQA module, without reduction.
        least_side: Smallest side it is defined for.
        one_at_a_time: Whether a pair's value would otherwise depend on its batch.
        source: Where it was published.
    """

    lower_is_better: bool
    build: Callable[[int, int], nn.Module]
    least_side: int
    source: str
    one_at_a_time: bool = False


def paired_metric(name: str, channels: int, side: int) -> tuple[nn.Module | None, dict[str, Any]]:
    """The measure as a module, with the recipe of what it does to images of this size.

    Args:
        name: A key of :data:`PAIRED`.
        channels: 1 or 3; grey images are repeated in three channels where colour is wanted.
        side: Smaller side of the images, in pixels.

    Returns:
        The module and its recipe; no module if the images are too small, with the reason under
        ``"left_out"``.

    Raises:
        ValueError: If there is no such measure.
    """
    if name not in PAIRED:
        raise ValueError(f"Unknown measure {name!r}: choose from {list(PAIRED)}.")
    metric = PAIRED[name]
    recipe: dict[str, Any] = {"library": "PIQA", "range": "[0, 1]", "grey": "in three channels"}
    if channels != 1:
        recipe["grey"] = "none"
    if side < metric.least_side:
        return None, {"left_out": f"images of {side} px are smaller than {metric.least_side} px"}
    if name == "ms_ssim":
        recipe["scales"] = f"{scales(side)} of 5, weights rescaled to sum to one"
    if name == "haar_psi" and channels == 1:
        recipe["grey"] = "luminance only"
    if metric.one_at_a_time:
        recipe["batch"] = "one pair at a time"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return metric.build(channels, side).eval(), recipe


@torch.no_grad()
def paired_values(name: str, real: Tensor, fake: Tensor) -> Tensor:
    """The measure of every pair.

    Args:
        name: A key of :data:`PAIRED`.
        real: Shape ``(N, C, H, W)``, one or three channels, in ``[-1, 1]``.
        fake: Same shape.

    Returns:
        Shape ``(N,)``: decibels for PSNR, else a number of which 1 (similarity) or 0 (deviation)
        is the best.

    Raises:
        ValueError: If shapes differ or the images are too small for the measure.
    """
    if real.shape != fake.shape or real.ndim != 4 or real.shape[1] not in (1, 3):
        raise ValueError(
            "Pairs must have one shape (N, 1 or 3, H, W), "
            f"got {tuple(real.shape)} and {tuple(fake.shape)}."
        )
    module, recipe = paired_metric(name, real.shape[1], min(real.shape[2:]))
    if module is None:
        raise ValueError(f"{name} needs larger images: {recipe['left_out']}.")
    step = 1 if PAIRED[name].one_at_a_time else 64
    parts = zip(_unit(real).split(step), _unit(fake).split(step), strict=True)
    return torch.cat([module(a, b).reshape(-1) for a, b in parts])


def scales(side: int) -> int:
    """Halvings of MS-SSIM that leave room for the window, at most five.

    Example:
        >>> scales(161), scales(64), scales(32), scales(16)
        (5, 3, 2, 1)
    """
    count = 1
    while count < 5 and (side + 2**count - 1) // 2**count >= WINDOW:
        count += 1
    return count


def _unit(images: Tensor) -> Tensor:
    unit = ((images + 1) / 2).clamp(0, 1)
    return unit.expand(-1, 3, -1, -1) if unit.shape[1] == 1 else unit


def _piqa(name: str, **options: Any) -> nn.Module:
    import piqa  # its import compiles scripts: only when wanted

    module: nn.Module = getattr(piqa, name)(reduction="none", **options)
    return module


def _ms_ssim(channels: int, side: int) -> nn.Module:
    import piqa

    weights = piqa.MS_SSIM.WEIGHTS[: scales(side)]
    return _piqa("MS_SSIM", weights=weights / weights.sum())


PAIRED: dict[str, PairedMetric] = {
    "psnr": PairedMetric(False, lambda c, s: _piqa("PSNR"), 1, "peak signal-to-noise ratio"),
    "ssim": PairedMetric(
        False, lambda c, s: _piqa("SSIM"), WINDOW, "Wang et al. 2004, 10.1109/TIP.2003.819861"
    ),
    "ms_ssim": PairedMetric(
        False, _ms_ssim, 2 * WINDOW - 1, "Wang et al. 2003, 10.1109/ACSSC.2003.1292216"
    ),
    "gmsd": PairedMetric(
        True, lambda c, s: _piqa("GMSD"), LEAST, "Xue et al. 2013, 10.1109/TIP.2013.2293423"
    ),
    "ms_gmsd": PairedMetric(
        True, lambda c, s: _piqa("MS_GMSD"), LEAST, "Zhang et al. 2017, 10.1109/ICASSP.2017.7952357"
    ),
    "mdsi": PairedMetric(
        True,
        lambda c, s: _piqa("MDSI"),
        LEAST,
        "Nafchi et al. 2016, 10.1109/ACCESS.2016.2604042",
        one_at_a_time=True,
    ),
    "haar_psi": PairedMetric(
        False,
        lambda c, s: _piqa("HaarPSI", chromatic=c == 3),
        LEAST,
        "Reisenhofer et al. 2018, 10.1016/j.image.2017.11.001",
    ),
}
