"""All pairs of vectors that correlate, exactly, in time and memory that allow for 10⁵ of them.

Every pair is looked at, but most of them in a few dimensions only: with the strongest directions of
all vectors as basis, and the length of what they leave of each vector as one coordinate more, the
product of two such sketches is never below the correlation (Cauchy and Schwarz). Only pairs whose
sketches reach the threshold are compared in full.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from monai_gan_aug.errors import DataError

__all__ = ["correlated_pairs"]

Pair = tuple[int, int]
SKETCH = 48
SAMPLE = 4096
ROUNDING = 1e-5
SAME = 1e-6
CANDIDATES_AT_ONCE = 2**13
FULL_PRODUCT_SHARE = 1 / 16
"""Share of candidates from which one product of whole blocks is quicker than pair by pair."""
MAX_PAIRS = 1_000_000


def correlated_pairs(
    vectors: npt.NDArray[np.floating],
    threshold: float,
    *,
    rows: Sequence[int] | None = None,
    block: int = 2048,
) -> list[Pair]:
    """All pairs of rows whose Pearson correlation reaches ``threshold``.

    Time grows with the square of the number of rows: about half a minute on one core for 10⁵ smooth
    images, several times as long if all of them are alike or pure noise.

    Args:
        vectors: Shape ``(N, F)``; a row of one value correlates with nothing.
        threshold: In ``(0, 1]``.
        rows: Which rows to compare, all of them if not given; pairs are positions in this list.
        block: Rows compared at a time; memory beside one copy of ``vectors`` grows with its square.

    Returns:
        Pairs ``(i, j)`` with ``i < j``, in order.

    Raises:
        ValueError: If ``threshold`` is out of its range.
        DataError: If a million pairs and more correlate, which no list could be made of.

    Example:
        >>> correlated_pairs(np.array([[0.0, 1, 2], [2, 1, 0], [1, 2, 3.001]]), 0.99)
        [(0, 2)]
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"`threshold` must lie in (0, 1], got {threshold}.")
    unit = _unit(np.array(vectors if rows is None else vectors[list(rows)], dtype=np.float32))
    sketch = _sketch(unit)
    found: list[Pair] = []
    for top in range(0, len(unit), block):
        for left in range(top, len(unit), block):
            a, b = slice(top, top + block), slice(left, left + block)
            close = sketch[a] @ sketch[b].T >= threshold - ROUNDING
            if top == left:
                close = np.triu(close, k=1)
            for above, beside in _confirmed(close, unit[a], unit[b], threshold - SAME):
                found += zip((above + top).tolist(), (beside + left).tolist(), strict=True)
                _refuse_too_many(len(found))
    return sorted(found)


def _refuse_too_many(pairs: int) -> None:
    if pairs > MAX_PAIRS:
        raise DataError(
            f"More than {MAX_PAIRS} pairs of images look the same, so the images are nearly all "
            "alike: remove the copies, or look at their intensities with `inspect --sheet`."
        )


def _unit(unit: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows without their mean, of length 1, in place; all zero where there is nothing else."""
    unit -= unit.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("nf,nf->n", unit, unit))
    unit /= np.maximum(lengths, 1e-12)[:, None]
    return unit


def _sketch(unit: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Shape ``(N, SKETCH + 1)``; products are upper bounds of the correlation, up to rounding."""
    if unit.shape[1] <= SKETCH + 1:
        return unit
    sample = unit[:: max(1, len(unit) // SAMPLE)]
    basis = np.linalg.eigh(sample.T @ sample)[1][:, -SKETCH:]
    sketch = np.empty((len(unit), SKETCH + 1), np.float32)
    np.matmul(unit, basis, out=sketch[:, :-1])
    left = np.einsum("nf,nf->n", unit, unit) - np.einsum("nf,nf->n", *[sketch[:, :-1]] * 2)
    sketch[:, -1] = np.sqrt(np.maximum(left, 0) + ROUNDING / 10)
    return sketch


def _confirmed(
    close: npt.NDArray[np.bool_],
    a: npt.NDArray[np.float32],
    b: npt.NDArray[np.float32],
    threshold: float,
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Rows of ``a`` and of ``b`` that correlate, of the candidates in ``close``."""
    candidates = np.count_nonzero(close)
    if candidates > FULL_PRODUCT_SHARE * close.size:
        rows, columns = np.nonzero(close & (a @ b.T >= threshold))
        yield rows, columns
    elif candidates:
        rows, columns = np.nonzero(close)
        for start in range(0, candidates, CANDIDATES_AT_ONCE):
            some = slice(start, start + CANDIDATES_AT_ONCE)
            products = np.einsum("pf,pf->p", a[rows[some]], b[columns[some]])
            same = products >= threshold
            yield rows[some][same], columns[some][same]
