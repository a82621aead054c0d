"""Small DICOM files to read, written by pydicom."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

WriteDicom = Callable[..., Path]


def make_dataset(pixels: np.ndarray, **changes) -> Dataset:
    """A CT slice of ``pixels``; keywords replace attributes, ``None`` removes one."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = changes.pop("syntax", ExplicitVRLittleEndian)
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = "CT"
    dataset.PatientName = "Canary^Patient"
    dataset.PatientID = "CANARY-1"
    dataset.RescaleSlope, dataset.RescaleIntercept = "2", "-1000"
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    bits = 8 * pixels.dtype.itemsize
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes() + bytes(pixels.nbytes % 2)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


@pytest.fixture
def write_dicom(tmp_path) -> WriteDicom:
    """Write a slice (by default 16 x 16 of counting ``int16``) and return its path."""

    def write(pixels=None, name="slice.dcm", **changes) -> Path:
        if pixels is None:
            pixels = np.arange(256, dtype=np.int16).reshape(16, 16)
        path = tmp_path / name
        make_dataset(pixels, **changes).save_as(path, enforce_file_format=True)
        return path

    return write
