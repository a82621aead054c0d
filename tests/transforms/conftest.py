"""Images that know where they are."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

# Oblique, anisotropic (0.4 x 1.5 x 5 mm) and left-handed: no axis and no spacing is like another.
ROTATION = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
AFFINE = np.eye(4)
AFFINE[:3, :3] = ROTATION * [0.4, 1.5, 5.0]
AFFINE[:3, 3] = [-80.0, 12.5, 300.0]


class OwnCoordinates:
    """An image whose three channels are the world coordinates of its pixel centres, in mm."""

    affine = torch.from_numpy(AFFINE)

    def image(self, height, width):
        rows, columns = torch.meshgrid(
            torch.arange(height).double(), torch.arange(width).double(), indexing="ij"
        )
        zeros, ones = torch.zeros_like(rows), torch.ones_like(rows)
        places = torch.stack([rows, columns, zeros, ones])
        world = torch.einsum("ij,jhw->ihw", self.affine, places)[:3]
        return MetaTensor(world.float(), affine=self.affine.clone())

    def assert_true(self, moved, size, atol=2e-3):
        """Pixels of ``moved`` from inside an image of ``size`` are where they say, in pixels."""
        height, width = moved.shape[-2:]
        rows, columns = np.mgrid[:height, :width]
        places = np.stack([rows, columns, np.zeros_like(rows), np.ones_like(rows)]).astype(float)
        back = np.linalg.inv(AFFINE)
        said = np.einsum("ij,jhw->ihw", back @ moved.affine.numpy(), places)
        world = np.concatenate([moved.as_tensor().double().numpy(), places[3:]])
        true = np.einsum("ij,jhw->ihw", back, world)
        limits = np.array(size)[:, None, None] - 1
        inside = ((said[:2] > -1e-6) & (said[:2] < limits + 1e-6)).all(0)
        assert inside.any()
        np.testing.assert_allclose(true[:3, inside], said[:3, inside], atol=atol)


@pytest.fixture
def coordinates():
    return OwnCoordinates()
