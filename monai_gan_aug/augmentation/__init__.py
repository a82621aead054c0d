"""Augmentation of whole batches on the device, and of single images in MONAI pipelines.

Batches, for the GAN and for the classifier: :class:`ClassicalAugmentation`, :class:`DiffAugment`,
:class:`AdaptiveAugment`, :class:`MixUp`, :class:`CutMix`. Single images, for ``Compose``: the
random transforms ``Rand...`` and their dictionary twins.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
