"""Generation of synthetic sets: latents in, marked images with their provenance out."""

import errno
import hashlib
import logging
import shutil
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import Tensor
from torch.utils.data import Dataset

from monai_gan_aug.engines.grids import tile_images
from monai_gan_aug.engines.trained_network import TrainedNetwork
from monai_gan_aug.errors import DataError
from monai_gan_aug.generation.formats import OUTPUT_FORMATS, ImageEncoder, image_encoder
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.io.png import write_png
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.networks.latents import draw_latents
from monai_gan_aug.records.provenance import (
    Provenance,
    SyntheticDatalist,
    SyntheticEntry,
)

__all__ = ["LatentDataset", "SyntheticSetWriter", "prepare_latents"]

THREADS = 4
WORTH_THREADS = 2**16
"""Values of an image from which compressing it, which threads share, outweighs their switching."""
Written = Future[list[tuple[str, str]]]
"""Names and content ids of images that a thread writes."""
logger = logging.getLogger(__name__)
ID_DIGITS = 20
"""Of :func:`monai_gan_aug.io.hashing.content_id`, here taken before the file is written."""


class LatentDataset(Dataset[dict[DataKeys, Tensor]]):
    """Latents and classes to generate from, a pure function of the seed.

    Args:
        samples_per_class: Images per class.
        latent_size: Width ``Z`` of the latents.
        num_classes: Classes of the generator; 0 counts as one.
        seed: Seed of the latents.
        truncation: Scale of the latents; below 1 images are more typical and less diverse.

    Raises:
        ValueError: If ``samples_per_class`` is less than 1, or ``truncation`` not in ``(0, 1]``.

    References:
        Brock et al., "Large Scale GAN Training for High Fidelity Natural Image Synthesis", on
        trading variety for fidelity. https://arxiv.org/abs/1809.11096

    Example:
        >>> len(LatentDataset(samples_per_class=3, latent_size=8, num_classes=2))
        6
    """

    def __init__(
        self,
        samples_per_class: int,
        latent_size: int,
        num_classes: int = 0,
        seed: int = 0,
        truncation: float = 1.0,
    ) -> None:
        if samples_per_class < 1:
            raise ValueError(f"`samples_per_class` must be at least 1, got {samples_per_class}.")
        if not 0 < truncation <= 1:
            raise ValueError(f"`truncation` must be above 0 and at most 1, got {truncation}.")
        classes = max(1, num_classes)
        draw = torch.Generator().manual_seed(seed)
        self.latents = draw_latents(samples_per_class * classes, latent_size, generator=draw)
        if truncation < 1:
            self.latents *= truncation
        self.labels = torch.arange(classes).repeat_interleave(samples_per_class)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[DataKeys, Tensor]:
        """One latent, shape ``(Z,)``, and its class."""
        return {DataKeys.LATENT: self.latents[index], DataKeys.LABEL: self.labels[index]}


def prepare_latents(
    batch: dict[str, Tensor], device: torch.device, non_blocking: bool = False, **kwargs: Any
) -> tuple[Tensor, Tensor, tuple[Tensor], dict[str, Any]]:
    """Latents, classes, and the classes again as argument of the generator."""
    latents = batch[DataKeys.LATENT].to(device=device, non_blocking=non_blocking, **kwargs)
    labels = batch[DataKeys.LABEL].to(device=device, non_blocking=non_blocking)
    return latents, labels, (labels,), {}


class SyntheticSetWriter:
    """Write generated images, a picture of some of them, and last the datalist.

    A folder without ``datalist.json`` is unfinished and is written anew; one with it is refused.

    Args:
        folder: Where the set goes.
        source: The generator with its checkpoint, for provenance.
        output_format: A key of :data:`monai_gan_aug.generation.formats.OUTPUT_FORMATS`.
        seed: Seed of the latents, recorded.
        columns: Images per class in ``grid.png``.
        truncation: Scale of the latents, recorded.
    """

    def __init__(
        self,
        folder: str | Path,
        source: TrainedNetwork,
        output_format: str = "png8",
        seed: int = 0,
        columns: int = 8,
        truncation: float = 1.0,
    ) -> None:
        self.folder = Path(folder)
        self.source = source
        self.output_format = output_format
        self.seed = seed
        self.columns = columns
        self.truncation = truncation
        self.lock = FolderLock(self.folder)
        self._entries: list[SyntheticEntry] = []
        self._shown: dict[int, list[Tensor]] = {}
        self._handed = 0
        self._classes: set[int] = set()
        self._threads = ThreadPoolExecutor(THREADS)  # starts none before it is given work
        self._waiting: deque[tuple[list[str], list[int], list[Written]]] = deque()
        self._encode: ImageEncoder | None = None

    def attach(self, engine: Engine) -> None:
        """Begin, write after each batch, and finish."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._write_batch)
        engine.add_event_handler(Events.COMPLETED, self._finish)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._give_up)

    def _begin(self) -> None:
        if (self.folder / "datalist.json").exists():
            raise DataError(
                f"`synthetic_dir` {self.folder.name} holds a synthetic set already: "
                "choose another folder, or delete it."
            )
        self.lock.acquire()
        shutil.rmtree(self.folder / "images", ignore_errors=True)
        self._encode = image_encoder(self.output_format, self.source.record.recipe)
        (self.folder / "images").mkdir()
        self._entries, self._shown, self._handed = [], {}, 0
        self._classes.clear()
        self._waiting.clear()

    def _write_batch(self, engine: Any) -> None:
        """Hand a batch to the writing threads, which work while the next one is generated."""
        images = engine.state.output[DataKeys.PREDICTION].float().cpu()
        classes = engine.state.batch[DataKeys.LABEL].tolist()
        self._classes.update(classes)
        labels = [self.source.label(i) for i in classes]
        self._collect(keep=1)
        suffix = OUTPUT_FORMATS[self.output_format]
        numbers = range(self._handed + 1, self._handed + len(labels) + 1)
        names = [f"images/{number - 1:07d}{suffix}" for number in numbers]
        self._handed += len(labels)
        threads = THREADS if images[0].numel() >= WORTH_THREADS else 1
        parts = [
            self._threads.submit(self._write_some, names[i::threads], images[i::threads], some)
            for i in range(threads)
            if (some := numbers[i::threads])
        ]
        self._waiting.append((names, labels, parts))
        for image, label in zip(images, labels, strict=True):
            shown = self._shown.setdefault(label, [])
            if len(shown) < self.columns:
                shown.append(image)

    def _collect(self, keep: int) -> None:
        """Take over what was written, and errors, of all batches but the last ``keep``."""
        while len(self._waiting) > keep:
            names, labels, parts = self._waiting.popleft()
            ids = {name: found for part in parts for name, found in part.result()}
            self._entries += [
                SyntheticEntry(name, label, ids[name])
                for name, label in zip(names, labels, strict=True)
            ]

    def _write_some(
        self, names: Sequence[str], images: Tensor, numbers: Sequence[int]
    ) -> list[tuple[str, str]]:
        return [
            (name, self._write_one(name, image, number))
            for name, image, number in zip(names, images, numbers, strict=True)
        ]

    def _write_one(self, name: str, image: Tensor, number: int) -> str:
        """Write one image, not atomically: a set without its datalist is written anew.

        The datalist holds content ids, by which an image lost with the power is found out.
        """
        if self._encode is None:
            raise RuntimeError("The writer was used before its engine started.")
        content = self._encode(image, number)
        try:
            (self.folder / name).write_bytes(content)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                text = f"disk full while writing {name}: free space and generate again"
                raise OSError(errno.ENOSPC, text) from error
            raise
        return hashlib.sha256(content).hexdigest()[:ID_DIGITS]

    def _give_up(self, engine: Any, error: BaseException) -> None:
        self._threads.shutdown(cancel_futures=True)
        raise error

    def _finish(self) -> None:
        self._collect(keep=0)
        self._threads.shutdown()
        sheet = [image for label in sorted(self._shown) for image in self._shown[label]]
        columns = min(self.columns, len(sheet))
        write_png(self.folder / "grid.png", tile_images(torch.stack(sheet), columns))
        settings: dict[str, Any] = {
            "output_format": self.output_format,
            "images": len(self._entries),
            "truncation": self.truncation,
        }
        if self._classes == {0} and len(self.source.record.labels) > 1:
            settings["classes_together"] = True
        SyntheticDatalist(
            labels=self.source.labels,
            training=tuple(self._entries),
            provenance=Provenance(
                self.source.sha256, self.source.record, self.seed, settings=settings
            ),
        ).save(self.folder / "datalist.json")
        self.lock.release()
        logger.info("Wrote %d synthetic images and their datalist.", len(self._entries))
