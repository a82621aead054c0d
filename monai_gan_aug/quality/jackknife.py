"""Intervals by leaving out patients: for statistics that repeated images would spoil."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["jackknife_interval"]

Statistic = Callable[..., NDArray[np.float64]]


def jackknife_interval(
    statistic: Statistic,
    *groups: Sequence[str],
    blocks: int = 20,
    confidence: float = 0.95,
    seed: int = 0,
) -> NDArray[np.float64] | None:
    r"""Interval of statistics of several sets, from leaving out blocks of patients.

    A bootstrap would draw an image twice, and two equal images have distance zero: nearest
    neighbours and kernels would see copies that are not there. Leaving out a block of every set
    at once gives the sum of their variances, because the sets are independent. The interval is
    :math:`\hat\theta \pm t_{B-1} \sqrt{\tfrac{B-1}{B} \sum_b (\theta_b - \bar\theta)^2}`.

    Args:
        statistic: From the kept positions of every set to one number or several, ``(S,)``.
        *groups: Patient of every row, one sequence per set; a generated image is its own.
        blocks: Blocks of patients; fewer when a set has fewer patients.
        confidence: Nominal coverage.
        seed: Seed of the blocks.

    Returns:
        Lower and upper ends, shape ``(S, 2)``; nothing if a set has fewer than five patients.

    References:
        Kott, "The Delete-a-Group Jackknife", Journal of Official Statistics 17 (2001).

    Example:
        >>> x = np.arange(40.0)
        >>> found = jackknife_interval(lambda kept: np.array([x[kept].mean()]), list(map(str, x)))
        >>> found[0, 0] < 19.5 < found[0, 1]
        np.True_
    """
    names = [sorted(set(rows)) for rows in groups]
    count = min(blocks, *(len(one) for one in names))
    if count < 5:
        return None
    draw = np.random.default_rng(seed)
    homes = []
    for rows, one in zip(groups, names, strict=True):
        block = dict(zip(draw.permutation(one), np.arange(len(one)) % count, strict=True))
        homes.append(np.array([block[name] for name in rows]))
    whole = statistic(*(np.arange(len(rows)) for rows in groups))
    parts = np.stack(
        [statistic(*(np.flatnonzero(home != b) for home in homes)) for b in range(count)]
    )
    error = np.sqrt((count - 1) / count * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0))
    reach = stats.t(count - 1).ppf((1 + confidence) / 2) * error
    ends: NDArray[np.float64] = np.stack([whole - reach, whole + reach], axis=1)
    return ends
