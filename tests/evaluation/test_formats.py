import numpy as np
import pytest
import torch

from monai_gan_aug.evaluation.formats import image_writer
from monai_gan_aug.io.image import Units
from monai_gan_aug.io.reading import read_image

IMAGE = torch.linspace(-1, 1, 64).view(1, 8, 8)


@pytest.mark.parametrize(("name", "dtype", "top"), [("png8", "u1", 255), ("png16", "u2", 65535)])
def test_png_holds_the_nearest_level(tmp_path, name, dtype, top):
    image_writer(name, {})(tmp_path / "x.png", IMAGE, 1)
    pixels = read_image(tmp_path / "x.png").pixels
    assert pixels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(pixels, np.rint((IMAGE.double().numpy() + 1) / 2 * top))


def test_dicom_inverts_the_window_of_the_training_images(tmp_path):
    write = image_writer("dicom", {"channels": 1, "windows": [[40, 81]]})
    write(tmp_path / "x.dcm", IMAGE, 1)
    decoded = read_image(tmp_path / "x.dcm")
    assert decoded.units == Units.HU
    np.testing.assert_allclose(
        decoded.pixels, np.linspace(-0.5, 79.5, 64).reshape(1, 8, 8), atol=0.01
    )


def test_dicom_without_a_window_holds_display_values(tmp_path):
    image_writer("dicom", {"channels": 3, "windows": []})(
        tmp_path / "x.dcm", IMAGE.expand(3, -1, -1), 1
    )
    assert read_image(tmp_path / "x.dcm").units == Units.DISPLAY8
