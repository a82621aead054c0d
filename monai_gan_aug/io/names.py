"""Names of files: printable in a message, and resolved inside the data root, never outside it."""

import os
from pathlib import Path, PurePosixPath

from monai_gan_aug.errors import DataError

__all__ = ["display_name", "printable", "resolve_inside"]


def printable(name: str) -> str:
    r"""``name`` with bytes that are not UTF-8, control and direction characters escaped.

    Example:
        >>> printable("a\nb.png")
        'a\\nb.png'
    """
    visible = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in visible)


def display_name(path: str | Path, root: str | Path | None = None) -> str:
    """The name of a file in messages: relative to ``root`` or bare, always printable.

    Example:
        >>> display_name("/data/a/1.dcm", "/data"), display_name("/data/a/1.dcm")
        ('a/1.dcm', '1.dcm')
    """
    path = Path(path)
    if root is not None and path.is_relative_to(root):
        name = path.relative_to(root).as_posix()
    else:  # an absolute path may carry the name of a person
        name = path.name
    return printable(os.fsencode(name).decode("utf-8", "backslashreplace"))


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
