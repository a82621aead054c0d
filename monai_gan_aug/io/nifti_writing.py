"""Synthetic images as single-slice NIfTI files, marked as synthetic."""

import numpy as np
import numpy.typing as npt

__all__ = ["encode_nifti"]

DESCRIPTION = "Synthetic image drawn by a GAN; shows no person."


def encode_nifti(pixels: npt.ArrayLike) -> bytes:
    """The bytes of an uncompressed NIfTI-1 file that reads back as ``pixels``.

    The slice is axial, with the patient's left on the right of the image; voxels measure 1 mm,
    for want of a known size.

    Args:
        pixels: Shape ``(1, H, W)``: ``float32``, ``uint8`` or ``uint16``.

    Raises:
        ValueError: If there is more than one channel.
        TypeError: If the type is another one.

    Example:
        >>> encode_nifti(np.zeros((1, 4, 4), np.float32))[344:347]
        b'n+1'
    """
    import nibabel

    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[0] != 1:
        raise ValueError(f"`pixels` must have shape (1, H, W) for NIfTI, got {pixels.shape}.")
    if pixels.dtype not in (np.float32, np.uint8, np.uint16):
        raise TypeError(f"`pixels` must be float32, uint8 or uint16, got {pixels.dtype}.")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    image = nibabel.Nifti1Image(np.ascontiguousarray(pixels[0].T)[..., None], affine)
    image.header["descrip"] = DESCRIPTION.encode()
    image.header.set_xyzt_units("mm")
    content: bytes = image.to_bytes()
    return content
