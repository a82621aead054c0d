"""Named windows and how they are resolved."""

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.transforms.windows import WINDOWS, check_window, resolve_window


@pytest.mark.parametrize("name", WINDOWS)
def test_every_named_window_is_usable(name):
    center, width = resolve_window(name, None)
    assert -1000 < center < 1000
    assert width > 1


def test_pair_is_taken_as_given():
    assert resolve_window([40, 400], (1.0, 2.0)) == (40.0, 400.0)


def test_window_of_the_file_is_used_only_when_asked_for():
    assert resolve_window("file", (1.0, 2.0)) == (1.0, 2.0)
    assert resolve_window("brain", (1.0, 2.0)) == (40.0, 80.0)


def test_missing_window_of_the_file_is_refused():
    with pytest.raises(DataError, match="name one"):
        resolve_window("file", None)


@pytest.mark.parametrize(
    "window", ["brian", (40,), (40, 1), (40, -5), (float("nan"), 5), (0, float("inf")), (1, 2, 3)]
)
def test_unusable_windows_are_refused(window):
    with pytest.raises(ValueError, match="window"):
        check_window(window)
