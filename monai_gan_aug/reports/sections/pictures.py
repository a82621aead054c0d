"""Picture grids, checked and carried inside the report."""

import base64
import io
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.study_parts import Grid

__all__ = ["GridPair", "Picture", "read_grid", "read_picture"]

MAX_SIDE = 6000


@dataclass(frozen=True)
class Picture:
    """One PNG without metadata, with its size in pixels."""

    content: bytes
    width: int
    height: int

    @property
    def data_uri(self) -> str:
        """The picture as a ``data:`` address."""
        return f"data:image/png;base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True)
class GridPair:
    """The real and the synthetic grid of a class; ``real`` is None where it is not shown."""

    seed: int
    label: str
    real: Picture | None
    synthetic: Picture


def read_grid(folder: Path, grid: Grid, *, include_real: bool = True) -> GridPair:
    """Read both pictures of ``grid``, relative to ``folder``."""
    real = read_picture(folder, grid.real) if include_real and grid.real else None
    return GridPair(grid.seed, grid.label, real, read_picture(folder, grid.synthetic))


def read_picture(folder: Path, name: str) -> Picture:
    """Read a PNG below ``folder`` and encode its pixels anew, without any metadata.

    Raises:
        DataError: If the name leaves ``folder``, or the file is missing, not a PNG, damaged or
            wider or taller than 6000 pixels.
    """
    pure = PurePosixPath(name)
    path = folder / pure
    outside = pure.is_absolute() or ".." in pure.parts
    if outside or not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{name} leaves the study's folder: keep pictures beside study.json.")
    if not path.is_file():
        raise DataError(f"{name} is missing: copy the whole study folder, or run the study again.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG"]) as image:
                return _encode(image, name)
    except DataError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{name} is not a readable PNG ({error}): run the study again.") from None
    except Image.DecompressionBombError:
        raise DataError(f"{name} is too large for a report: draw fewer images.") from None


def _encode(image: Image.Image, name: str) -> Picture:
    if max(image.size) > MAX_SIDE:
        raise DataError(
            f"{name} has {image.width} x {image.height} pixels, the most is {MAX_SIDE} a side: "
            "draw fewer images."
        )
    plain = image.convert("L" if image.mode in ("1", "L") else "RGB")
    clean = Image.frombytes(plain.mode, plain.size, plain.tobytes())
    buffer = io.BytesIO()
    clean.save(buffer, format="PNG", optimize=True)
    return Picture(buffer.getvalue(), clean.width, clean.height)
