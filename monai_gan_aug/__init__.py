"""GAN augmentation for small medical image sets: train, generate, screen, measure, report.

What most programs need stands here, and is imported when it is first used::

    from monai_gan_aug import CsvSource, LabelledSource, prepare

Everything else is imported from its chapter: ``io``, ``records``, ``transforms``, ``data``,
``networks``, ``losses``, ``augmentation``, ``metrics``, ``engines``, ``generation``, ``quality``,
``privacy``, ``statistics``, ``studies``, ``reports``.
"""

from importlib.metadata import PackageNotFoundError, version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

try:
    __version__ = version("monai_gan_aug")
except PackageNotFoundError:  # running from a checkout that was never installed
    __version__ = "0+unknown"
