"""Flips, rotations, zooms and shifts of a whole batch, each image with its own draw."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from monai_gan_aug.augmentation.operations import Operation, RandomSource

__all__ = ["RandomAffine", "affine_matrices", "normalised_matrices", "pixel_matrices", "warp"]


def affine_matrices(angle: Tensor, zoom: Tensor, shift: Tensor, mirror: Tensor) -> Tensor:
    """Matrices that map output to input positions in coordinates of ``[-1, 1]``.

    The image is mirrored first, then zoomed and turned about its centre, then shifted.

    Args:
        angle: Anticlockwise turn in radians, shape ``(B,)``.
        zoom: Magnification, positive, shape ``(B,)``.
        shift: Displacement to the right and downwards in half image widths, shape ``(B, 2)``.
        mirror: ``-1`` to mirror along columns and rows, else ``1``, shape ``(B, 2)``.

    Returns:
        Shape ``(B, 2, 3)``, for :func:`warp`.

    Example:
        >>> unit, none = torch.ones(1), torch.zeros(1)
        >>> affine_matrices(none, unit, torch.zeros(1, 2), torch.ones(1, 2)).abs()
        tensor([[[1., 0., 0.],
                 [0., 1., 0.]]])
    """
    cosine, sine = angle.cos() / zoom, angle.sin() / zoom
    turn = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
    linear = turn * mirror[:, :, None]
    return torch.cat([linear, -(linear @ shift[:, :, None])], dim=2)


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Resample ``images`` bilinearly; what lies outside repeats the border.

    Args:
        images: Shape ``(B, C, H, W)``, floating point.
        matrices: Shape ``(B, 2, 3)``, from :func:`affine_matrices`.

    Returns:
        Shape and type of ``images``. The identity matrix changes values by rounding only.
    """
    grid = functional.affine_grid(
        matrices.to(images), [len(images), 1, *images.shape[2:]], align_corners=False
    )
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _to_normalised(height: int, width: int) -> Tensor:
    """From pixel indices (row, column) to the coordinates (across, down) of ``grid_sample``."""
    return torch.tensor(
        [[0, 2 / width, 1 / width - 1], [2 / height, 0, 1 / height - 1], [0, 0, 1]],
        dtype=torch.float64,
    )


def pixel_matrices(matrices: Tensor, height: int, width: int) -> Tensor:
    """The same maps in indices of pixels, as the affine of a MetaTensor counts them.

    Args:
        matrices: Output to input positions in ``[-1, 1]``, across first, shape ``(B, 2, 3)``.
        height: Rows of the images.
        width: Columns of the images.

    Returns:
        Output to input pixels, rows first, shape ``(B, 3, 3)``, double precision on the CPU.

    Example:
        >>> mirror = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
        >>> (pixel_matrices(mirror, 2, 4)[0] @ torch.tensor([0.0, 0.0, 1.0]).double()).tolist()
        [0.0, 3.0, 1.0]
    """
    to_normalised = _to_normalised(height, width)
    last = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand(len(matrices), 1, 3)
    square = torch.cat([matrices.detach().cpu().double(), last], dim=1)
    in_pixels: Tensor = torch.linalg.inv(to_normalised) @ square @ to_normalised
    return in_pixels


def normalised_matrices(matrices: Tensor, height: int, width: int) -> Tensor:
    """The inverse of :func:`pixel_matrices`: shape ``(B, 3, 3)`` to ``(B, 2, 3)``."""
    to_normalised = _to_normalised(height, width)
    normalised: Tensor = to_normalised @ matrices.double() @ torch.linalg.inv(to_normalised)
    return normalised[:, :2]


@dataclass(frozen=True)
class RandomAffine:
    """The law by which :func:`affine_matrices` are drawn.

    Args:
        degrees: Turns are uniform between minus and plus this.
        zoom: Magnification is log-uniform between its inverse and this, at least 1.
        shift: Displacement is uniform up to this fraction of the image size.
        flips: ``"none"``, ``"horizontal"`` (left and right) or ``"both"``, each with chance ½.

    Raises:
        ValueError: If an argument is out of its range.
    """

    degrees: float = 0.0
    zoom: float = 1.0
    shift: float = 0.0
    flips: str = "none"

    def __post_init__(self) -> None:
        if self.flips not in ("none", "horizontal", "both"):
            raise ValueError(f"`flips` must be none, horizontal or both, got {self.flips!r}.")
        if self.zoom < 1 or self.shift < 0 or self.degrees < 0:
            raise ValueError(f"`zoom` must be at least 1, `shift`, `degrees` not negative: {self}.")

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw ``count`` matrices, shape ``(count, 2, 3)``, on the generator's device.

        The number of random values depends on ``count`` alone, so two laws stay in step.
        """
        return self.matrices(torch.rand(6, count, generator=generator, device=generator.device))

    def matrices(self, values: Tensor) -> Tensor:
        """Matrices ``(B, 2, 3)`` for uniform numbers in ``[0, 1)``, shape ``(6, B)``."""
        angle, zoom, across, down = values[:4] * 2 - 1
        mirror = torch.where(values[4:] < 0.5, -1.0, 1.0)
        if self.flips != "both":
            mirror[1] = 1.0
        if self.flips == "none":
            mirror[0] = 1.0
        return affine_matrices(
            angle * math.radians(self.degrees),
            torch.exp(zoom * math.log(self.zoom)),
            torch.stack([across, down], dim=1) * (2 * self.shift),
            mirror.T,
        )

    @property
    def operation(self) -> Operation:
        """The law as a change of images."""
        return Operation(self._draw_for, warp, _moves)

    def _draw_for(self, images: Tensor, source: RandomSource) -> Tensor:
        return self.matrices(source.uniform(6, len(images), device=images.device))


def _moves(images: Tensor, matrices: Tensor) -> Tensor:
    return pixel_matrices(matrices, images.shape[2], images.shape[3])
