"""A study on disk: its content to be changed, and its report written once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monai_gan_aug.reports.html import StudyReport
from tests.drawing import draw_full_study, draw_study, plain_study, put_study


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


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the unchanged study, written once: look, do not touch."""
    folder = tmp_path_factory.mktemp("study")
    return StudyReport(put_study(folder, plain_study(draw_study()))).write()


@pytest.fixture(scope="session")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the study with every part, written once: look, do not touch."""
    folder = tmp_path_factory.mktemp("full")
    return StudyReport(put_study(folder, plain_study(draw_full_study()))).write()
