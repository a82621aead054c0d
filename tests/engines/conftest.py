"""A tiny adversarial trainer on images made in the test."""

from collections.abc import Callable
from functools import partial

import pytest

from monai_gan_aug.engines.trainer import GanAugTrainer
from tests.drawing.training import TinyImages, tiny_trainer


@pytest.fixture
def tiny_images() -> TinyImages:
    """Twenty images of two classes."""
    return TinyImages()


@pytest.fixture
def make_trainer(tiny_images: TinyImages) -> Callable[..., GanAugTrainer]:
    """Build a trainer on them; the same one every time."""
    return partial(tiny_trainer, tiny_images)
