"""One picture of many images, to see at a glance what a folder holds."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.image import DecodedImage, Units
from monai_gan_aug.io.png import write_png
from monai_gan_aug.io.reading import list_frames, read_image
from monai_gan_aug.io.walking import walk_images

__all__ = ["contact_sheet"]

GAP = 2
FULL_SCALE = {Units.DISPLAY8: 255.0, Units.DISPLAY16: 65535.0}


def contact_sheet(
    source: str | Path, path: str | Path, *, columns: int = 10, rows: int = 10, tile: int = 128
) -> int:
    """Write a PNG with images taken at even distances from the files below ``source``.

    Frames of multi-frame files and slices of volumes are images, too.

    Grey images are shown in the window of their file, or between their percentiles 1 and 99; the
    sheet shows patients and carries no names. Unreadable images are left out.

    Args:
        source: Folder of images.
        path: Where to write the PNG.
        columns: Images in a row.
        rows: Largest number of rows.
        tile: Side of the square an image is fitted into, in pixels.

    Returns:
        How many images are shown.

    Raises:
        ValueError: If a number is not positive.
        DataError: If no image can be read.
    """
    if min(columns, rows, tile) < 1:
        raise ValueError(f"Numbers must be positive, got {columns} x {rows} tiles of {tile}.")
    source = Path(source)
    tiles = []
    for name, frame in _evenly(source, columns * rows):
        try:
            image = read_image(source / name, target_size=tile, frame=frame)
            tiles.append(_thumbnail(image, tile))
        except ImageReadError:
            continue
    if not tiles:
        raise DataError(f"{source.name} holds no readable image: run `inspect` to see why.")
    columns = min(columns, len(tiles))
    step = tile + GAP
    sheet = np.full((3, -(-len(tiles) // columns) * step - GAP, columns * step - GAP), 64, np.uint8)
    for index, picture in enumerate(tiles):
        top, left = index // columns * step, index % columns * step
        sheet[:, top : top + tile, left : left + tile] = picture
    write_png(path, sheet)
    return len(tiles)


def _evenly(source: Path, wanted: int) -> list[tuple[Path, int | None]]:
    """At most ``wanted`` images; two walks, so that memory does not grow with the folder.

    Of fewer files than that, each frame may be taken; of more files, the middle frame of some.
    """
    total = sum(1 for _ in walk_images(source))
    taken = _even_places(total, wanted)
    files = [file.name for i, file in enumerate(walk_images(source)) if i in taken]
    frames = {name: _frames(source / name) for name in files}
    if total >= wanted:
        return [(n, some[len(some) // 2] if some else None) for n, some in frames.items()]
    every = [(name, frame) for name, some in frames.items() for frame in some or [None]]
    taken = _even_places(len(every), wanted)
    return [place for i, place in enumerate(every) if i in taken]


def _even_places(total: int, wanted: int) -> set[int]:
    return {round(i) for i in np.linspace(0, total - 1, min(wanted, total))}


def _frames(path: Path) -> range | None:
    try:
        return list_frames(path)
    except ImageReadError:
        return None


def _thumbnail(image: DecodedImage, tile: int) -> npt.NDArray[np.uint8]:
    """Shape ``(3, tile, tile)``, black beside the image."""
    low, high = _shown_range(image)
    share = (image.pixels.astype(np.float32) - low) / max(high - low, 1e-6)
    display = (np.clip(share, 0, 1) * 255).astype(np.uint8)
    if len(display) == 1:
        display = np.repeat(display, 3, axis=0)
    picture = Image.fromarray(np.ascontiguousarray(np.moveaxis(display, 0, -1)))
    scale = tile / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    square = Image.new("RGB", (tile, tile))
    corner = ((tile - size[0]) // 2, (tile - size[1]) // 2)
    square.paste(picture.resize(size, Image.Resampling.BOX), corner)
    return np.moveaxis(np.asarray(square), -1, 0)


def _shown_range(image: DecodedImage) -> tuple[float, float]:
    if image.units in FULL_SCALE:
        return 0.0, FULL_SCALE[image.units]
    if image.window is not None:
        center, width = image.window
        return center - width / 2, center + width / 2
    low, high = np.percentile(image.pixels.astype(np.float32), (1, 99))
    return float(low), float(high)
