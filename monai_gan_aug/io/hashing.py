"""Hashes by which files, recipes and splits are named."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["content_id", "sha256_file", "sha256_json"]


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_json(content: Any) -> str:
    """Hexadecimal SHA-256 of ``content`` as canonical JSON (sorted keys, no spaces).

    Example:
        >>> sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
        True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def content_id(path: Path, frame: int | None = None) -> str:
    """The stable id of an image: the first 20 hexadecimal digits of its file's SHA-256.

    A frame of a file has its number behind the digits; files that are read frame by frame are
    hashed once as long as size and time stay the same.
    """
    if frame is None:
        return sha256_file(path)[:20]
    status = Path(path).stat()
    # size and time are arguments so that a file that was replaced is hashed again
    return f"{_recent_sha256(Path(path), status.st_size, status.st_mtime_ns)[:20]}-{frame}"


@lru_cache(maxsize=64)
def _recent_sha256(path: Path, size: int, modified: int) -> str:
    return sha256_file(path)
