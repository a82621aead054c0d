"""Checkpoints: complete or absent, verified, and never more than tensors and plain values.

What they hold to describe themselves is read by :mod:`monai_gan_aug.engines.trained_network`.
"""

import hashlib
import io
import os
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import atomic_file, remove_leftovers
from monai_gan_aug.io.hashing import sha256_file
from monai_gan_aug.records.checkpoints import CheckpointFile, CheckpointIndex
from monai_gan_aug.records.provenance import TrainingRecord

__all__ = [
    "TrainingSet",
    "differing_keys",
    "discard_newer",
    "find_checkpoint",
    "find_good_checkpoint",
    "load_checkpoint",
    "load_with_hash",
    "save_checkpoint",
]

FAMILY, VERSION = "monai_gan_aug.checkpoint", 2
FORMAT = f"{FAMILY}/{VERSION}"
"""Version 1 described neither its networks nor the knobs they were trained with."""
LATEST = "latest.json"


class TrainingSet(Protocol):
    """What a checkpoint must know about the images that were learned from."""

    def training_record(self) -> TrainingRecord:
        """Whom it saw, and how images were prepared."""


def save_checkpoint(
    folder: Path,
    name: str,
    content: Mapping[str, Any],
    *,
    keep: int = 2,
    suspect: bool = False,
) -> str:
    """Write a checkpoint, point ``latest.json`` at it and remove the oldest ones.

    The file is read back and compared before it takes its name, so a kill or a full disk at any
    moment leaves the previous checkpoint in force.

    Args:
        folder: Folder of the checkpoints.
        name: File name, ending in ``.pt``.
        content: Tensors, numbers, text, lists and dictionaries.
        keep: How many checkpoints stay, at least 1; the newest that is not suspect stays as well.
        suspect: Whether a guard doubts it; it is then passed over by
            :func:`find_good_checkpoint`.

    Returns:
        SHA-256 of the file.

    Raises:
        FloatingPointError: If a tensor has a value that is not finite; nothing is written.
        OSError: If the disk is full or damages what is written; nothing changes.
    """
    broken = [path for path, value in _tensors(content) if not torch.isfinite(value).all()]
    if broken:
        raise FloatingPointError(f"Weights are not finite ({', '.join(broken[:3])}): not saved.")
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **content}, buffer)
    data = buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    folder = Path(folder)
    with atomic_file(folder / name) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
        if sha256_file(Path(stream.name)) != digest:
            raise OSError(f"{name} reads back differently from what was written: check the disk.")
    new = CheckpointFile(name, digest, suspect)
    recorded = [new, *(item for item in _recorded(folder) if item.file != name)]
    kept = recorded[:keep]
    if all(item.suspect for item in kept):
        kept += [item for item in recorded[keep:] if not item.suspect][:1]
    _keep_only(folder, kept)
    return digest


def find_good_checkpoint(folder: Path) -> Path | None:
    """The newest undamaged checkpoint that no guard doubts, or nothing."""
    for item in _recorded(Path(folder)):
        path = Path(folder) / item.file
        if not item.suspect and path.is_file() and sha256_file(path) == item.sha256:
            return path
    return None


def discard_newer(path: Path) -> None:
    """Make ``path`` the newest checkpoint of its folder: remove those written after it."""
    recorded = _recorded(path.parent)
    names = [item.file for item in recorded]
    _keep_only(path.parent, recorded[names.index(path.name) :])


def find_checkpoint(path: Path) -> Path:
    """The newest checkpoint of a folder (or of its ``latest.json``), or ``path`` itself.

    Raises:
        DataError: If there is none, or the file is not what ``latest.json`` recorded.
    """
    path = Path(path)
    if path.name == LATEST:
        path = path.parent
    if not path.is_dir():
        if not path.is_file():
            raise DataError(f"{path.name} does not exist: train first, or correct `ckpt_path`.")
        return path
    recorded = _recorded(path)
    if not recorded:
        raise DataError(f"{path.name} holds no checkpoint: train first, or correct `ckpt_path`.")
    newest = path / recorded[0].file
    if not newest.is_file() or sha256_file(newest) != recorded[0].sha256:
        others = [item.file for item in recorded[1:]]
        raise DataError(
            f"{newest.name} was damaged after it was written: name an older checkpoint "
            f"({', '.join(others) or 'there is none'}) as `ckpt_path`, or train again."
        )
    return newest


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running any code in it.

    Args:
        path: The file, its folder, or ``latest.json``.

    Raises:
        DataError: If the file is damaged, holds anything but tensors and plain values, is not a
            checkpoint of this toolkit, or was written by a later version.
    """
    return load_with_hash(path)[0]


def load_with_hash(path: Path) -> tuple[dict[str, Any], str]:
    """The same, with the SHA-256 of the very bytes that were read."""
    path = find_checkpoint(path)
    data = path.read_bytes()
    try:
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path.name} holds more than tensors and plain values, or is damaged: it was not "
            "loaded, because it could run code. Use a checkpoint made by this toolkit."
        ) from error
    except Exception as error:  # bytes that are no pickle fail in any way they like
        raise DataError(f"{path.name} is truncated or not a checkpoint: train again.") from error
    _require_format(content, path.name)
    return content, hashlib.sha256(data).hexdigest()


def _require_format(content: Any, name: str) -> None:
    written = content.get("format") if isinstance(content, dict) else None
    family, _, version = str(written).partition("/")
    if family != FAMILY or not version.isdecimal():
        raise DataError(
            f"{name} is not a checkpoint of this toolkit (format {FAMILY}): "
            "use one made by `train.yaml`."
        )
    if int(version) > VERSION:
        raise DataError(
            f"{name} was written by a later version of this toolkit (format {version}, known here "
            f"is {VERSION}): update monai_gan_aug."
        )


def differing_keys(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """What keeps ``found`` from being loaded where ``expected`` is: one line per key.

    Example:
        >>> differing_keys({"a": torch.zeros(2)}, {"a": torch.zeros(3), "b": torch.zeros(1)})
        ['a: shape (3,) in the checkpoint, (2,) here', 'b: only in the checkpoint']
    """
    lines = []
    for name in sorted({*expected, *found}):
        if name not in found:
            lines.append(f"{name}: only here")
        elif name not in expected:
            lines.append(f"{name}: only in the checkpoint")
        elif expected[name].shape != found[name].shape:
            here, there = tuple(expected[name].shape), tuple(found[name].shape)
            lines.append(f"{name}: shape {there} in the checkpoint, {here} here")
    return lines


def _keep_only(folder: Path, kept: list[CheckpointFile]) -> None:
    CheckpointIndex(tuple(kept)).save(folder / LATEST)
    remaining = {item.file for item in kept}
    for old in folder.glob("*.pt"):
        if old.name not in remaining:
            old.unlink(missing_ok=True)
    remove_leftovers(folder)


def _recorded(folder: Path) -> list[CheckpointFile]:
    if not (folder / LATEST).is_file():
        return []
    return list(CheckpointIndex.load(folder / LATEST).checkpoints)


def _tensors(content: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    if isinstance(content, Tensor):
        if content.is_floating_point():
            yield path, content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _tensors(value, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list | tuple):
        for index, value in enumerate(content):
            yield from _tensors(value, f"{path}.{index}")
