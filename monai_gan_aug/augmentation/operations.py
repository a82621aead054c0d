"""A random change of images in two halves: what it draws, and what it does with what was drawn.

Whole batches draw on their device, single images in a MONAI pipeline from its ``RandomState``;
what is done with the numbers is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

__all__ = ["BATCH", "Operation", "RandomSource", "StateSource", "TorchSource"]

SINGLE_STEPS = 2**24
"""Numbers in ``[0, 1)`` that ``torch.rand`` tells apart in single precision."""


class RandomSource(Protocol):
    """Where random numbers come from."""

    def uniform(
        self, *shape: int, device: torch.device, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Numbers of ``shape`` in ``[0, 1)``."""
        ...

    def normal(self, *shape: int, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
        """Numbers of ``shape`` with mean 0 and deviation 1."""
        ...

    def integers(self, high: int, *shape: int, device: torch.device) -> Tensor:
        """Integers of ``shape`` from 0 to ``high - 1``."""
        ...


class TorchSource:
    """Torch's own generator of the device: nothing is copied to it."""

    def uniform(
        self, *shape: int, device: torch.device, dtype: torch.dtype | None = None
    ) -> Tensor:
        """See :class:`RandomSource`."""
        return torch.rand(*shape, device=device, dtype=dtype)

    def normal(self, *shape: int, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
        """See :class:`RandomSource`."""
        return torch.randn(*shape, device=device, dtype=dtype)

    def integers(self, high: int, *shape: int, device: torch.device) -> Tensor:
        """See :class:`RandomSource`."""
        return torch.randint(high, shape, device=device)


BATCH = TorchSource()


class StateSource:
    """The random state of a MONAI transform, whatever the device of the image.

    Args:
        state: ``R`` of a ``Randomizable``, which advances.

    Example:
        >>> source = StateSource(np.random.RandomState(0))
        >>> source.integers(3, 4, device=torch.device("cpu")).tolist()
        [0, 1, 0, 1]
    """

    def __init__(self, state: np.random.RandomState) -> None:
        self.state = state

    def uniform(
        self, *shape: int, device: torch.device, dtype: torch.dtype | None = None
    ) -> Tensor:
        """See :class:`RandomSource`."""
        # A double just below 1 would be rounded to 1 in single precision: draw its steps instead.
        steps = self.state.randint(SINGLE_STEPS, size=shape)
        return torch.as_tensor(steps / SINGLE_STEPS, device=device, dtype=dtype or torch.float32)

    def normal(self, *shape: int, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
        """See :class:`RandomSource`."""
        numbers = self.state.standard_normal(shape)
        return torch.as_tensor(numbers, device=device, dtype=dtype or torch.float32)

    def integers(self, high: int, *shape: int, device: torch.device) -> Tensor:
        """See :class:`RandomSource`."""
        return torch.as_tensor(self.state.randint(high, size=shape), device=device)


@dataclass(frozen=True)
class Operation:
    """A random change of a batch of images.

    Args:
        draw: From images, of which only shape, type and device count, and a source to what is
            drawn for each of them.
        apply: From images ``(B, C, H, W)`` and what was drawn to changed images; draws nothing.
        moves: From the same two to affines from pixel indices (row, column) after the change to
            those before, shape ``(B, 3, 3)``; ``None`` if no pixel moves.

    Example:
        >>> darken = Operation(
        ...     draw=lambda images, source: source.uniform(len(images), device=images.device),
        ...     apply=lambda images, share: images - share[:, None, None, None],
        ... )
        >>> darken(torch.ones(2, 1, 4, 4)).shape
        torch.Size([2, 1, 4, 4])
    """

    draw: Callable[[Tensor, RandomSource], Any]
    apply: Callable[[Tensor, Any], Tensor]
    moves: Callable[[Tensor, Any], Tensor] | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """Change images ``(B, C, H, W)``, each by its own draw on their device."""
        return self.apply(images, self.draw(images, BATCH))
