import numpy as np
import torch
from PIL import Image

from monai_gan_aug.engines.grids import SampleGrid, tile_images


def test_images_stand_row_by_row():
    images = torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 3, 2, 2)
    sheet = tile_images(images, columns=3)
    assert sheet.shape == (3, 5, 8)
    assert sheet[0, 0, [0, 3, 6]].tolist() == [0, 64, 128]
    assert sheet[0, 3, [0, 3, 6]].tolist() == [191, 255, 0]
    assert (sheet[:, 2] == 0).all()


def test_the_grid_has_a_row_per_class_and_leaves_training_alone(make_trainer, tmp_path):
    trainer = make_trainer(max_epochs=2, handlers=[SampleGrid(tmp_path, columns=3)])
    trainer.run()
    plain = make_trainer(max_epochs=2)
    plain.run()
    names = sorted(path.name for path in tmp_path.glob("*.png"))
    assert names == ["step_00000004.png", "step_00000008.png"]
    assert np.asarray(Image.open(tmp_path / names[0])).shape == (33, 50)
    for a, b in zip(trainer.g_network.parameters(), plain.g_network.parameters(), strict=True):
        assert torch.equal(a, b)
