"""Five small published systems, one module each: networks, classifiers, the layout of the data.

Importing the chapter imports every module of it, which makes their classifiers and layouts known
by name (:func:`monai_gan_aug.networks.classifiers.register_classifier`,
:func:`monai_gan_aug.published.layouts.register_layout`): a system is added by adding its file.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
