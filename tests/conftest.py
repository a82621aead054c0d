"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
import torch


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
