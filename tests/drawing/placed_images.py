"""Images that know where they are."""

import numpy as np
import torch
from monai.data import MetaTensor

# Oblique, anisotropic (0.4 x 1.5 x 5 mm) and left-handed: no axis and no spacing is like another.
ROTATION = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
AFFINE = torch.eye(4, dtype=torch.float64)
AFFINE[:3, :3] = torch.from_numpy(ROTATION * [0.4, 1.5, 5.0])
AFFINE[:3, 3] = torch.tensor([-80.0, 12.5, 300.0])


def draw_coordinates(height: int, width: int) -> MetaTensor:
    """An image whose three channels are the world coordinates of its pixel centres, in mm."""
    rows, columns = torch.meshgrid(
        torch.arange(height).double(), torch.arange(width).double(), indexing="ij"
    )
    places = torch.stack([rows, columns, torch.zeros_like(rows), torch.ones_like(rows)])
    world = torch.einsum("ij,jhw->ihw", AFFINE, places)[:3]
    return MetaTensor(world.float(), affine=AFFINE.clone())


def assert_in_place(moved: MetaTensor, size: tuple[int, int], atol: float = 2e-3) -> None:
    """Pixels of ``moved`` from inside an image of ``size`` are where they say, in pixels."""
    height, width = moved.shape[-2:]
    rows, columns = np.mgrid[:height, :width]
    places = np.stack([rows, columns, np.zeros_like(rows), np.ones_like(rows)]).astype(float)
    back = np.linalg.inv(AFFINE.numpy())
    said = np.einsum("ij,jhw->ihw", back @ moved.affine.numpy(), places)
    world = np.concatenate([moved.as_tensor().double().numpy(), places[3:]])
    true = np.einsum("ij,jhw->ihw", back, world)
    limits = np.array(size)[:, None, None] - 1
    inside = ((said[:2] > -1e-6) & (said[:2] < limits + 1e-6)).all(0)
    assert inside.any()
    np.testing.assert_allclose(true[:3, inside], said[:3, inside], atol=atol)
