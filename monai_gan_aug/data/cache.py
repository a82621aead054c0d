"""The decode-once cache: every image of a recipe in memory-mapped shards, found by content id.

Layout: ``<cache_dir>/<first 16 digits of the recipe hash>/shard-<hash>.npy`` with a ``.json`` each.
A shard is complete or absent, and never changes, so a run that was killed loses at most the shard
it was writing. The cache holds pixels of patients and nothing else about them: protect it like
the source images.
"""

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from monai_gan_aug.data.decoding import Decoded, ImageFile, decode_images
from monai_gan_aug.data.paths import printable, resolve_inside
from monai_gan_aug.data.shards import Shard, checksum, read_shards, remove_shard, write_shard
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import remove_leftovers
from monai_gan_aug.io.frames import frame_name
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.records.cache import CacheRecipe
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

try:
    import fcntl
except ImportError:  # not on Windows, where two builders may decode the same images twice
    fcntl = None  # type: ignore[assignment]

__all__ = ["ImageCache", "OnError", "prune_cache"]

OnError = Literal["raise", "skip"]

MAX_SHARD_IMAGES = 2048
MAX_SHARD_BYTES = 1 << 26
logger = logging.getLogger(__name__)


@dataclass
class ImageCache:
    """Preprocessed images by row; make one with :meth:`build`.

    Args:
        folder: Folder of the recipe.
        shape: ``(C, H, W)`` of every image.
        dtype: Pixel type.
        shards: The shards in use; rows count through them in this order.
        skipped: Why an image is missing, by the name it was asked for.
        decoded: How many images the build had to decode.
    """

    folder: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    shards: list[Shard]
    skipped: Mapping[str, str] = field(default_factory=dict)
    decoded: int = 0

    def __post_init__(self) -> None:
        self._arrays = [shard.open() for shard in self.shards]
        self._starts = np.cumsum([0, *(len(shard.ids) for shard in self.shards)])
        numbered = (id_ for shard in self.shards for id_ in shard.ids)
        self._rows = {id_: row for row, id_ in enumerate(numbered)}

    @classmethod
    def build(
        cls,
        entries: Sequence[ImageFile],
        root: Path,
        recipe: PreprocessingRecipe,
        cache_dir: Path,
        *,
        workers: int | None = None,
        progress: bool = True,
        on_error: OnError = "raise",
        max_bad_fraction: float = 0.02,
    ) -> "ImageCache":
        """Decode what the cache lacks and return it; what is there is checked and reused.

        An image is known by its content id. If size or time of a source file changed since it was
        cached, the file is hashed again; other content than the datalist names is an error. A
        source file that is gone does no harm once it is cached.

        Args:
            entries: Images, with ``image`` (path relative to ``root``) and ``id`` (content id).
            root: Data root.
            recipe: Preprocessing; another recipe is another cache.
            cache_dir: Where caches of all recipes live.
            workers: Decoding processes; ``None`` for one per core.
            progress: Whether to show a progress bar.
            on_error: ``"raise"`` at the first bad image or ``"skip"`` and record it.
            max_bad_fraction: With ``"skip"``, the largest part of the images that may be bad.

        Raises:
            ImageReadError: If an image is bad and ``on_error`` is ``"raise"``.
            DataError: If too many images are bad.
            OSError: If the disk is too small, or the folder cannot be written.
        """
        if on_error not in ("raise", "skip"):
            raise ValueError(f"`on_error` must be 'raise' or 'skip', got {on_error!r}.")
        unique = list({entry.id: entry for entry in reversed(entries)}.values())[::-1]
        builder = _Builder(Path(root), recipe, Path(cache_dir) / recipe.sha256[:16], on_error)
        builder.max_bad = int(max_bad_fraction * len(unique))
        with _one_builder_at_a_time(builder.folder):
            missing = builder.check(unique)
            if missing:
                builder.decode(missing, workers=workers, progress=progress)
        return builder.open(entry.id for entry in unique)

    @classmethod
    def union(cls, caches: Sequence["ImageCache"]) -> "ImageCache":
        """One cache over the images of several, all of the same recipe and folder."""
        first = caches[0]
        shards = {shard.array_path: shard for cache in caches for shard in cache.shards}
        skipped = {name: why for cache in caches for name, why in cache.skipped.items()}
        decoded = sum(cache.decoded for cache in caches)
        if any(cache.folder != first.folder for cache in caches):
            raise ValueError("Only caches of one recipe in one `cache_dir` can be united.")
        return cls(first.folder, first.shape, first.dtype, [*shards.values()], skipped, decoded)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._rows

    def rows(self, ids: Iterable[str]) -> np.ndarray:
        """Row numbers of images, ``int64`` of shape ``(N,)``.

        Raises:
            DataError: If an image is not in the cache.
        """
        try:
            return np.fromiter((self._rows[id_] for id_ in ids), dtype=np.int64)
        except KeyError as error:
            raise DataError(
                f"Image {error} is not in the cache: build it for this datalist."
            ) from None

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """Images at ``rows``, a new array of shape ``(B, C, H, W)``."""
        rows = np.asarray(rows, dtype=np.int64)
        if len(self._arrays) == 1:
            gathered: np.ndarray = self._arrays[0][rows]
            return gathered
        images = np.empty((len(rows), *self.shape), dtype=self.dtype)
        home = np.searchsorted(self._starts, rows, side="right") - 1
        for shard in np.unique(home):
            here = home == shard
            images[here] = self._arrays[shard][rows[here] - self._starts[shard]]
        return images

    def verify(self) -> list[str]:
        """Content ids of the images whose pixels no longer match their checksum (none, if well)."""
        return [
            id_
            for shard, array in zip(self.shards, self._arrays, strict=True)
            for id_, crc, image in zip(shard.ids, shard.crc32, array, strict=True)
            if checksum(image) != crc
        ]

    def info(self) -> dict[str, Any]:
        """Numbers for a log or a report: images, shards, bytes, shape, type, decoded, skipped."""
        return {
            "images": len(self),
            "shards": len(self.shards),
            "bytes": sum(array.nbytes for array in self._arrays),
            "shape": list(self.shape),
            "dtype": self.dtype.name,
            "decoded": self.decoded,
            "skipped": len(self.skipped),
        }

    def __getstate__(self) -> dict[str, Any]:
        own = ("folder", "shape", "dtype", "shards", "skipped", "decoded")
        return {name: getattr(self, name) for name in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()


class _Builder:
    """One build: what is there and sound, then what has to be decoded."""

    def __init__(
        self, root: Path, recipe: PreprocessingRecipe, folder: Path, on_error: OnError
    ) -> None:
        self.root = root
        self.recipe = recipe
        self.folder = folder
        self.on_error = on_error
        self.max_bad = 0
        self.skipped: dict[str, str] = {}
        self.decoded = 0
        self.shape = (recipe.channels, recipe.size, recipe.size)
        self.dtype = np.dtype(np.uint16 if recipe.bits == 16 else np.uint8)

    def check(self, entries: Sequence[ImageFile]) -> list[ImageFile]:
        """Entries to decode, after damaged shards are gone and changed sources are found."""
        if not self.folder.is_dir():
            return list(entries)
        remove_leftovers(self.folder)
        wanted = {entry.id: entry for entry in entries}
        shards, damaged = read_shards(self.folder, self.recipe.sha256)
        present: set[str] = set()
        for shard in shards:
            if not wanted.keys() & set(shard.ids):
                continue
            if _intact(shard):
                self._check_sources(shard, wanted)
                present.update(shard.ids)
            else:
                damaged.append(shard.array_path)
        for array_path in damaged:
            logger.warning("Cache shard %s is damaged: decoding again.", array_path.name)
            remove_shard(array_path)
        return [e for e in entries if e.id not in present and _name(e) not in self.skipped]

    def _check_sources(self, shard: Shard, wanted: Mapping[str, ImageFile]) -> None:
        """Hash again the source files that were touched since they were cached."""
        stamps = list(shard.stamps)
        for position, id_ in enumerate(shard.ids):
            entry = wanted.get(id_)
            if entry is None:
                continue
            try:
                path = resolve_inside(self.root, entry.image)
                status = path.stat()
            except FileNotFoundError:
                continue
            stamp = (status.st_size, status.st_mtime_ns)
            if stamp != stamps[position]:
                if content_id(path, entry.frame) != id_:
                    reason = "changed after the datalist was made: run `prepare` again"
                    self._bad(entry, DataError(f"{printable(_name(entry))} {reason}."))
                else:
                    stamps[position] = stamp
        if tuple(stamps) != shard.stamps:
            with suppress(OSError):  # a cache that cannot be written only hashes again next time
                shard.with_stamps(stamps)

    def decode(self, entries: Sequence[ImageFile], *, workers: int | None, progress: bool) -> None:
        """Decode ``entries`` into new shards, one at a time."""
        image_bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        self._announce(len(entries), len(entries) * image_bytes)
        per_shard = max(1, min(MAX_SHARD_IMAGES, MAX_SHARD_BYTES // image_bytes))
        results = zip(
            entries,
            decode_images(
                entries,
                self.root,
                self.recipe,
                workers=workers,
                progress=progress,
                description="filling the image cache",
            ),
            strict=True,
        )
        while batch := list(islice(results, per_shard)):
            good = [decoded for entry, decoded in batch if self._accept(entry, decoded)]
            if good:
                write_shard(
                    self.folder,
                    self.recipe.sha256,
                    np.stack([decoded.pixels for decoded in good if decoded.pixels is not None]),
                    [decoded.id for decoded in good],
                    [decoded.stamp for decoded in good],
                )
                self.decoded += len(good)

    def _accept(self, entry: ImageFile, decoded: Decoded) -> bool:
        if decoded.pixels is None:
            self._bad(entry, decoded.error or DataError("unknown"))
            return False
        if decoded.pixels.shape != self.shape or decoded.pixels.dtype != self.dtype:
            raise ValueError(
                f"The recipe must make {self.dtype} images of shape {self.shape}, got "
                f"{decoded.pixels.dtype} of {decoded.pixels.shape} for {printable(_name(entry))}."
            )
        return True

    def _bad(self, entry: ImageFile, error: DataError) -> None:
        if self.on_error == "raise":
            raise error
        self.skipped[_name(entry)] = str(error)
        logger.warning("Skipped: %s", error)
        if len(self.skipped) > self.max_bad:
            raise DataError(
                f"{len(self.skipped)} images are bad, more than `max_bad_fraction` allows "
                f"({self.max_bad}); the last: {error}"
            )

    def _announce(self, images: int, needed: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        logger.info("Caching %d images, %.1f MB (%.0f MB free).", images, needed / 1e6, free / 1e6)
        if needed > free:
            raise OSError(
                f"disk full: the image cache needs {needed / 1e6:.0f} MB and {free / 1e6:.0f} MB "
                "are free; free space or choose another `cache_dir`"
            )
        CacheRecipe(self.recipe.to_dict()).save(self.folder / "recipe.json")

    def open(self, ids: Iterable[str]) -> ImageCache:
        """The cache, reduced to the shards that hold ``ids``."""
        shards, _ = read_shards(self.folder, self.recipe.sha256)
        wanted = set(ids)
        used = [shard for shard in shards if wanted & set(shard.ids)]
        return ImageCache(self.folder, self.shape, self.dtype, used, self.skipped, self.decoded)


def prune_cache(cache_dir: Path, keep: Iterable[PreprocessingRecipe] = ()) -> int:
    """Delete the caches of all recipes but ``keep``; return the bytes freed."""
    kept = {recipe.sha256[:16] for recipe in keep}
    freed = 0
    for recipe_file in Path(cache_dir).glob("*/recipe.json"):
        folder = recipe_file.parent
        if folder.name not in kept:
            freed += sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
            shutil.rmtree(folder)
    return freed


def _name(entry: ImageFile) -> str:
    return frame_name(entry.image, entry.frame)


def _intact(shard: Shard) -> bool:
    return all(checksum(image) == crc for image, crc in zip(shard.open(), shard.crc32, strict=True))


@contextmanager
def _one_builder_at_a_time(folder: Path) -> Iterator[None]:
    """Let other processes wait while this one fills the cache; a kill releases the lock."""
    with ExitStack() as held:
        with suppress(OSError):  # a read-only cache that is complete needs no lock
            folder.mkdir(parents=True, exist_ok=True)
            stream = held.enter_context((folder / "lock").open("wb"))
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX)
        yield
