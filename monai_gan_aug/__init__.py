"""GAN augmentation for small medical image sets: train, generate, screen, measure, report.

Importing the package costs nothing: each chapter (``io``, ``transforms``, ``data``, ``networks``,
``losses``, ``augmentation``, ``metrics``, ``engines``, ``evaluation``, ``reports``) is imported
by its name.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("monai_gan_aug")
except PackageNotFoundError:  # running from a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
