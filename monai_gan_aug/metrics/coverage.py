"""How much of one set of images another one covers: precision, recall, density, coverage."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Coverage", "local_density", "nearest_rows", "prdc"]

ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Coverage:
    """Four shares, all better when higher.

    Args:
        precision: Share of fakes inside the ball of some real image.
        recall: Share of reals inside the ball of some fake image.
        density: Mean number of real balls a fake lies in, over ``k``; about 1 for one law.
        coverage: Share of reals whose ball holds a fake.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: Tensor, fake: Tensor, k: int = 5) -> Coverage:
    """Precision, recall, density and coverage from balls around every image.

    The ball of an image reaches to its ``k``-th nearest neighbour in its own set. All four depend
    on the sizes of the sets: compare only values of equal sizes. A collapsed generator has high
    precision and low recall and coverage. Memory is that of a strip of 1,024 rows.

    Args:
        real: Features of real images, shape ``(N, F)``, floating point.
        fake: Features of generated images, shape ``(M, F)``.
        k: Neighbours, smaller than both sets.

    Returns:
        The four numbers.

    Raises:
        ValueError: If shapes differ or a set has no more than ``k`` rows.

    References:
        Kynkäänniemi et al., https://arxiv.org/abs/1904.06991 (precision, recall);
        Naeem et al., https://arxiv.org/abs/2002.09797 (density, coverage).

    Example:
        >>> x = torch.arange(8.0)[:, None]
        >>> prdc(x, x, k=2)
        Coverage(precision=1.0, recall=1.0, density=1.5, coverage=1.0)
        >>> prdc(x, x + 100, k=2).recall
        0.0
    """
    _check(real, fake, k)
    real_radii, fake_radii = neighbour_radii(real, k), neighbour_radii(fake, k)
    inside = torch.zeros(len(fake), device=real.device)
    recalled, covered = [], []
    for rows, radii in zip(real.split(ROWS_AT_ONCE), real_radii.split(ROWS_AT_ONCE), strict=True):
        distances = distance_matrix(rows, fake)
        within = distances <= radii[:, None]
        inside += within.sum(0)
        covered.append(within.any(1))
        recalled.append((distances <= fake_radii).any(1))
    return Coverage(
        precision=(inside > 0).float().mean().item(),
        recall=torch.cat(recalled).float().mean().item(),
        density=inside.mean().item() / k,
        coverage=torch.cat(covered).float().mean().item(),
    )


def local_density(real: Tensor, fake: Tensor, k: int = 5) -> Tensor:
    """For every fake, the number of real balls it lies in, over ``k``; the mean is the density.

    Args:
        real: Features of real images, shape ``(N, F)``.
        fake: Features of generated images, shape ``(M, F)``.
        k: Neighbours, smaller than the real set.

    Returns:
        Shape ``(M,)``, not negative; 0 for an image outside every ball.

    Raises:
        ValueError: If shapes differ or ``real`` has no more than ``k`` rows.
    """
    _check(real, fake, k, fake_too=False)
    radii = neighbour_radii(real, k)
    counts = torch.zeros(len(fake), device=real.device)
    for rows, reach in zip(real.split(ROWS_AT_ONCE), radii.split(ROWS_AT_ONCE), strict=True):
        counts += (distance_matrix(rows, fake) <= reach[:, None]).sum(0)
    return counts / k


def nearest_rows(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of every query to its nearest reference, and which one that is.

    Args:
        queries: Shape ``(N, F)``.
        references: Shape ``(M, F)``, at least one row.

    Returns:
        Distances and positions, both of shape ``(N,)``.

    Raises:
        ValueError: If there is no reference.
    """
    if len(references) == 0:
        raise ValueError("`references` must hold at least one row.")
    nearest = [distance_matrix(rows, references).min(1) for rows in queries.split(ROWS_AT_ONCE)]
    distances, positions = zip(*nearest, strict=True)
    return torch.cat(distances), torch.cat(positions)


def neighbour_radii(rows: Tensor, k: int) -> Tensor:
    """Distance of every row to its ``k``-th nearest other row, shape ``(N,)``."""
    return torch.cat(
        [
            distance_matrix(part, rows).kthvalue(k + 1, dim=1).values
            for part in rows.split(ROWS_AT_ONCE)
        ]
    )


def distance_matrix(rows: Tensor, others: Tensor) -> Tensor:
    """Euclidean distances, ``(N, M)``, in double precision, so that equal rows are at zero."""
    return torch.cdist(rows.double(), others.double())


def _check(real: Tensor, fake: Tensor, k: int, fake_too: bool = True) -> None:
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            "Features must have shapes (N, F) and (M, F), "
            f"got {tuple(real.shape)} and {tuple(fake.shape)}."
        )
    smallest = min(len(real), len(fake)) if fake_too else len(real)
    if not 1 <= k < smallest:
        raise ValueError(f"`k` must be at least 1 and below the {smallest} rows, got {k}.")
