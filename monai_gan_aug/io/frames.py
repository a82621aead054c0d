"""Which frame of a file is meant, and how many there are, before anything is decoded."""

from typing import Literal

from monai_gan_aug.errors import ImageReadError

__all__ = ["PLANES", "Plane", "check_frame", "frame_name", "plane_frames"]

Plane = Literal["axial", "coronal", "sagittal"]
PLANES: dict[str, int] = {"axial": 2, "coronal": 1, "sagittal": 0}
"""Axis across each plane, of a volume whose axes run to right, anterior and superior."""


def frame_name(image: str, frame: int | None) -> str:
    """One name for an image that is a file or a frame of it.

    Example:
        >>> frame_name("a.dcm", None), frame_name("a.dcm", 3)
        ('a.dcm', 'a.dcm frame 3')
    """
    return image if frame is None else f"{image} frame {frame}"


def check_frame(frame: int | None, frames: int, name: str, what: str = "frames") -> None:
    """Refuse a file of several frames that is read as one, and a frame that is not there.

    Raises:
        ImageReadError: Naming the file.
    """
    if frame is None and frames > 1:
        raise ImageReadError(
            name,
            f"has {frames} {what}",
            "give the source `slices`, which lists each frame, or read one with `frame`",
        )
    if frame is not None and not 0 <= frame < frames:
        raise ImageReadError(
            name, f"has {frames} {what}, counted from 0, and not this one", "run `prepare` again"
        )


def plane_frames(shape: tuple[int, int, int], plane: str) -> range:
    """Frame numbers of the slices of a volume in one plane.

    One number says plane and slice: axial slices come first, from inferior to superior, then
    coronal ones from posterior to anterior, then sagittal ones from left to right.

    Args:
        shape: Extent to right, anterior and superior.
        plane: ``"axial"``, ``"coronal"`` or ``"sagittal"``.

    Raises:
        ValueError: If there is no such plane.

    Example:
        >>> plane_frames((2, 3, 4), "axial"), plane_frames((2, 3, 4), "sagittal")
        (range(0, 4), range(7, 9))
    """
    if plane not in PLANES:
        raise ValueError(f"`plane` must be one of {list(PLANES)}, got {plane!r}.")
    start = 0
    for other, axis in PLANES.items():
        if other == plane:
            break
        start += shape[axis]
    return range(start, start + shape[PLANES[plane]])
