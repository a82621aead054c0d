"""Files to arrays and the few tags we keep, and back. Imports no torch.

``reading`` is the one loader; ``dicom``, ``raster``, ``nifti`` and ``numpy_arrays`` are behind it,
``detect`` and ``walking`` before it. ``atomic``, ``locking``, ``hashing``, ``png`` and ``tables``
are for what is written.
"""
