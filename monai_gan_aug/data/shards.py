"""One shard of the image cache: an ``.npy`` of images and the ``.json`` that vouches for it.

The JSON is written last and holds the checksum of every image, so an array without it, a truncated
or exchanged array, and a shard of another recipe are all recognised. Neither file holds a path, a
name or a header: an image is known by its content id.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from monai_gan_aug.io.atomic import atomic_file
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.cache import ShardHeader, Stamp

__all__ = ["Shard", "checksum", "read_shards", "remove_shard", "write_shard"]

PREFIX = "shard-"


@dataclass(frozen=True)
class Shard:
    """The images of one shard with what vouches for them.

    Args:
        array_path: The ``.npy`` file, shape ``(N, C, H, W)``.
        header: What the JSON beside it says.
    """

    array_path: Path
    header: ShardHeader

    @property
    def recipe_sha256(self) -> str:
        """Hash of the preprocessing recipe."""
        return self.header.recipe_sha256

    @property
    def ids(self) -> tuple[str, ...]:
        """Content id of each source file."""
        return self.header.ids

    @property
    def crc32(self) -> tuple[int, ...]:
        """Checksum of each image's pixels."""
        return self.header.crc32

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """Size and modification time of each source file when it was last checked."""
        return self.header.stamps

    def open(self) -> np.ndarray:
        """Memory-map the images, read only, shape ``(N, C, H, W)``.

        Raises:
            ValueError: If the file is not the array that the JSON describes.
            OSError: If it cannot be opened.
        """
        array = np.lib.format.open_memmap(self.array_path, mode="r")
        header = self.header
        if array.shape != (len(header.ids), *header.shape) or array.dtype.name != header.dtype:
            raise ValueError(f"{self.array_path.name} does not match its description.")
        return array

    def with_stamps(self, stamps: Sequence[Stamp]) -> "Shard":
        """The same shard with new stamps, saved."""
        shard = replace(self, header=replace(self.header, stamps=tuple(stamps)))
        shard.save()
        return shard

    def save(self) -> None:
        """Write the JSON beside the array, atomically."""
        self.header.save(self.array_path.with_suffix(".json"))

    @classmethod
    def load(cls, json_path: Path) -> "Shard":
        """Read the JSON of a shard.

        Raises:
            DataError: If it is not the description of a shard of this version.
        """
        return cls(json_path.with_suffix(".npy"), ShardHeader.load(json_path))


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
    header = ShardHeader(
        recipe_sha256=recipe_sha256,
        shape=tuple(images.shape[1:]),
        dtype=images.dtype.name,
        ids=tuple(ids),
        crc32=tuple(checksum(image) for image in images),
        stamps=tuple(stamps),
    )
    shard = Shard(path, header)
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
