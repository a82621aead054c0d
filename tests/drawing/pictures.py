"""Small pictures, written as files: noise, bright halves, grids."""

from pathlib import Path

import numpy as np
from PIL import Image


def save_pixels(path: Path, pixels: np.ndarray) -> Path:
    """Write pixels as 8-bit values, shape ``(H, W)`` or ``(H, W, 3)``; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def draw_noise(path: Path, seed: int, size: int | tuple[int, int] = 16, channels: int = 1) -> Path:
    """Noise that no other seed gives; ``size`` is the side, or height and width."""
    shape = (size, size) if isinstance(size, int) else size
    shape = shape if channels == 1 else (*shape, channels)
    return save_pixels(path, np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def draw_half(
    path: Path, label: int, rng: np.random.Generator, contrast: int | tuple[int, int] = 60
) -> Path:
    """A noisy square whose left (class 0) or right half is brighter by ``contrast``.

    Two numbers are the range that the contrast is drawn from: classes hard to tell apart.
    """
    pixels = rng.integers(0, 120, (16, 16))
    brighter = contrast if isinstance(contrast, int) else rng.integers(*contrast)
    pixels[:, 8 * label : 8 * label + 8] += brighter
    return save_pixels(path, pixels)


def draw_grid(path: Path, seed: int = 0) -> Path:
    """A grid of noisy discs, 4 x 3 tiles of 32 pixels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :128] % 32 - 15.5
    pixels = 200 - 8 * np.hypot(x, y) + rng.normal(0, 15, (96, 128))
    return save_pixels(path, pixels.clip(0, 255))
