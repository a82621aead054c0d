"""Fixtures that several chapters need."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from monai_gan_aug.records.datalist import Datalist
from tests.drawing import (
    DrawnImages,
    draw_full_study,
    draw_image_set,
    draw_noise,
    draw_study,
    plain_study,
    put_study,
    write_synthetic_set,
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real images beside the checkout (or ``MONAI_GAN_AUG_DATA``)."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MONAI_GAN_AUG_DATA", default))
    if not folder.is_dir():
        pytest.skip("real images are not on this machine (set MONAI_GAN_AUG_DATA)")
    return folder


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Every device there is; CUDA skips with a reason."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    return torch.device(request.param)


@pytest.fixture
def image_set(tmp_path: Path) -> Callable[..., DrawnImages]:
    """Make ``<label>/p<patient>_<n>.png`` below a new root."""
    return lambda **sizes: draw_image_set(tmp_path / "images", **sizes)


@pytest.fixture
def synthetic_list(tmp_path: Path) -> Callable[..., Path]:
    """Write synthetic noise images and their datalist, made by a GAN of ``datalist``."""

    def make(
        datalist: Datalist, per_class: int = 4, seed: int = 10**6, saw: str = "training"
    ) -> Path:
        return write_synthetic_set(
            tmp_path / f"synthetic-{seed}",
            datalist,
            lambda path, label, number: draw_noise(path, seed + 1000 * label + number),
            per_class=per_class,
            seed=seed,
            saw=saw,
        )

    return make


@pytest.fixture(scope="session")
def patients() -> SimpleNamespace:
    """Training, held-out and further images of three groups of made-up patients."""
    from tests.drawing.patients import draw_patients  # MONAI: light chapters do not wait for it

    return draw_patients()


@pytest.fixture
def study() -> dict[str, Any]:
    """The content of a valid ``study.json``, to be changed freely."""
    return plain_study(draw_study())


@pytest.fixture
def full_study() -> dict[str, Any]:
    """The content of a ``study.json`` with every part, to be changed freely."""
    return plain_study(draw_full_study())


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[[Any], Path]:
    """Write a study and its pictures into a fresh folder."""
    return lambda content: put_study(tmp_path / "study", content)
