"""Hashes by which files, recipes and splits are named."""

import hashlib
import json
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


def content_id(path: Path) -> str:
    """The stable id of an image file: the first 20 hexadecimal digits of its SHA-256."""
    return sha256_file(path)[:20]
