"""How batches of a loader reach an iteration of adversarial training."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from monai.engines.utils import default_prepare_batch
from torch import Tensor

from monai_gan_aug.transforms.intensity import to_signed

__all__ = ["GroupedBatches", "prepare_reals"]


def prepare_reals(
    batchdata: Any,
    device: str | torch.device | None = None,
    non_blocking: bool = False,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """Move a batch to the device and integer images to floating point in ``[-1, 1]`` there.

    Args:
        batchdata: Whatever :func:`monai.engines.default_prepare_batch` takes.
        device: The device.
        non_blocking: Passed to :meth:`torch.Tensor.to`.
        kwargs: Passed to :meth:`torch.Tensor.to`.

    Returns:
        Images ``(B, C, H, W)`` and labels ``(B,)`` or nothing.
    """
    prepared = default_prepare_batch(batchdata, device, non_blocking, **kwargs)
    images, labels = prepared if isinstance(prepared, tuple) else (prepared, None)
    return images if images.is_floating_point() else to_signed(images), labels


class GroupedBatches:
    """Batches of a loader in groups of ``size``, over and over: one group per iteration.

    Args:
        loader: Iterable of batches.
        size: Batches per group.
    """

    def __init__(self, loader: Iterable[Any], size: int) -> None:
        self.loader = loader
        self.size = size

    def __iter__(self) -> Iterator[list[Any]]:
        group: list[Any] = []
        while True:
            received = False  # whether an epoch of the loader has any batch, or we would spin here
            for batch in self.loader:
                received = True
                group.append(batch)
                if len(group) == self.size:
                    yield group
                    group = []
            if not received:
                return
