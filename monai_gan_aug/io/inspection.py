"""What is in a folder: kinds of images, what cannot be read and what is no image."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.detect import ImageFormat
from monai_gan_aug.io.dicom.header import read_dicom_header, refuse_impossible_frames
from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.names import display_name
from monai_gan_aug.io.raster import read_raster_header
from monai_gan_aug.io.reading import RASTER, list_frames, read_image
from monai_gan_aug.io.refusal import rejected_list
from monai_gan_aug.io.walking import walk_files

__all__ = ["Inspection", "Kind", "inspect_folder"]

SHOWN_KINDS = 40
SHOWN_FAILURES = 20


@dataclass(frozen=True, order=True)
class Kind:
    """What images have in common that are counted together.

    Args:
        format: Kind of file.
        modality: DICOM modality or empty.
        size: Rows and columns as text.
        bits: Bits per sample.
        photometric: Photometric interpretation or Pillow mode.
        encoding: Transfer syntax or empty.
    """

    format: str
    modality: str
    size: str
    bits: str
    photometric: str
    encoding: str


@dataclass
class Inspection:
    """Counts of a folder; nothing in it grows with the number of good files of one kind.

    Args:
        images: Number of images of each kind.
        skipped: Number of files that are no images, by reason.
        unreadable: Names and reasons of the first images that cannot be read.
        unreadable_count: How many images cannot be read.
    """

    images: Counter[Kind] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    unreadable_count: int = 0

    def table(self) -> str:
        """The inspection as text for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (
            f"{self.images.total()} images of {len(self.images)} kinds, "
            f"{self.unreadable_count} unreadable, {self.skipped.total()} other files"
        )
        if self.images:
            yield from self._image_lines()
        for reason, count in self.skipped.most_common():
            yield f"{count:>8}  skipped: {reason}"
        for name, reason in self.unreadable:
            yield f"unreadable: {name} {reason}"
        if self.unreadable_count > len(self.unreadable):
            more = self.unreadable_count - len(self.unreadable)
            yield f"… and {more} more: `--rejected FILE` lists all of them"

    def _image_lines(self) -> Iterator[str]:
        heading = ("images", "format", "modality", "size", "bits", "pixels", "encoding")
        rows = [heading] + [
            (
                str(count),
                kind.format,
                kind.modality or "-",
                kind.size,
                kind.bits,
                kind.photometric,
                kind.encoding or "-",
            )
            for kind, count in self.images.most_common(SHOWN_KINDS)
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  ".join((first.strip().rjust(8), *rest)).rstrip()
        if len(self.images) > SHOWN_KINDS:
            yield f"… and {len(self.images) - SHOWN_KINDS} more kinds"


def inspect_folder(
    source: str | Path,
    *,
    decode: bool = False,
    progress: bool = True,
    limits: ReadLimits | None = None,
    rejected: str | Path | None = None,
) -> Inspection:
    """Count what is below ``source``, in bounded memory.

    Args:
        source: Folder of images.
        decode: Also decode every image, which finds damaged pixels but takes as long as reading.
        progress: Whether to show a progress bar on a terminal.
        limits: Sizes beyond which an image counts as unreadable.
        rejected: Text file that gets a line for every file that is skipped or unreadable.

    Raises:
        NotADirectoryError: If ``source`` is not a folder.
    """
    source = Path(source)
    limits = limits or ReadLimits()
    result = Inspection()
    files = walk_files(source)
    silent = None if progress else True
    with rejected_list(rejected) as reject:
        for file in tqdm(files, desc="inspecting", unit="file", disable=silent):
            if file.skip is not None:
                result.skipped[file.skip] += 1
                reject(f"{display_name(file.name, '.')} is skipped: {file.skip}.")
                continue
            try:
                kind = _kind(source / file.name, file.format, source, limits, decode)
            except ImageReadError as error:
                reject(str(error))
                result.unreadable_count += 1
                if len(result.unreadable) < SHOWN_FAILURES:
                    result.unreadable.append((error.name, f"{error.reason}: {error.remedy}"))
            else:
                result.images[kind] += 1
    return result


def _kind(path: Path, form: ImageFormat, root: Path, limits: ReadLimits, decode: bool) -> Kind:
    name = display_name(path, root)
    if form is ImageFormat.DICOM:
        kind, frames = _dicom_kind(path, name, root, limits)
    else:
        frames = list_frames(path, root=root, limits=limits)
        kind = _other_kind(path, form, name, root, limits, frames)
    if decode:
        for frame in frames or [None]:
            read_image(path, root=root, limits=limits, frame=frame)
    return kind


def _dicom_kind(path: Path, name: str, root: Path, limits: ReadLimits) -> tuple[Kind, range | None]:
    header = read_dicom_header(path, root=root, limits=limits)
    if header.rows is None or header.columns is None:
        raise ImageReadError(name, "is DICOM without an image", "leave it out")
    refuse_impossible_frames(header.frames, path, name)
    frames = range(header.frames) if header.frames > 1 else None
    kind = Kind(
        format=ImageFormat.DICOM.value,
        modality=header.modality or "",
        size=_size(header.rows, header.columns, frames),
        bits=str(header.bits_stored or "-"),
        photometric=header.photometric or "-",
        encoding=header.transfer_syntax or "",
    )
    return kind, frames


def _other_kind(
    path: Path, form: ImageFormat, name: str, root: Path, limits: ReadLimits, frames: range | None
) -> Kind:
    if form in RASTER:
        height, width, mode, bits = read_raster_header(path, name, form)
        return Kind(form.value, "", _size(height, width, frames), bits, mode, "")
    first = read_image(path, root=root, limits=limits, frame=frames[0] if frames else None)
    _, height, width = first.pixels.shape
    bits = str(8 * first.pixels.itemsize)
    return Kind(form.value, "", _size(height, width, frames), bits, first.units.value, "")


def _size(height: int, width: int, frames: range | None) -> str:
    return f"{height}x{width}" + (f" x {len(frames)} frames" if frames else "")
