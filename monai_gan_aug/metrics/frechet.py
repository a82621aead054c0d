"""Fréchet distance between two sets of features (FID), its limit, and the memorisation penalty."""

import math

import torch
from torch import Tensor

__all__ = ["frechet_distance", "frechet_limit", "memorisation_informed"]

NEAR = 0.1
"""Mean cosine distance to the nearest real image below which copying is suspected (Bai et al.)."""


def frechet_distance(real: Tensor, fake: Tensor) -> Tensor:
    r"""Squared Fréchet distance between the normal laws fitted to two sets of features.

    .. math:: \lVert \mu_1 - \mu_2 \rVert^2
              + \operatorname{tr} \Sigma_1 + \operatorname{tr} \Sigma_2
              - 2 \lVert A_1 A_2^\top \rVert_*

    with :math:`\Sigma_i = A_i^\top A_i`. The nuclear norm is the trace of the square root of
    :math:`\Sigma_1 \Sigma_2` and stays exact, and cheap, with fewer rows than features. The
    estimate grows as sets shrink: compare only values of equal sizes (:func:`frechet_limit`).

    Args:
        real: Features of real images, shape ``(N, F)``, floating point.
        fake: Features of generated images, shape ``(M, F)``.

    Returns:
        A scalar tensor, in squared units of the features, not negative up to rounding.

    Raises:
        ValueError: If either set has fewer than two rows or the widths differ.

    References:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule". https://arxiv.org/abs/1706.08500

    Example:
        >>> x = torch.tensor([[0.0, 0.0], [2.0, 2.0]])
        >>> round(frechet_distance(x, x + 1).item(), 6)
        2.0
    """
    _check(real, fake)
    real, fake = real.double(), fake.double()
    roots = [_root(rows) for rows in (real, fake)]
    shift = (real.mean(0) - fake.mean(0)).square().sum()
    spread = sum(root.square().sum() for root in roots)
    overlap: Tensor = torch.linalg.svdvals(roots[0] @ roots[1].T).sum()
    return shift + spread - 2 * overlap


def frechet_limit(
    real: Tensor, fake: Tensor, *, points: int = 8, repeats: int = 4, seed: int = 0
) -> Tensor:
    r"""Fréchet distance extrapolated to sets without end (FID-infinity).

    The bias is linear in :math:`1 / N` once there are clearly more rows than features; both sets
    are thinned to the same shares between one half and one, and a line is fitted. With fewer
    rows than features the line is a rough guess, usually too high: prefer the kernel distance.

    Args:
        real: Features of real images, shape ``(N, F)``, at least eight rows.
        fake: Features of generated images, shape ``(M, F)``, at least eight rows.
        points: Number of shares.
        repeats: Draws per share.
        seed: Seed of the draws.

    Returns:
        A scalar tensor; negative values are possible.

    Raises:
        ValueError: If either set has fewer than eight rows or the widths differ.

    References:
        Chong and Forsyth, "Effectively Unbiased FID and Inception Score and where to find them".
        https://arxiv.org/abs/1911.07023 (there the real set is complete; here both are thinned.)
    """
    _check(real, fake, least=8)
    draw = torch.Generator().manual_seed(seed)
    inverse, values = [], []
    for share in torch.linspace(0.5, 1.0, points).tolist():
        for _ in range(repeats if share < 1 else 1):
            parts = [
                rows[torch.randperm(len(rows), generator=draw)[: max(2, round(share * len(rows)))]]
                for rows in (real, fake)
            ]
            inverse.append(1 / share)
            values.append(frechet_distance(*parts))
    design = torch.stack([torch.ones(len(inverse)), torch.tensor(inverse)], dim=1).double()
    limit: Tensor = torch.linalg.lstsq(design, torch.stack(values)[:, None]).solution[0, 0]
    return limit


def memorisation_informed(real: Tensor, fake: Tensor) -> Tensor:
    r"""Fréchet distance, divided by the distance to real images if that is too small (MIFID).

    The divisor is the mean over ``fake`` of the smallest cosine distance :math:`1 - |\cos|` to
    ``real`` where that is below :data:`NEAR`, else 1. (torchmetrics 1.9 takes the mean over
    ``real`` instead: it agrees with the roles exchanged.) Images of one kind are often all near
    each other: read it beside the same number of held-out real images.

    Args:
        real: Features of the *training* images, shape ``(N, F)``.
        fake: Features of generated images, shape ``(M, F)``.

    Returns:
        A scalar tensor, not negative up to rounding.

    Raises:
        ValueError: If either set has fewer than two rows or the widths differ.

    References:
        Bai et al., "On Training Sample Memorization: Lessons from Benchmarking Generative Modeling
        with a Large-scale Competition". https://arxiv.org/abs/2106.03062
    """
    distance = frechet_distance(real, fake)
    rows = [torch.nn.functional.normalize(part.double(), dim=1) for part in (real, fake)]
    nearest = [1 - (part @ rows[0].T).abs().amax(1) for part in rows[1].split(1024)]
    mean = torch.cat(nearest).mean()
    return distance / mean.clamp_min(1e-14) if mean < NEAR else distance


def _root(rows: Tensor) -> Tensor:
    """A matrix ``A`` of at most F rows with ``A^T A`` the covariance of the rows."""
    centred = (rows - rows.mean(0)) / math.sqrt(len(rows) - 1)
    return torch.linalg.qr(centred, mode="r").R if len(rows) > rows.shape[1] else centred


def _check(real: Tensor, fake: Tensor, least: int = 2) -> None:
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            "Features must have shapes (N, F) and (M, F), "
            f"got {tuple(real.shape)} and {tuple(fake.shape)}."
        )
    if min(len(real), len(fake)) < least:
        raise ValueError(
            f"Each set needs at least {least} rows, got N={len(real)} and M={len(fake)}."
        )
