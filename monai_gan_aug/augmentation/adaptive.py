"""Augmentation as strong as the discriminator's overfitting asks for."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import ignite.distributed as idist
import torch
from ignite.engine import Events
from torch import Tensor
from torch.nn import functional

from monai_gan_aug.augmentation.differentiable import CUT_OUT
from monai_gan_aug.augmentation.geometric import pixel_matrices
from monai_gan_aug.augmentation.operations import Operation, RandomSource
from monai_gan_aug.keys import GanAugKeys

__all__ = ["AdaptiveAugment", "adaptive_operations", "turn_colours", "warp"]

TRANSLATION = 0.125
SCALE_DEVIATION = 0.2
BRIGHTNESS_DEVIATION = 0.2
CONTRAST_DEVIATION = 0.5


class AdaptiveAugment:
    r"""Apply each of a list of changes to each image with probability ``p``, which adapts.

    Flips, quarter turns, translation by whole pixels, scaling, rotation, brightness, contrast,
    cutout, and for colour images hue and saturation. Once in ``every`` iterations, ``p`` moves
    towards :math:`r_t = E[\operatorname{sign} D(x)]` having the ``target`` value: real images
    judged too surely are a sign that they are known by heart. ``p`` stays on the device.

    Beside the paper, images are warped by bilinear interpolation without wavelet filters, and
    there are no scales per axis, no filters by frequency and no added noise.

    Args:
        target: Wanted mean sign of the logits of real images, in ``(-1, 1)``. It supposes logits
            whose zero means "undecided" (not a Wasserstein critic).
        images: Number of images shown in which ``p`` can go from 0 to 1.
        every: Iterations between adjustments.
        probability: Initial ``p``.
        limit: Largest ``p``; above about 0.8 the changes begin to appear in generated images.

    Attributes:
        probability: ``p``, a scalar tensor.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Karras et al., "Training Generative Adversarial Networks with Limited Data".
        https://arxiv.org/abs/2006.06676

    Example:
        >>> images = torch.rand(2, 1, 8, 8)
        >>> torch.equal(AdaptiveAugment()(images), images)
        True
    """

    def __init__(
        self,
        target: float = 0.6,
        images: int = 50_000,
        every: int = 4,
        probability: float = 0.0,
        limit: float = 0.8,
    ) -> None:
        if not -1 < target < 1:
            raise ValueError(f"`target` must be in (-1, 1), got {target}.")
        if images < 1 or every < 1:
            raise ValueError(f"`images` and `every` must be at least 1, got {images}, {every}.")
        if not 0 <= probability <= limit <= 1:
            raise ValueError(
                f"0 <= `probability` <= `limit` <= 1 must hold, got {probability}, {limit}."
            )
        self.target = target
        self.images = images
        self.every = every
        self.limit = limit
        self.probability = torch.tensor(float(probability))
        self._signs = torch.zeros(2)  # their sum and their number since the last adjustment

    def attach(self, trainer: Any) -> None:
        """Watch the logits of real images; the state belongs to that of the trainer."""
        trainer.register_part("adaptive_augment", self)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._look)

    def _look(self, trainer: Any) -> None:
        logits = trainer.state.output.get(GanAugKeys.REAL_LOGITS)
        if logits is None:
            raise ValueError("`augment: adaptive` needs a loss on logits: choose another policy.")
        self.observe(logits, trainer.state.iteration)
        trainer.state.output[GanAugKeys.AUGMENT_PROBABILITY] = self.probability

    def observe(self, real_logits: Tensor, iteration: int) -> None:
        """Note the logits ``(B,)`` of real images after ``iteration`` (from 1); adjust in turn."""
        signs = real_logits.detach().float().sign()
        new = torch.stack([signs.sum(), signs.new_tensor(len(signs))])
        self._signs = self._signs.to(new.device) + new
        if iteration % self.every:
            return
        total, count = torch.as_tensor(idist.all_reduce(self._signs))
        direction = (total / count - self.target).sign()
        moved = self.probability.to(new.device) + direction * count / self.images
        self.probability = moved.clamp(0, self.limit)
        self._signs = torch.zeros_like(self._signs)

    def __call__(self, images: Tensor) -> Tensor:
        """Augment images ``(B, C, H, W)`` in ``[-1, 1]``; values may leave that range."""
        self.probability = self.probability.to(images.device)
        for operation in adaptive_operations(images.shape[1], self.probability):
            images = operation(images)
        return images

    def state_dict(self) -> dict[str, Any]:
        """Probability and the signs since its last adjustment: their mean over processes.

        All processes must ask.
        """
        total = torch.as_tensor(idist.all_reduce(self._signs.clone()))
        return {"probability": self.probability, "signs": total / idist.get_world_size()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.probability, self._signs = state["probability"], state["signs"]

    def __repr__(self) -> str:
        return f"AdaptiveAugment(target={self.target}, images={self.images})"


class Pose(NamedTuple):
    """What :func:`warp` does to each image of a batch."""

    flip: Tensor
    angle: Tensor
    scale: Tensor
    shift: Tensor


def adaptive_operations(channels: int, probability: Tensor | float) -> list[Operation]:
    """The changes of :class:`AdaptiveAugment`, each made with ``probability``.

    Args:
        channels: Channels of the images; only three are colours.
        probability: Number in ``[0, 1]`` or scalar tensor on the device of the images.
    """
    colours = (SATURATION, HUE) if channels == 3 else ()
    pose = Operation(lambda images, source: _draw_pose(images, source, probability), _posed, _moves)
    changes = (BRIGHTNESS, CONTRAST, *colours, CUT_OUT)
    return [pose, *(_sometimes(operation, probability) for operation in changes)]


def _affected(images: Tensor, source: RandomSource, probability: Tensor | float) -> Tensor:
    affected: Tensor = source.uniform(len(images), device=images.device) < probability
    return affected


def _sometimes(operation: Operation, probability: Tensor | float) -> Operation:
    def draw(images: Tensor, source: RandomSource) -> tuple[Tensor, Any]:
        return _affected(images, source, probability), operation.draw(images, source)

    def apply(images: Tensor, drawn: tuple[Tensor, Any]) -> Tensor:
        affected, numbers = drawn
        # All images are changed and the affected ones kept: asking which would stall the device.
        changed = operation.apply(images, numbers)
        return torch.where(affected[:, None, None, None], changed, images)

    return Operation(draw, apply)


def _draw_pose(images: Tensor, source: RandomSource, probability: Tensor | float) -> Pose:
    batch, _, height, width = images.shape
    draws = source.uniform(7, batch, device=images.device)
    flipped, turned, rotated, scaled, shifted = (
        _affected(images, source, probability) for _ in range(5)
    )
    zero = torch.zeros_like(draws[0])
    flip = torch.where(flipped & (draws[0] < 0.5), -1.0, 1.0)
    turns = (draws[1] * 4).floor() if height == width else 2 * (draws[1] * 2).floor()
    angle = torch.where(turned, turns * (math.pi / 2), zero)
    angle = angle + torch.where(rotated, (draws[2] * 2 - 1) * math.pi, zero)
    normal = source.normal(batch, device=images.device)
    scale = torch.where(scaled, torch.exp2(normal * SCALE_DEVIATION), 1 + zero)
    shift = [
        torch.where(shifted, ((2 * draw - 1) * TRANSLATION * side).round() / side * 2, zero)
        for draw, side in zip(draws[3:5], (width, height), strict=True)
    ]
    return Pose(flip, angle, scale, torch.stack(shift, 1))


def _posed(images: Tensor, pose: Pose) -> Tensor:
    flip, angle, scale, shift = pose
    moved = (flip < 0) | (angle != 0) | (scale != 1) | (shift != 0).any(1)
    # Interpolation would round even where nothing moves, so those images are taken as they were.
    return torch.where(moved[:, None, None, None], warp(images, *pose), images)


def _moves(images: Tensor, pose: Pose) -> Tensor:
    height, width = images.shape[2:]
    return pixel_matrices(_pose_matrices(*pose, height / width), height, width)


def _pose_matrices(
    flip: Tensor, angle: Tensor, scale: Tensor, shift: Tensor, aspect: float
) -> Tensor:
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    # grid_sample asks where each pixel of the result comes from: the inverse of the change
    rows = torch.stack([flip * cosine, -flip * sine * aspect, sine / aspect, cosine], 1)
    matrix = rows.view(-1, 2, 2)
    offset = -(matrix @ shift[:, :, None])
    return torch.cat([matrix, offset], 2)


def warp(images: Tensor, flip: Tensor, angle: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Flip, rotate, scale and move each image; what enters is mirrored at the border.

    Args:
        images: Shape ``(B, C, H, W)``.
        flip: 1, or -1 to swap left and right, shape ``(B,)``.
        angle: Counter-clockwise rotation in radians, shape ``(B,)``.
        scale: Magnification, shape ``(B,)``.
        shift: Movement right and down in units of half the size, shape ``(B, 2)``.

    Returns:
        Images of the same shape, interpolated bilinearly.

    Example:
        >>> image, unit = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.ones(1)
        >>> warp(image, -unit, 0 * unit, unit, torch.zeros(1, 2)).flatten().tolist()
        [2.0, 1.0, 4.0, 3.0]
    """
    matrices = _pose_matrices(flip, angle, scale, shift, images.shape[2] / images.shape[3])
    grid = functional.affine_grid(
        matrices.to(images.dtype), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def turn_colours(images: Tensor, angle: Tensor) -> Tensor:
    """Rotate colours about the axis of greys, which stay; shapes ``(B, 3, H, W)`` and ``(B,)``.

    Example:
        >>> grey = torch.full((1, 3, 2, 2), 0.5)
        >>> torch.allclose(turn_colours(grey, torch.ones(1)), grey)
        True
    """
    axis = torch.full((3,), 3**-0.5, device=images.device, dtype=images.dtype)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=images.device) * 3**-0.5
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    eye = torch.eye(3, device=images.device, dtype=images.dtype)
    matrix = cosine * eye + (1 - cosine) * torch.outer(axis, axis) + sine * cross
    return (matrix.to(images.dtype) @ images.flatten(2)).reshape(images.shape)


def _draw_normal(images: Tensor, source: RandomSource) -> Tensor:
    return source.normal(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)


def _draw_angle(images: Tensor, source: RandomSource) -> Tensor:
    return (2 * source.uniform(len(images), device=images.device) - 1) * math.pi


def _brightened(images: Tensor, normal: Tensor) -> Tensor:
    return images + BRIGHTNESS_DEVIATION * normal


def _contrasted(images: Tensor, normal: Tensor) -> Tensor:
    return images * torch.exp2(CONTRAST_DEVIATION * normal)


def _saturated(images: Tensor, normal: Tensor) -> Tensor:
    return torch.lerp(images.mean(1, keepdim=True), images, torch.exp2(normal))


def _hued(images: Tensor, angle: Tensor) -> Tensor:
    return turn_colours(images, angle.to(images.dtype))


BRIGHTNESS = Operation(_draw_normal, _brightened)
CONTRAST = Operation(_draw_normal, _contrasted)
SATURATION = Operation(_draw_normal, _saturated)
HUE = Operation(_draw_angle, _hued)
