"""The best checkpoint of a run by a number that training measures."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_gan_aug.engines.checkpoint import LATEST, load_checkpoint, save_checkpoint
from monai_gan_aug.engines.game import AdversarialGame

__all__ = ["BestCheckpoint"]

DIRECTIONS = ("lowest", "highest")


class BestCheckpoint:
    """Keeps one more checkpoint, in a folder of its own, whenever a number is better than ever.

    Args:
        folder: Folder of the one checkpoint.
        metric: A key of ``trainer.state.metrics`` (``"kid"``, ``"diversity"``, …) or of
            ``trainer.state.record`` (``"g_loss"``, …).
        best_is: ``"lowest"`` or ``"highest"``.

    Raises:
        ValueError: If ``best_is`` is neither.
    """

    def __init__(self, folder: Path, metric: str, best_is: str = "lowest") -> None:
        if best_is not in DIRECTIONS:
            raise ValueError(f"`best_is` must be one of {DIRECTIONS}, got {best_is!r}.")
        self.folder = folder
        self.metric = metric
        self.sign = 1 if best_is == "lowest" else -1
        self.value: float | None = None

    def remember(self) -> None:
        """Take up the value of the checkpoint that is there, if one is."""
        if (self.folder / LATEST).exists():
            kept = load_checkpoint(self.folder).get("best", {})
            self.value = kept["value"] if kept.get("metric") == self.metric else None

    def improves(self, trainer: AdversarialGame) -> bool:
        """Whether the number is finite now and better than ever; it is remembered then.

        Raises:
            ValueError: If nothing measures the number.
        """
        known = {**getattr(trainer.state, "record", {}), **trainer.state.metrics}
        if self.metric not in known:
            raise ValueError(
                f"`best_metric` {self.metric!r} is not measured: choose from "
                f"{sorted(known.keys() - {'step'})}, or attach the handler that measures it."
            )
        value = float(known[self.metric])
        better = self.value is None or self.sign * value < self.sign * self.value
        if not math.isfinite(value) or not better:
            return False
        self.value = value
        return True

    def save(self, name: str, content: Mapping[str, Any]) -> None:
        """Write the checkpoint with its number; the one before goes."""
        best = {"metric": self.metric, "value": self.value}
        save_checkpoint(self.folder, name, {**content, "best": best}, keep=1)
