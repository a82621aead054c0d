"""Differentiable augmentation: what the discriminator sees, real and generated alike."""

import torch
from torch import Tensor, nn

from monai_gan_aug.augmentation.operations import BATCH, Operation, RandomSource

__all__ = [
    "CUT_OUT",
    "DiffAugment",
    "cut_out",
    "policy_operations",
    "scale_contrast",
    "scale_saturation",
    "shift_brightness",
    "translate",
]

TRANSLATION = 0.125
HOLE = 0.5


def _draw_share(images: Tensor, source: RandomSource = BATCH) -> Tensor:
    return source.uniform(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)


def _draw_share_of_colours(images: Tensor, source: RandomSource) -> Tensor | None:
    # Grey images draw nothing, so that the numbers after it are those of earlier versions.
    return None if images.shape[1] == 1 else _draw_share(images, source)


def shift_brightness(images: Tensor, share: Tensor | None = None) -> Tensor:
    """Add a number in ``[-0.5, 0.5]`` per image, shape ``(B, C, H, W)``.

    Args:
        images: The images.
        share: Where in that range, 0 to 1, shape ``(B, 1, 1, 1)``; ``None`` to draw.
    """
    share = _draw_share(images) if share is None else share
    return images + (share - 0.5)


def scale_saturation(images: Tensor, share: Tensor | None = None) -> Tensor:
    """Scale the distance from the mean over channels by ``[0, 2]`` (grey images: unchanged).

    Args:
        images: Shape ``(B, C, H, W)``.
        share: Where in that range, 0 to 1, shape ``(B, 1, 1, 1)``; ``None`` to draw.
    """
    if images.shape[1] == 1:
        return images
    share = _draw_share(images) if share is None else share
    grey = images.mean(1, keepdim=True)
    return torch.lerp(grey, images, 2 * share)


def scale_contrast(images: Tensor, share: Tensor | None = None) -> Tensor:
    """Scale the distance from the mean of the image by ``[0.5, 1.5]``.

    Args:
        images: Shape ``(B, C, H, W)``.
        share: Where in that range, 0 to 1, shape ``(B, 1, 1, 1)``; ``None`` to draw.
    """
    mean = images.mean((1, 2, 3), keepdim=True)
    share = _draw_share(images) if share is None else share
    return torch.lerp(mean, images, 0.5 + share)


def _reach(images: Tensor, ratio: float) -> tuple[int, int]:
    height, width = images.shape[2:]
    return round(height * ratio), round(width * ratio)


def _draw_corner(
    images: Tensor, source: RandomSource = BATCH, ratio: float = TRANSLATION
) -> Tensor:
    tops, lefts = (
        source.integers(2 * reach + 1, len(images), 1, 1, device=images.device)
        for reach in _reach(images, ratio)
    )
    return torch.stack([tops, lefts])


def translate(images: Tensor, ratio: float = TRANSLATION, corner: Tensor | None = None) -> Tensor:
    """Move each image by up to ``ratio`` of its size in either direction; zeros enter.

    Args:
        images: Shape ``(B, C, H, W)``.
        ratio: Largest shift.
        corner: Row and column at which the result begins in the image padded by the largest shift,
            shape ``(2, B, 1, 1)``; ``None`` to draw.
    """
    batch, _, height, width = images.shape
    reach_y, reach_x = _reach(images, ratio)
    padded = nn.functional.pad(images, (reach_x, reach_x, reach_y, reach_y))
    top, left = _draw_corner(images, ratio=ratio) if corner is None else corner
    rows = top + torch.arange(height, device=images.device)[None, :, None]
    columns = left + torch.arange(width, device=images.device)[None, None, :]
    which = torch.arange(batch, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2)


def _translation_moves(images: Tensor, corner: Tensor) -> Tensor:
    matrices = torch.eye(3, dtype=torch.float64).repeat(len(images), 1, 1)
    reach = torch.tensor(_reach(images, TRANSLATION))
    matrices[:, :2, 2] = (corner.cpu().flatten(1).T - reach).double()
    return matrices


def _hole_side(size: int, ratio: float) -> int:
    return int(size * ratio + 0.5)


def _draw_hole(images: Tensor, source: RandomSource = BATCH, ratio: float = HOLE) -> Tensor:
    starts = []
    for size in images.shape[2:]:
        side = _hole_side(size, ratio)
        # A hole is centred on a pixel or, if its side is even, also on the far edge.
        start = source.integers(size + 1 - side % 2, len(images), 1, device=images.device)
        starts.append(start - side // 2)
    return torch.stack(starts)


def cut_out(images: Tensor, ratio: float = HOLE, start: Tensor | None = None) -> Tensor:
    """Zero one square of ``ratio`` times the size per image, partly outside at the borders.

    Args:
        images: Shape ``(B, C, H, W)``.
        ratio: Side of the square over that of the image.
        start: First row and column of the square, shape ``(2, B, 1)``; ``None`` to draw.
    """
    start = _draw_hole(images, ratio=ratio) if start is None else start

    def outside(size: int, first: Tensor) -> Tensor:
        distance = torch.arange(size, device=images.device)[None] - first
        return (distance < 0) | (distance >= _hole_side(size, ratio))

    rows, columns = (
        outside(size, first) for size, first in zip(images.shape[2:], start, strict=True)
    )
    return images * (rows[:, None, :, None] | columns[:, None, None, :])


def _translated(images: Tensor, corner: Tensor) -> Tensor:
    return translate(images, corner=corner)


def _holed(images: Tensor, start: Tensor) -> Tensor:
    return cut_out(images, start=start)


CUT_OUT = Operation(_draw_hole, _holed)

OPERATIONS: dict[str, tuple[Operation, ...]] = {
    "color": (
        Operation(_draw_share, shift_brightness),
        Operation(_draw_share_of_colours, scale_saturation),
        Operation(_draw_share, scale_contrast),
    ),
    "translation": (Operation(_draw_corner, _translated, _translation_moves),),
    "cutout": (CUT_OUT,),
}


def policy_operations(policy: str | None) -> list[Operation]:
    """The operations that a policy of :class:`DiffAugment` names, in its order.

    Raises:
        ValueError: If a name is unknown.

    Example:
        >>> len(policy_operations("translation, cutout"))
        2
    """
    names = _names(policy)
    unknown = [name for name in names if name not in OPERATIONS]
    if unknown:
        raise ValueError(f"`policy` may name {sorted(OPERATIONS)}, got {unknown}.")
    return [operation for name in names for operation in OPERATIONS[name]]


def _names(policy: str | None) -> list[str]:
    return [name.strip() for name in (policy or "").split(",") if name.strip()]


class DiffAugment:
    """Augment a batch at random so that gradients still reach the images.

    With few images the discriminator learns them by heart; augmenting everything it sees, real
    and generated, delays that without teaching the generator to draw augmented images.

    Args:
        policy: Comma-separated names out of ``color``, ``translation`` and ``cutout``, in the
            order they are applied; an empty text changes nothing.

    Raises:
        ValueError: If a name is unknown.

    References:
        Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training".
        https://arxiv.org/abs/2006.10738

    Example:
        >>> DiffAugment("color,translation")(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(self, policy: str | None = "color,translation,cutout") -> None:
        self.operations = policy_operations(policy)
        self.policy = ",".join(_names(policy))

    def __call__(self, images: Tensor) -> Tensor:
        """Augment images ``(B, C, H, W)`` in ``[-1, 1]``; values may leave that range."""
        for operation in self.operations:
            images = operation(images)
        return images

    def __repr__(self) -> str:
        return f"DiffAugment(policy={self.policy!r})"
