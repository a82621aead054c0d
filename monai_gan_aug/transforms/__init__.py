"""From decoded images to network inputs: one idea a file, array and dictionary classes together.

Every transform of an image keeps the affine of a MetaTensor true and can be undone, by its own
``inverse``, by ``Compose.inverse`` and by ``Invertd``; plain arrays and tensors pass as they are.

``Invertd`` takes what it is given for class labels unless ``nearest_interp`` is off: they move back,
and keep values and channels. With it off, values return to the units of the image as well, which is
wrong for probabilities: hand ``Invertd`` the transforms that move pixels only.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "body": ("BodyCrop",),
    "channels": ("ToGrey", "ToRGB"),
    "hounsfield": ("ClipHU", "MultiWindow"),
    "intensity": ("ScalePercentile", "WindowIntensity"),
    "loading": ("LoadMedicalImage",),
    "shape": ("CenterSquareCrop", "Letterbox", "ResizeArea"),
}
_HOMES = {
    name + twin: module
    for module, names in _MODULES.items()
    for name in names
    for twin in ("", "d")
} | {"PreprocessingRecipe": "recipe"}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # Looked up on first use: whoever needs the names of windows must not wait for SciPy.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
