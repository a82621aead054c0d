"""A folder of image caches as a whole: what is in it, whether it is sound, and what may go.

Nothing here needs the images or their datalist, and nothing it says names one: a cache is known
by the hash of its recipe.
"""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_gan_aug.data.shards import Shard, checksum, read_shards, remove_shard
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import TEMPORARY_SUFFIX
from monai_gan_aug.records.cache import CacheRecipe
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["RecipeCache", "cache_table", "list_caches", "prune_caches", "verify_caches"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecipeCache:
    """The cache of one recipe.

    Args:
        folder: Its folder.
        recipe: The recipe.
        shards: Whole shards.
        damaged: Array paths of what is truncated, foreign or not vouched for.
        size: Bytes on the disk, leftovers of kills included.
    """

    folder: Path
    recipe: PreprocessingRecipe
    shards: Sequence[Shard]
    damaged: Sequence[Path]
    size: int

    @property
    def images(self) -> int:
        """How many images it holds."""
        return sum(len(shard.ids) for shard in self.shards)


def list_caches(cache_dir: Path) -> list[RecipeCache]:
    """The caches in ``cache_dir``, largest first.

    Raises:
        DataError: If the folder holds none.
    """
    caches = []
    for recipe_file in sorted(Path(cache_dir).glob("*/recipe.json")):
        folder = recipe_file.parent
        try:
            recipe = PreprocessingRecipe.from_dict(dict(CacheRecipe.load(recipe_file).recipe))
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("Passed over %s: %s.", folder.name, type(error).__name__)
            continue
        if recipe.sha256[:16] != folder.name:
            logger.warning("Passed over %s, which is not named after its recipe.", folder.name)
            continue
        shards, damaged = read_shards(folder, recipe.sha256)
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        caches.append(RecipeCache(folder, recipe, shards, damaged, size))
    if not caches:
        raise DataError("The folder holds no image cache: name the `cache_dir` of a run.")
    return sorted(caches, key=lambda cache: -cache.size)


def cache_table(caches: Sequence[RecipeCache]) -> str:
    """One line per cache: recipe, images, shards, megabytes and what is damaged."""
    lines = [f"{'recipe':<18}{'images':>8}{'shards':>8}{'MB':>9}  preprocessing"]
    for cache in caches:
        knobs: dict[str, Any] = cache.recipe.to_dict()
        shown = ", ".join(f"{name} {value}" for name, value in knobs.items())
        note = f"; {len(cache.damaged)} damaged" if cache.damaged else ""
        counts = f"{cache.images:>8}{len(cache.shards):>8}{cache.size / 1e6:>9.1f}"
        lines.append(f"{cache.folder.name:<18}{counts}  {shown}{note}")
    total = sum(cache.size for cache in caches) / 1e6
    return "\n".join([*lines, f"{len(caches)} caches, {total:.1f} MB"])


def verify_caches(caches: Sequence[RecipeCache]) -> list[str]:
    """Names of damaged shards, every pixel checked; a build decodes their images again."""
    bad = [f"{cache.folder.name}/{path.name}" for cache in caches for path in cache.damaged]
    for cache in caches:
        for shard in cache.shards:
            pairs = zip(shard.open(), shard.crc32, strict=True)
            if any(checksum(image) != crc for image, crc in pairs):
                bad.append(f"{cache.folder.name}/{shard.array_path.name}")
    return bad


def prune_caches(caches: Sequence[RecipeCache], keep: Sequence[str] = ()) -> int:
    """Delete caches, or only what is damaged in those to keep; return the bytes freed.

    Args:
        caches: As from :func:`list_caches`.
        keep: Beginnings of the recipe hashes to keep.

    Raises:
        DataError: If one of ``keep`` names no cache, so that nothing is deleted by a misspelling.
    """
    names = [cache.folder.name for cache in caches]
    unknown = [start for start in keep if not start or not any(n.startswith(start) for n in names)]
    if unknown:
        raise DataError(f"No cache begins with {', '.join(map(repr, unknown))}: see `cache info`.")
    freed = 0
    for cache in caches:
        if any(cache.folder.name.startswith(start) for start in keep):
            leftovers = [*cache.folder.glob(f"*{TEMPORARY_SUFFIX}"), *cache.damaged]
            freed += sum(path.stat().st_size for path in leftovers if path.exists())
            for path in cache.damaged:
                remove_shard(path)
            for path in cache.folder.glob(f"*{TEMPORARY_SUFFIX}"):
                path.unlink(missing_ok=True)
        else:
            freed += cache.size
            shutil.rmtree(cache.folder)
    return freed
