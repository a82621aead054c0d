"""Five small published systems: their networks, and the layout of their data.

Importing the chapter makes their classifiers known by name
(:func:`monai_gan_aug.networks.classifiers.register_classifier`).
"""

from monai_gan_aug.published import bone_xray, head_ct, malaria, siim_isic

__all__ = ["bone_xray", "head_ct", "malaria", "siim_isic"]
