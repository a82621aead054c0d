"""Augmentation of whole batches on the device, and of single images in MONAI pipelines.

Batches, for the GAN and for the classifier: :class:`ClassicalAugmentation`, :class:`DiffAugment`,
:class:`AdaptiveAugment`, :class:`MixUp`, :class:`CutMix`. Single images, for ``Compose``: the
random transforms ``Rand...`` and their dictionary twins.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "AdaptiveAugment": "adaptive",
    "ClassicalAugmentation": "classical",
    "CutMix": "cutmix",
    "DiffAugment": "differentiable",
    "MixUp": "mixup",
} | {
    name + twin: "random_transforms"
    for name in (
        "RandAdaptiveAugment",
        "RandClassicalAugmentation",
        "RandDiffAugment",
        "RandGeometricAugmentation",
        "RandIntensityAugmentation",
    )
    for twin in ("", "d")
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # Looked up on first use, so that one augmentation does not import all of them.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
