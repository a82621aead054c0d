"""From decoded images to network inputs: one idea a file, array and dictionary classes together.

Every transform of an image keeps the affine of a MetaTensor true and can be undone, by its own
``inverse``, by ``Compose.inverse`` and by ``Invertd``; plain arrays and tensors pass as they are.

``Invertd`` takes what it is given for class labels unless ``nearest_interp`` is off: they move
back, and keep values and channels. With it off, values return to the units of the image as well,
which is wrong for probabilities: hand ``Invertd`` the transforms that move pixels only.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
