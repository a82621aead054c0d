"""A published table beside the same table of one's own runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["PublishedTable"]


@dataclass(frozen=True)
class PublishedTable:
    """Numbers of a publication, and what is wrong with them.

    Args:
        caption: Which publication and table.
        metrics: Names of the columns, as this package names its metrics.
        rows: One number per metric (or nothing) for each row, by this study's name of the row.
        n: What the numbers were computed on, in words.
        errata: Sentences on where the publication contradicts itself or misleads.
    """

    caption: str
    metrics: Sequence[str]
    rows: Mapping[str, Sequence[float | None]]
    n: str = "not stated"
    errata: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        for name, values in self.rows.items():
            if len(values) != len(self.metrics):
                raise ValueError(
                    f"Row {name!r} has {len(values)} numbers for {len(self.metrics)} metrics."
                )

    def value(self, row: str, metric: str) -> float | None:
        """The published number, or nothing."""
        if row not in self.rows or metric not in self.metrics:
            return None
        return self.rows[row][list(self.metrics).index(metric)]

    def to_dict(self) -> dict[str, Any]:
        """Plain content for a record."""
        content = asdict(self)
        content["rows"] = {name: list(values) for name, values in self.rows.items()}
        return content
