"""Relative names of images: resolved inside the data root, never outside it."""

from pathlib import Path, PurePosixPath

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.names import printable

__all__ = ["printable", "resolve_inside"]


def resolve_inside(root: Path, name: str) -> Path:
    """The file ``name`` below ``root``, symbolic links followed.

    Args:
        root: Data root.
        name: Relative name with ``/``.

    Returns:
        An absolute path that need not exist.

    Raises:
        DataError: If the name is empty or absolute, or leads out of the root by ``..`` or by a
            symbolic link.
    """
    root = Path(root).resolve()
    if not name or "\0" in name or PurePosixPath(name).is_absolute() or Path(name).is_absolute():
        raise DataError(
            f"{printable(name)!r} is not a relative file name: name images relative to the data "
            "root."
        )
    try:
        path = (root / name).resolve()
    except (OSError, RuntimeError) as error:
        raise DataError(f"{printable(name)} cannot be resolved: remove the link loop.") from error
    if not path.is_relative_to(root):
        raise DataError(
            f"{printable(name)} leads out of the data root: copy the file into the root."
        )
    return path
