"""One shard of the image cache: an ``.npy`` of images and the ``.json`` that vouches for it.

The JSON is written last and holds the checksum of every image, so an array without it, a truncated
or exchanged array, and a shard of another recipe are all recognised. Neither file holds a path, a
name or a header: an image is known by its content id.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from monai_gan_aug.io.atomic import atomic_file, write_json
from monai_gan_aug.io.hashing import sha256_json

__all__ = ["Shard", "checksum", "read_shards", "remove_shard", "write_shard"]

VERSION = 1
PREFIX = "shard-"
Stamp = tuple[int, int]


@dataclass(frozen=True)
class Shard:
    """What the JSON of one shard says.

    Args:
        array_path: The ``.npy`` file, shape ``(N, C, H, W)``.
        recipe_sha256: Hash of the preprocessing recipe.
        shape: ``(C, H, W)`` of every image.
        dtype: NumPy name of the pixel type.
        ids: Content id of each source file.
        crc32: Checksum of each image's pixels.
        stamps: Size and modification time of each source file when it was last checked.
    """

    array_path: Path
    recipe_sha256: str
    shape: tuple[int, ...]
    dtype: str
    ids: tuple[str, ...]
    crc32: tuple[int, ...]
    stamps: tuple[Stamp, ...]

    def open(self) -> np.ndarray:
        """Memory-map the images, read only, shape ``(N, C, H, W)``.

        Raises:
            ValueError: If the file is not the array that the JSON describes.
            OSError: If it cannot be opened.
        """
        array = np.lib.format.open_memmap(self.array_path, mode="r")
        if array.shape != (len(self.ids), *self.shape) or array.dtype.name != self.dtype:
            raise ValueError(f"{self.array_path.name} does not match its description.")
        return array

    def with_stamps(self, stamps: Sequence[Stamp]) -> "Shard":
        """The same shard with new stamps, saved."""
        shard = replace(self, stamps=tuple(stamps))
        shard.save()
        return shard

    def save(self) -> None:
        """Write the JSON beside the array, atomically."""
        content = {k: v for k, v in asdict(self).items() if k != "array_path"}
        write_json(self.array_path.with_suffix(".json"), {"version": VERSION, **content})

    @classmethod
    def load(cls, json_path: Path) -> "Shard":
        """Read the JSON of a shard.

        Raises:
            ValueError: If it is not a description of a shard of this version.
            OSError: If it cannot be read.
        """
        try:
            content: dict[str, Any] = json.loads(json_path.read_text(encoding="utf-8"))
            if content["version"] != VERSION:
                raise ValueError(f"unknown version {content['version']}")
            shard = cls(
                array_path=json_path.with_suffix(".npy"),
                recipe_sha256=content["recipe_sha256"],
                shape=tuple(content["shape"]),
                dtype=content["dtype"],
                ids=tuple(content["ids"]),
                crc32=tuple(content["crc32"]),
                stamps=tuple((int(size), int(time)) for size, time in content["stamps"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{json_path.name} does not describe a shard ({error}).") from error
        if not len(shard.ids) == len(shard.crc32) == len(shard.stamps) > 0:
            raise ValueError(f"{json_path.name} lists unequal numbers of ids and checksums.")
        return shard


def checksum(image: np.ndarray) -> int:
    """CRC-32 of the pixels of one image."""
    return zlib.crc32(np.ascontiguousarray(image).data)


def write_shard(
    folder: Path,
    recipe_sha256: str,
    images: np.ndarray,
    ids: Sequence[str],
    stamps: Sequence[Stamp],
) -> Shard:
    """Write images, shape ``(N, C, H, W)``, then the JSON that vouches for them."""
    path = folder / f"{PREFIX}{sha256_json([recipe_sha256, *ids])[:16]}.npy"
    with atomic_file(path) as stream:
        np.lib.format.write_array(stream, images, allow_pickle=False)
    shard = Shard(
        array_path=path,
        recipe_sha256=recipe_sha256,
        shape=tuple(images.shape[1:]),
        dtype=images.dtype.name,
        ids=tuple(ids),
        crc32=tuple(checksum(image) for image in images),
        stamps=tuple(stamps),
    )
    try:
        shard.save()
    except OSError:  # an array that nothing vouches for is only in the way
        path.unlink(missing_ok=True)
        raise
    return shard


def read_shards(folder: Path, recipe_sha256: str) -> tuple[list[Shard], list[Path]]:
    """Shards of this recipe in ``folder``, and the array paths of what is damaged or foreign."""
    shards: list[Shard] = []
    damaged: list[Path] = []
    for json_path in sorted(folder.glob(f"{PREFIX}*.json")):
        try:
            shard = Shard.load(json_path)
            shard.open()
        except (OSError, ValueError):
            damaged.append(json_path.with_suffix(".npy"))
            continue
        if shard.recipe_sha256 == recipe_sha256:
            shards.append(shard)
        else:
            damaged.append(shard.array_path)
    vouched = {shard.array_path for shard in shards}
    orphans = set(folder.glob(f"{PREFIX}*.npy")) - vouched - set(damaged)
    return shards, damaged + sorted(orphans)


def remove_shard(array_path: Path) -> None:
    """Delete a shard, its JSON first so that nothing vouches for half of it."""
    array_path.with_suffix(".json").unlink(missing_ok=True)
    array_path.unlink(missing_ok=True)
