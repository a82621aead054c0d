"""The reports of two studies, each written once."""

from pathlib import Path

import pytest

from monai_gan_aug.reports.html import StudyReport
from tests.drawing import draw_full_study, draw_study, plain_study, put_study


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
