"""Named windows of computed tomography."""

from collections.abc import Sequence
from types import MappingProxyType

from monai_gan_aug.errors import DataError

__all__ = ["FILE_WINDOW", "WINDOWS", "check_window", "resolve_window"]

FILE_WINDOW = "file"
"""Stands for the window that each file proposes."""

WINDOWS = MappingProxyType(
    {
        "brain": (40.0, 80.0),
        "subdural": (75.0, 215.0),
        "stroke": (40.0, 40.0),
        "bone": (400.0, 1800.0),
        "temporal_bone": (600.0, 2800.0),
        "lung": (-600.0, 1500.0),
        "mediastinum": (50.0, 350.0),
        "soft_tissue": (50.0, 400.0),
        "liver": (30.0, 150.0),
    }
)
"""Centre and width in HU. Source: the usual protocols listed at
https://radiopaedia.org/articles/windowing-ct; subdural is the middle of the ranges given there
(width 130 to 300, level 50 to 100)."""


def check_window(window: str | Sequence[float]) -> str | tuple[float, float]:
    """A window as it is kept in recipes: a known name, ``"file"``, or ``(centre, width)``.

    Raises:
        ValueError: If the name is unknown, or the pair is not two finite numbers with a width
            above 1.
    """
    if isinstance(window, str):
        if window != FILE_WINDOW and window not in WINDOWS:
            raise ValueError(
                f"`window` must be one of {[*WINDOWS, FILE_WINDOW]} or (center, width), "
                f"got {window!r}."
            )
        return window
    values = tuple(float(value) for value in window)
    if len(values) != 2 or not abs(values[0]) < float("inf") or not 1 < values[1] < float("inf"):
        raise ValueError(f"`window` must be (center, width) with a width above 1, got {window!r}.")
    return values[0], values[1]


def resolve_window(
    window: str | Sequence[float], from_file: tuple[float, float] | None
) -> tuple[float, float]:
    """Centre and width that ``window`` means for an image.

    Args:
        window: A name of :data:`WINDOWS`, a pair ``(center, width)``, or ``"file"``.
        from_file: What the file of the image proposes, if anything.

    Raises:
        ValueError: As :func:`check_window`.
        DataError: If the file's window is asked for and the file has none.

    Example:
        >>> resolve_window("brain", None), resolve_window([40, 400], None)
        ((40.0, 80.0), (40.0, 400.0))
    """
    checked = check_window(window)
    if not isinstance(checked, str):
        return checked
    if checked != FILE_WINDOW:
        return WINDOWS[checked]
    if from_file is None:
        raise DataError(
            f"The file proposes no window: name one ({', '.join(WINDOWS)}) or give (center, width)."
        )
    return from_file
