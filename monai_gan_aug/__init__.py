"""GAN augmentation for small medical image sets: train, generate, screen, measure, report.

What most programs need stands here, and is imported when it is first used::

    from monai_gan_aug import CsvSource, LabelledSource, prepare

Everything else is imported from its chapter: ``io``, ``records``, ``transforms``, ``data``,
``networks``, ``losses``, ``augmentation``, ``metrics``, ``engines``, ``generation``, ``quality``,
``privacy``, ``statistics``, ``studies``, ``reports``.
"""

from typing import Any

import lazy_loader

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name != "__version__":
        return _attribute(name)
    # Looked up when it is asked for: reading the metadata takes longer than all of `--help`.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("monai_gan_aug")
    except PackageNotFoundError:  # running from a checkout that was never installed
        return "0+unknown"
