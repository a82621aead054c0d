"""What the toolkit raises: each names the file or argument, the rule and the next step."""

from pathlib import Path

__all__ = ["DataError", "ImageReadError", "ProvenanceError"]


class DataError(ValueError):
    """The data cannot support what was asked (one class, leaking split, unknown label, ...)."""


class ProvenanceError(DataError):
    """A chain of hashes does not hold together, or would leak evaluation patients."""


class ImageReadError(DataError):
    """One file cannot be read as an image.

    Args:
        name: The file, relative to the data root (an absolute path may carry a person's name).
        reason: The rule that was broken, one clause.
        remedy: The next step, one clause.

    Example:
        >>> print(ImageReadError("a/1.dcm", "is empty", "copy it again from the source"))
        a/1.dcm is empty: copy it again from the source.
    """

    def __init__(self, name: str | Path, reason: str, remedy: str) -> None:
        super().__init__(name, reason, remedy)
        self.name = str(name)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.name} {self.reason}: {self.remedy}."
