"""Headers of the image cache: the recipe of a folder, and what vouches for a shard."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.files import FileRecord

__all__ = ["CacheRecipe", "ShardHeader", "Stamp"]

Stamp = tuple[int, int]
"""Size of a source file in bytes and its time of modification in nanoseconds."""

AGAIN = "delete it, its images are decoded again"


@dataclass(frozen=True)
class CacheRecipe(FileRecord):
    """``recipe.json``: the preprocessing of the images in a folder of the cache."""

    KIND = "the recipe of an image cache"
    REMEDY = AGAIN

    recipe: Mapping[str, object]

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Without a number the file held the recipe alone."""
        return {"recipe": content}


@dataclass(frozen=True)
class ShardHeader(FileRecord):
    """What the JSON of one shard says.

    Args:
        recipe_sha256: Hash of the preprocessing recipe.
        shape: ``(C, H, W)`` of every image.
        dtype: NumPy name of the pixel type.
        ids: Content id of each source file.
        crc32: Checksum of each image's pixels.
        stamps: Size and time of each source file when it was last checked.
    """

    KIND = "the description of a shard"
    REMEDY = AGAIN

    recipe_sha256: str
    shape: tuple[int, ...]
    dtype: str
    ids: tuple[str, ...]
    crc32: tuple[int, ...]
    stamps: tuple[Stamp, ...]

    def check(self) -> None:
        """Refuse unequal numbers of ids, checksums and stamps."""
        if not len(self.ids) == len(self.crc32) == len(self.stamps) > 0:
            raise DataError("lists unequal numbers of ids and checksums.")

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """The first files called their number ``version``."""
        if isinstance(content, dict) and content.get("version") == 1:
            return {key: value for key, value in content.items() if key != "version"}
        return None
