"""The state of every source of random numbers, as tensors and numbers only."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["random_state", "restore_random_state", "seed_everything"]


def random_state() -> dict[str, Any]:
    """State of the generators of torch (all devices), NumPy and Python.

    Example:
        >>> state = random_state()
        >>> first = torch.rand(2)
        >>> restore_random_state(state)
        >>> bool((torch.rand(2) == first).all())
        True
    """
    numpy_state = np.random.get_state(legacy=False)
    inner = numpy_state["state"]
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": {
            "key": torch.tensor(inner["key"].tolist()),
            "pos": inner["pos"],
            "has_gauss": numpy_state["has_gauss"],
            "gauss": numpy_state["gauss"],
        },
        "python": random.getstate(),
    }


def restore_random_state(state: Mapping[str, Any]) -> None:
    """The inverse of :func:`random_state`; devices that are not here are passed over."""
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available():
        for index, device_state in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(device_state, index)
    saved = state["numpy"]
    inner = {"key": saved["key"].numpy().astype(np.uint32), "pos": saved["pos"]}
    np.random.set_state({**saved, "bit_generator": "MT19937", "state": inner})
    version, internal, gauss_next = state["python"]
    random.setstate((version, tuple(internal), gauss_next))


def seed_everything(seed: int) -> None:
    """Seed torch, NumPy and Python, so that networks and latents depend on ``seed`` only."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
