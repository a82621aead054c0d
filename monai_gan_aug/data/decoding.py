"""Many image files to small arrays: inline when that is quick, in parallel processes otherwise."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from joblib import Parallel, delayed  # type: ignore[import-untyped]
from tqdm import tqdm

from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.cores import usable_cores
from monai_gan_aug.io.frames import frame_name
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.io.names import printable, resolve_inside
from monai_gan_aug.io.reading import read_image

__all__ = ["Decoded", "Decoder", "ImageFile", "decode_images"]

Decoder = Callable[[DecodedImage], np.ndarray]
Job = tuple[str, int | None, str]

CHUNK = 16
WORTH_STARTING_WORKERS_S = 20.0


class ImageFile(Protocol):
    """Anything that names an image file: an entry of a datalist, real or synthetic."""

    @property
    def image(self) -> str:
        """Path relative to the root."""

    @property
    def frame(self) -> int | None:
        """Which frame of the file, or ``None`` for a file of one image."""

    @property
    def id(self) -> str:
        """Content id, or an empty string when it is not known yet."""


@dataclass(frozen=True)
class Decoded:
    """What one file became.

    Args:
        pixels: The decoder's array, or ``None`` if the file is bad.
        id: Content id of the file as it was read.
        stamp: Size in bytes and modification time in nanoseconds of the file.
        units: Meaning of the file's values, or ``None`` if it is bad.
        error: Why the file is bad, or ``None``.
    """

    pixels: np.ndarray | None
    id: str
    stamp: tuple[int, int]
    units: Units | None = None
    error: ImageReadError | None = None


def decode_images(
    files: Sequence[ImageFile],
    root: Path,
    decoder: Decoder,
    *,
    workers: int | None = None,
    progress: bool = True,
    description: str = "reading images",
) -> Iterator[Decoded]:
    """Decode ``files`` in order, holding only a few dozen of them at a time.

    The first images are decoded inline and timed; processes are started only when the rest would
    take longer than it takes to start them.

    Args:
        files: What to read; a file whose content does not match its non-empty ``id`` is bad.
        root: Folder the names are relative to.
        decoder: Picklable function from a decoded image to an array. An attribute ``size`` says
            to how many pixels it shrinks, so that a JPEG need not be decoded in full.
        workers: Processes; ``None`` for one per available core, ``0`` or ``1`` for inline.
        progress: Whether to show a progress bar.
        description: Label of the bar.

    Yields:
        One :class:`Decoded` per file, in the order of ``files``.

    Raises:
        DataError: If a decoding process dies.
        ValueError: From the decoder, when its settings do not fit the images at all.
    """
    root = Path(root)
    workers = usable_cores() if workers is None else workers
    jobs = iter([(file.image, file.frame, file.id) for file in files])
    with tqdm(
        total=len(files), desc=description, unit="image", disable=None if progress else True
    ) as bar:
        seconds = []  # the median counts: the first image also pays for imports
        for job in islice(jobs, CHUNK):
            begin = time.monotonic()
            result = _decode(job, root, decoder)
            seconds.append(time.monotonic() - begin)
            yield result
            bar.update()
        rest = list(jobs)
        parallel = _worth_starting(workers, seconds, len(rest))
        chunks = [rest[i : i + CHUNK] for i in range(0, len(rest), CHUNK)]
        results = (
            _decode_in_processes(chunks, root, decoder, workers)
            if parallel
            else (_decode_chunk(chunk, root, decoder) for chunk in chunks)
        )
        for chunk_result in results:
            yield from chunk_result
            bar.update(len(chunk_result))


def _worth_starting(workers: int, seconds: list[float], remaining: int) -> bool:
    if workers < 2 or not remaining or multiprocessing.current_process().daemon:
        return False
    return statistics.median(seconds) * remaining > WORTH_STARTING_WORKERS_S


def _decode(job: Job, root: Path, decoder: Decoder) -> Decoded:
    file, frame, expected = job
    name = frame_name(file, frame)
    stamp, read_id = (0, 0), expected
    try:
        path = resolve_inside(root, file)
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns)
        read_id = content_id(path, frame)
        if expected and read_id != expected:
            raise ImageReadError(
                printable(name), "changed after the datalist was made", "run `prepare` again"
            )
        size = getattr(decoder, "size", None)  # to which the decoder shrinks, if it says so
        image = read_image(path, root=root.resolve(), frame=frame, target_size=size)
        pixels = decoder(image)
    except ImageReadError as error:
        return Decoded(None, read_id, stamp, error=error)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        trouble = ImageReadError(printable(name), f"failed ({reason})", "check the file")
        return Decoded(None, read_id, stamp, error=trouble)
    except DataError as error:
        trouble = ImageReadError(
            printable(name), f"is refused ({error})", "change that or leave it out"
        )
        return Decoded(None, read_id, stamp, error=trouble)
    return Decoded(np.ascontiguousarray(pixels), read_id, stamp, image.units)


def _decode_chunk(chunk: list[Job], root: Path, decoder: Decoder) -> list[Decoded]:
    return [_decode(job, root, decoder) for job in chunk]


def _decode_in_processes(
    chunks: list[list[Job]], root: Path, decoder: Decoder, workers: int
) -> Iterator[list[Decoded]]:
    """Results of the chunks in order.

    Joblib's processes start clean: no threads inherited in an unknown state, as a fork would, and
    no second run of a script that lacks ``if __name__ == "__main__"``, as a spawn would.
    """
    parallel = Parallel(
        n_jobs=min(workers, len(chunks)), backend="loky", return_as="generator", batch_size=1
    )
    try:
        yield from parallel(delayed(_decode_chunk)(chunk, root, decoder) for chunk in chunks)
    except BrokenProcessPool as error:
        raise DataError(
            "A process that reads images died, probably for lack of memory: use fewer `workers` "
            "(0 reads in this process)."
        ) from error
