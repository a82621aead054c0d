"""Where the bundles and the configurations of studies lie: in the installed package, or a checkout.

They stand at the top level of the repository, where users look for them, and inside the package of
a wheel.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from monai_gan_aug.errors import DataError

__all__ = ["bundles_folder", "configs_folder", "copy_shipped", "shipped_folders"]

PACKAGE = Path(__file__).resolve().parents[1]


def bundles_folder() -> Path:
    """The folder of the bundles.

    Raises:
        DataError: If it is nowhere to be found.
    """
    return _folder("bundles")


def configs_folder() -> Path:
    """The folder of the configurations of studies and comparisons.

    Raises:
        DataError: If it is nowhere to be found.
    """
    return _folder("configs")


def shipped_folders() -> Mapping[str, Path]:
    """Everything with configurations of its own, by the name it can be copied by.

    Raises:
        DataError: If they are nowhere to be found.
    """
    return {path.name: path for path in _with_configurations()}


def copy_shipped(name: str, target: Path) -> Path:
    """Copy a bundle, or a folder of configurations, to edit it; return the new folder.

    Args:
        name: A key of :func:`shipped_folders`.
        target: The folder to make.

    Raises:
        DataError: If there is nothing of that name, or ``target`` exists.
    """
    folders = shipped_folders()
    if name not in folders:
        raise DataError(f"There is no {name!r} to copy: choose from {', '.join(folders)}.")
    if target.exists():
        raise DataError(f"{target} exists already: name a folder that does not.")
    shutil.copytree(folders[name], target, ignore=shutil.ignore_patterns("__pycache__", "models"))
    return target


def _with_configurations() -> Iterator[Path]:
    places = ((bundles_folder(), "configs/metadata.json"), (configs_folder(), "*.yaml"))
    for parent, inside in places:
        yield from sorted(path for path in parent.iterdir() if any(path.glob(inside)))


def _folder(name: str) -> Path:
    for folder in (PACKAGE / name, PACKAGE.parent / name):  # a wheel's first: it is surely ours
        if folder.is_dir():
            return folder
    raise DataError(
        f"The {name} of monai_gan_aug are neither in the package nor beside it: install it with "
        "pip, or name a folder (`bundles_dir`)."
    )
