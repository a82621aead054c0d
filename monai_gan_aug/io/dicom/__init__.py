"""DICOM files, read with bounded memory and nothing quoted, and synthetic ones written.

A file goes through ``dataset`` (opened, its elements found by ``scan``), ``elements`` (values,
those of one frame on top), ``pixels`` (layout checked, compressed frames decoded in the process of
``isolation``), ``display`` and ``reading``. ``header`` and ``series`` never look at pixels;
``writing`` makes marked synthetic files.
"""
