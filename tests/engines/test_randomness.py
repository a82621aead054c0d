import random

import numpy as np
import torch

from monai_gan_aug.engines.randomness import (
    random_state,
    restore_random_state,
    seed_everything,
)


def draw():
    return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random(), random.gauss(0, 1)


def test_restores_every_source(tmp_path):
    draw()
    state = random_state()
    expected = draw()
    torch.save(state, tmp_path / "state.pt")
    draw()
    restore_random_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert draw() == expected


def test_seed_fixes_every_source():
    seed_everything(5)
    first = draw()
    seed_everything(5)
    assert draw() == first
