"""Small images laid on each other, and how much of the fine detail of one the other explains."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

__all__ = ["Agreement", "agreement", "plausible", "register", "warped"]

MARGIN = 1 / 12
"""Part of each side that is left out: borders, and the corners that a turn brings in."""
BLOCKS = 8
"""Blocks a side of what remains."""
DROPPED = 1 / 5
"""Part of the blocks that may disagree: a marker may cover them."""
NOISE = 0.01
"""Contrast of fine detail, of a range of 1, below which it counts less and less."""
LARGEST_TURN, LARGEST_STRETCH, LARGEST_SHIFT = 8.0, 1.25, 0.25


@dataclass(frozen=True)
class Agreement:
    """How well pairs of images agree once they lie on each other; all of shape ``(N,)``.

    Args:
        finest: Correlation of the finest detail, block by block, without the worst blocks.
        fine: The same of detail half as fine.
        everywhere: ``finest`` with all blocks.
        overlap: Part of the blocks that both images fill.
        detail: Part of the detail that stands out of the noise, in the poorer image.
        inverted: Whether bright is dark in the other image.
    """

    finest: Tensor
    fine: Tensor
    everywhere: Tensor
    overlap: Tensor
    detail: Tensor
    inverted: Tensor


def warped(images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Images ``(N, H, W)`` seen through ``maps``, and which pixels lie inside them.

    Args:
        images: Shape ``(N, H, W)``.
        maps: Shape ``(N, 2, 3)``, from places of the result to places of the image, both from -1
            to 1 (columns first), as :func:`torch.nn.functional.affine_grid` has it.
    """
    count, height, width = images.shape
    grid = affine_grid(maps, [count, 1, height, width], align_corners=False)
    seen = grid_sample(images[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
    inside = (grid[..., 0].abs() <= 1 - 1 / width) & (grid[..., 1].abs() <= 1 - 1 / height)
    return seen, inside


def register(fixed: Tensor, moving: Tensor, maps: Tensor, steps: int) -> Tensor:
    """Maps through which ``moving`` looks like ``fixed`` up to gain and offset.

    Gauss-Newton for the affine map, the gain (negative for an inverted image) and the offset
    together, with weights that spare what does not fit, such as a marker.

    Args:
        fixed: Square images, ``(N, S, S)``.
        moving: As many images of the same size.
        maps: Where to start, ``(N, 2, 3)``; see :func:`warped`. A tenth of the side away is near
            enough.
        steps: Number of steps.

    References:
        Baker and Matthews, "Lucas-Kanade 20 Years On: A Unifying Framework".
        https://doi.org/10.1023/B:VISI.0000011205.11775.fd
    """
    side = fixed.shape[-1]
    place = (2 * torch.arange(side) + 1) / side - 1
    across, down = place.expand(side, side), place[:, None].expand(side, side)
    centre = _centre(side)
    target = fixed.flatten(1)
    weight = None
    for _ in range(steps):
        seen, inside = warped(moving, maps)
        slopes = [slope * (side / 2) for slope in torch.gradient(seen, dim=(2, 1))]
        columns = [slope * by for slope in slopes for by in (across, down, 1.0)]
        design = torch.stack([*columns, seen, torch.ones_like(seen)], 1).flatten(2)
        usable = (inside & centre).float().flatten(1)
        solution = _least_squares(design, target, usable if weight is None else usable * weight)
        left = (target - (solution[:, None] @ design)[:, 0]).abs()
        typical = (left * usable).sum(1, keepdim=True) / usable.sum(1, keepdim=True).clamp_min(1)
        weight = 1 / (1 + (left / (1.5 * typical).clamp_min(1e-4)) ** 2)
        gain = solution[:, 6]
        gain = torch.where(gain.abs() < 0.05, 0.05 * (1 - 2 * (gain < 0).float()), gain)
        step = (solution[:, :6] / gain[:, None]).clamp(-0.1, 0.1).view(-1, 2, 3)
        linear, offset = maps[:, :, :2], maps[:, :, 2:]
        maps = torch.cat([linear + linear @ step[:, :, :2], offset + linear @ step[:, :, 2:]], 2)
    return maps


def _least_squares(design: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Solutions ``(N, P)`` for ``design`` of ``(N, P, pixels)``, with a trifle of ridge."""
    weighted = design * weight[:, None]
    normal = weighted @ design.transpose(1, 2)
    ridge = normal.diagonal(dim1=1, dim2=2) * 1e-4 + 1e-6
    right = weighted @ target[:, :, None]
    solution: Tensor = torch.linalg.solve(normal + ridge.diag_embed(), right)
    return solution[:, :, 0]


def plausible(maps: Tensor) -> Tensor:
    """Whether maps are those of small turns, crops, frames and shifts, ``(N,)``."""
    linear, offset = maps[:, :, :2], maps[:, :, 2]
    sizes: Tensor = torch.linalg.svdvals(linear)
    turn = torch.atan2(linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1])
    return (
        (sizes.amax(1) < LARGEST_STRETCH)
        & (sizes.amin(1) > 1 / LARGEST_STRETCH)
        & (turn.abs() < math.radians(LARGEST_TURN))
        & (offset.abs().amax(1) < 2 * LARGEST_SHIFT)
    )


def agreement(fixed: Tensor, moving: Tensor, maps: Tensor) -> Agreement:
    """How well ``fixed`` and ``moving`` seen through ``maps`` agree in their fine detail.

    What all images of a body part share is coarse; the finest detail that survives re-encoding is
    the image's own. Every block counts alike, however strong its edges are.

    Args:
        fixed: Square images ``(N, S, S)`` with a range of about 1.
        moving: As many images of the same size.
        maps: See :func:`warped`.
    """
    seen, inside = warped(moving, maps)
    mask = (inside & _centre(fixed.shape[-1])).float()
    sign = _correlation(fixed, seen, mask).sign()
    filled = _sums(mask) / _sums(_centre(fixed.shape[-1]).float()[None])
    whole = filled > 0.8
    finest = _Blocks(_detail(fixed, 1), _detail(seen, 1) * sign[:, None, None], mask)
    fine = _Blocks(_detail(fixed, 3), _detail(seen, 3) * sign[:, None, None], mask)
    return Agreement(
        finest.correlation(whole, DROPPED),
        fine.correlation(whole, DROPPED),
        finest.correlation(whole, 0),
        whole.float().mean(1),
        finest.detail(whole),
        sign < 0,
    )


class _Blocks:
    """Energies and products of detail in blocks, each ``(N, BLOCKS ** 2)``, scaled to be alike."""

    def __init__(self, a: Tensor, b: Tensor, mask: Tensor) -> None:
        self.pixels = _sums(mask).clamp_min(1)
        a, b = a * mask, b * mask
        energies = [_sums(part * part) for part in (a, b)]
        scales = [1 / (energy / self.pixels + NOISE**2) for energy in energies]
        self.a, self.b = (energy * scale for energy, scale in zip(energies, scales, strict=True))
        self.both = _sums(a * b) * (scales[0] * scales[1]).sqrt()

    def correlation(self, whole: Tensor, dropped: float) -> Tensor:
        left = (self.a + self.b - 2 * self.both).masked_fill(~whole, torch.inf)
        kept = (whole.sum(1) * (1 - dropped)).ceil().long()
        rank = left.argsort(1).argsort(1)
        use = (rank < kept[:, None]).float()
        a, b, both = ((part * use).sum(1) for part in (self.a, self.b, self.both))
        return both / (a * b).sqrt().clamp_min(1e-9)

    def detail(self, whole: Tensor) -> Tensor:
        pixels = (self.pixels * whole).sum(1).clamp_min(1)
        return torch.minimum((self.a * whole).sum(1) / pixels, (self.b * whole).sum(1) / pixels)


def _detail(images: Tensor, size: int) -> Tensor:
    """What averages over ``size`` pixels show and those over the next odd size but one do not."""
    wide = 3 if images.shape[-1] < 48 and size == 1 else 5
    return _averaged(images, size) - _averaged(images, wide)


def _averaged(images: Tensor, size: int) -> Tensor:
    if size == 1:
        return images
    pooled = avg_pool2d(images[:, None], (1, size), 1, (0, size // 2), count_include_pad=False)
    return avg_pool2d(pooled, (size, 1), 1, (size // 2, 0), count_include_pad=False)[:, 0]


def _centre(side: int) -> Tensor:
    margin = round(MARGIN * side)
    inner = torch.zeros(side, side, dtype=torch.bool)
    inner[margin : side - margin, margin : side - margin] = True
    return inner


def _sums(images: Tensor) -> Tensor:
    """Sums over the blocks of the centre, ``(N, BLOCKS ** 2)``."""
    side = images.shape[-1]
    margin = round(MARGIN * side)
    across = (side - 2 * margin) // BLOCKS
    middle = images[:, margin : margin + BLOCKS * across, margin : margin + BLOCKS * across]
    return avg_pool2d(middle[:, None], across).flatten(1) * across**2


def _correlation(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    total = weight.sum((1, 2), keepdim=True).clamp_min(1)
    a, b = ((part - (part * weight).sum((1, 2), keepdim=True) / total) * weight for part in (a, b))
    lengths = (a.square().sum((1, 2)) * b.square().sum((1, 2))).sqrt()
    return (a * b).sum((1, 2)) / lengths.clamp_min(1e-9)
