"""The files of a folder in a fixed order, each with its kind or the reason it is no image."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monai_gan_aug.io.detect import ImageFormat, detect_format, media_storage_class

__all__ = ["FoundFile", "walk_files", "walk_images"]

SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx", "$recycle.bin"})
DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
RASTER_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp")
IMAGE_SUFFIXES = frozenset({*DICOM_SUFFIXES, *RASTER_SUFFIXES, ".nii", ".npy"})
CACHE_RECIPE, CACHE_SHARD = "recipe.json", "shard-"
"""What a folder of :mod:`monai_gan_aug.data.cache` is known by; its arrays are no sources."""
NOT_AN_IMAGE = (
    ("1.2.840.10008.5.1.4.1.1.88.", "structured report"),
    ("1.2.840.10008.5.1.4.1.1.481.2", "RT dose"),
    ("1.2.840.10008.5.1.4.1.1.481.3", "RT structure set"),
    ("1.2.840.10008.5.1.4.1.1.481.", "RT plan or record"),
    ("1.2.840.10008.5.1.4.1.1.104.", "encapsulated document (PDF, CDA, model)"),
    ("1.2.840.10008.5.1.4.1.1.11.", "presentation state"),
    ("1.2.840.10008.5.1.4.1.1.9.", "waveform"),
    ("1.2.840.10008.5.1.4.1.1.66", "segmentation, registration or raw data"),
    ("1.2.840.10008.5.1.4.1.1.67", "real world value mapping"),
)
HEAD_BYTES = 1024


@dataclass(frozen=True)
class FoundFile:
    """One file below a folder.

    Args:
        name: Path relative to the folder.
        format: What its content is.
        skip: Why it is no image, or ``None`` if it is to be read.
    """

    name: Path
    format: ImageFormat
    skip: str | None = None


def walk_files(source: str | Path) -> Iterator[FoundFile]:
    """Every file below ``source`` in sorted order, with one folder in memory at a time.

    Hidden and system files, links out of the folder, DICOM objects that are no images and files
    of other kinds carry the reason in ``skip``. A file that is named like an image but holds
    something else is *not* skipped: reading it says what is wrong with it.

    Raises:
        NotADirectoryError: If ``source`` is not a folder.
    """
    source = Path(source)
    if not source.is_dir():
        raise NotADirectoryError(f"{source.name} is not a folder: name the folder of the images.")
    yield from _walk(source, source.resolve())


def walk_images(source: str | Path) -> Iterator[FoundFile]:
    """The files of :func:`walk_files` that are to be read as images."""
    return (file for file in walk_files(source) if file.skip is None)


def _walk(source: Path, resolved: Path) -> Iterator[FoundFile]:
    """Files in sorted order; no recursion, so that folders may nest as deep as paths are long."""
    waiting = [_children(source, Path())]
    while waiting:
        for name, is_folder, reason in waiting[-1]:
            if reason is not None:
                yield FoundFile(name, ImageFormat.UNKNOWN, reason)
            elif is_folder:
                waiting.append(_children(source, name))
                break
            else:
                yield _classify(source, name, resolved)
        else:
            waiting.pop()


def _children(source: Path, folder: Path) -> Iterator[tuple[Path, bool, str | None]]:
    """Name, whether it is a folder, and why it is passed over, of what is in ``folder``."""
    try:
        with os.scandir(source / folder) as entries:
            children = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in entries)
    except OSError:
        yield folder, True, "folder that cannot be opened"
        return
    is_cache = _is_image_cache([child for child, is_folder in children if not is_folder])
    for child, is_folder in children:
        reason = None
        if child.startswith(".") or child.lower() in SYSTEM_NAMES:
            reason = "hidden or system file"
        elif is_cache and not is_folder:
            reason = "image cache of this toolkit"
        yield folder / child, is_folder, reason


def _is_image_cache(names: list[str]) -> bool:
    return CACHE_RECIPE in names and any(name.startswith(CACHE_SHARD) for name in names)


def _classify(source: Path, name: Path, resolved: Path) -> FoundFile:
    path = source / name
    if path.is_symlink() and (not path.is_file() or not path.resolve().is_relative_to(resolved)):
        return FoundFile(name, ImageFormat.UNKNOWN, "link to a folder or out of the folder")
    if not path.is_file():
        return FoundFile(name, ImageFormat.UNKNOWN, "not a regular file")
    try:
        kind = detect_format(path)
        skip = _reason_to_skip(path, kind)
    except OSError:  # reading it as an image reports the cause
        return FoundFile(name, ImageFormat.UNKNOWN)
    return FoundFile(name, kind, skip)


def _reason_to_skip(path: Path, kind: ImageFormat) -> str | None:
    if kind is ImageFormat.DICOMDIR:
        return "DICOMDIR"
    if kind is ImageFormat.DICOM:
        with path.open("rb") as stream:
            sop_class = media_storage_class(stream.read(HEAD_BYTES)) or ""
        return next((what for root, what in NOT_AN_IMAGE if sop_class.startswith(root)), None)
    named_as_image = path.suffix.lower() in IMAGE_SUFFIXES or path.name.lower().endswith(".nii.gz")
    if kind in (ImageFormat.UNKNOWN, ImageFormat.EMPTY) and not named_as_image:
        return f"other file ({path.suffix.lower() or 'no suffix'})"
    return None
