"""The nearest image of another set in pixel space, whatever way it was shifted or flipped."""

import itertools

import torch
from torch import Tensor

__all__ = ["authentic_share", "nearest_by_correlation"]

SIDE = 32
"""Images are averaged down to this side first: copies are told by their coarse structure."""


def nearest_by_correlation(
    queries: Tensor,
    references: Tensor,
    *,
    typical: Tensor | None = None,
    shift: int = 2,
    others_only: bool = False,
) -> tuple[Tensor, Tensor]:
    r"""Distance of every query to its nearest reference under small shifts and both flips.

    The distance is :math:`\sqrt{2 (1 - r)}` with the normalised correlation :math:`r` of what
    remains of both images when a typical one has been regressed out: without that, all chests
    correlate. Brightness and contrast do not matter.

    Args:
        queries: Shape ``(N, C, H, W)`` in ``[-1, 1]``.
        references: Shape ``(M, C, H, W)``, at least one.
        typical: The mean image of real ones, ``(C, H, W)``, regressed out; none if not given.
        shift: Largest shift in pixels (after averaging down to 32), in both directions.
        others_only: The references are the queries, and no image is its own neighbour.

    Returns:
        Distances in ``[0, 2]`` and positions, both of shape ``(N,)``.

    Raises:
        ValueError: If there is no reference, or the shapes differ.
    """
    if len(references) == 0 or queries.shape[1:] != references.shape[1:]:
        raise ValueError(
            "`references` must hold images of the shape of the queries, got "
            f"{tuple(references.shape)} for {tuple(queries.shape)}."
        )
    queries, references = _coarse(queries), _coarse(references)
    height, width = references.shape[2:]
    shift = min(shift, (min(height, width) - 4) // 2)
    centre = (..., slice(shift, height - shift), slice(shift, width - shift))
    common = None if typical is None else _rows(_coarse(typical[None])[centre])
    middle = _rows(references[centre], common)
    best = torch.full((len(queries),), -2.0)
    where = torch.zeros(len(queries), dtype=torch.long)
    for variant in _flips(queries):
        for dy, dx in itertools.product(range(2 * shift + 1), repeat=2):
            part = variant[:, :, dy : height - 2 * shift + dy, dx : width - 2 * shift + dx]
            for begin in range(0, len(part), 1024):
                similarity = _rows(part[begin : begin + 1024], common) @ middle.T
                if others_only:
                    similarity.diagonal(begin).fill_(-2.0)
                nearest = similarity.max(1)
                here = slice(begin, begin + len(nearest.values))
                better = nearest.values > best[here]
                best[here] = torch.where(better, nearest.values, best[here])
                where[here] = torch.where(better, nearest.indices, where[here])
    return (2 * (1 - best.clamp(-1, 1))).sqrt(), where


def authentic_share(to_real: Tensor, nearest: Tensor, real_radii: Tensor) -> Tensor:
    """Share of images farther from their nearest real image than that is from its own nearest.

    About one half for new images of the same law; near 0 for copies.

    Args:
        to_real: Distance of every image to its nearest training image, ``(N,)``.
        nearest: Position of that image, ``(N,)``.
        real_radii: Distance of every training image to its nearest other one, ``(M,)``.

    Returns:
        A scalar tensor in ``[0, 1]``.

    References:
        Alaa et al., "How Faithful is your Synthetic Data? Sample-level Metrics for Evaluating and
        Auditing Generative Models". https://arxiv.org/abs/2102.08921
    """
    return (to_real > real_radii[nearest]).float().mean()


def _coarse(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    factor = max(1, round(min(height, width) / SIDE))
    return torch.nn.functional.avg_pool2d(images.float(), factor) if factor > 1 else images.float()


def _flips(images: Tensor) -> list[Tensor]:
    return [images, images.flip(3), images.flip(2), images.flip(2, 3)]


def _rows(images: Tensor, common: Tensor | None = None) -> Tensor:
    """Images as rows of mean 0 and length 1, without their part along ``common``, ``(1, P)``.

    A row of which nothing remains becomes zeros.
    """
    rows = images.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    if common is not None:
        rows = rows - (rows @ common.T) * common
    lengths: Tensor = rows.norm(dim=1, keepdim=True)
    return rows / lengths.clamp_min(1e-6)
