"""Files that are refused: one error for whatever a decoder raises, and the list of all of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.atomic import atomic_file
from monai_gan_aug.io.names import printable

__all__ = ["refuse_bad_content", "rejected_list"]


@contextmanager
def refuse_bad_content(name: str, reason: str, remedy: str) -> Iterator[None]:
    """Turn any exception of the block into an :class:`ImageReadError` about ``name``.

    The text of the original exception is dropped, and so is its traceback: decoders quote values
    of the file, which may identify a patient. Only its type is kept.

    Raises:
        ImageReadError: For any exception of the block.
    """
    try:
        yield
    except ImageReadError:
        raise
    except Exception as error:
        raise ImageReadError(name, f"{reason} ({type(error).__name__})", remedy) from None


class _Empty(Exception):
    """Leaves :func:`atomic_file` without a file."""


@contextmanager
def rejected_list(path: str | Path | None) -> Iterator[Callable[[str], None]]:
    """Give a function that adds a line to a text file; nothing is kept in memory.

    The file appears, whole, when the block ends, also by an exception; without any line, an older
    list under its name goes. It names files, so it belongs with the images.

    Args:
        path: Where to write; ``None`` to forget the lines.

    Raises:
        OSError: If the file cannot be written.
    """
    if path is None:
        yield lambda line: None
        return
    lines = 0
    trouble: BaseException | None = None
    try:
        with atomic_file(Path(path)) as stream:

            def add(line: str) -> None:
                nonlocal lines
                lines += 1
                stream.write(printable(line).encode() + b"\n")

            try:
                yield add
            except Exception as error:  # the list is written all the more
                trouble = error
            if not lines:
                raise _Empty
    except _Empty:
        Path(path).unlink(missing_ok=True)
    if trouble is not None:
        raise trouble
