"""Whatever a decoder raises for bad content becomes one error that names the file."""

from collections.abc import Iterator
from contextlib import contextmanager

from monai_gan_aug.errors import ImageReadError

__all__ = ["refuse_bad_content"]


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
