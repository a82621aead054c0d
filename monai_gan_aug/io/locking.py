"""One writer per folder."""

from pathlib import Path
from typing import IO

from monai_gan_aug.errors import DataError

try:
    import fcntl
except ImportError:  # no such lock on Windows: two runs there are the user's care
    fcntl = None  # type: ignore[assignment]

__all__ = ["FolderLock"]


class FolderLock:
    """A lock that the system releases when the process ends, however it ends.

    Args:
        folder: The folder that one process at a time may write.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / ".lock"
        self._stream: IO[str] | None = None

    def acquire(self, wait: bool = False) -> None:
        """Take the lock.

        Args:
            wait: Whether to wait until nobody else holds it.

        Raises:
            DataError: If another process holds it and we do not wait.
            OSError: If the folder cannot be written, or its file system has no locks.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            stream = self.path.open("a")
        except OSError as error:
            raise OSError(
                error.errno,
                f"`output_dir` {self.path.parent.name} cannot be written: choose another",
            ) from error
        try:
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            stream.close()
            raise DataError(
                f"Another run is writing to `output_dir` {self.path.parent.name}: "
                "wait for it, or choose another folder."
            ) from None
        except OSError as error:
            stream.close()
            raise OSError(
                error.errno,
                f"`output_dir` {self.path.parent.name} is on a file system without locks: "
                "choose a folder on another",
            ) from error
        self._stream = stream

    def release(self) -> None:
        """Give the lock back."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> "FolderLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
