"""Kernel distance between two sets of features (KID)."""

from torch import Tensor

__all__ = ["kernel_distance"]


def kernel_distance(real: Tensor, fake: Tensor, *, degree: int = 3) -> Tensor:
    r"""Unbiased squared maximum mean discrepancy with a polynomial kernel.

    .. math:: k(x, y) = \left( x^\top y / F + 1 \right)^d

    The estimate is unbiased, so a small negative value is valid and means the two
    sets cannot be told apart at this sample size.

    Args:
        real: Features of real images, shape ``(N, F)``, floating point.
        fake: Features of generated images, shape ``(M, F)``.
        degree: Polynomial degree :math:`d`.

    Returns:
        A scalar tensor, in squared kernel units (no absolute scale: compare only
        values that share an extractor and a sample size).

    Raises:
        ValueError: If either set has fewer than two rows or the widths differ.

    References:
        Binkowski et al., "Demystifying MMD GANs".
        https://arxiv.org/abs/1801.01401

    Example:
        >>> x = torch.eye(4)
        >>> kernel_distance(x, x).item() < 0
        True
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            "Features must have shapes (N, F) and (M, F), "
            f"got {tuple(real.shape)} and {tuple(fake.shape)}."
        )
    n, m = len(real), len(fake)
    if min(n, m) < 2:
        raise ValueError(f"Each set needs at least 2 rows to be unbiased, got N={n} and M={m}.")
    real, fake = real.double(), fake.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** degree

    def within(rows: Tensor) -> Tensor:
        values = kernel(rows, rows)
        return (values.sum() - values.diagonal().sum()) / (len(rows) * (len(rows) - 1))

    return within(real) + within(fake) - 2 * kernel(real, fake).mean()
