"""Small labelled images with patients for whole experiments to run on."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def draw():
    """Write images and their ``labels.csv`` (path, label, patient) into a folder; return it."""

    def draw(root, patients, first, seed):
        """One image for each patient, of two classes that are hard to tell apart."""
        rng = np.random.default_rng(seed)
        rows = ["path,label,patient"]
        for number in range(patients):
            label = number % 2
            pixels = rng.integers(0, 120, (16, 16))
            pixels[:, 8 * label : 8 * label + 8] += rng.integers(2, 20)
            Image.fromarray(pixels.astype(np.uint8)).save(root / f"{number}.png")
            rows.append(f"{number}.png,{('left', 'right')[label]},p{first + number}")
        (root / "labels.csv").write_text("\n".join(rows))
        return root

    return draw
