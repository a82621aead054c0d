"""The arm that did best on the validation split, as an arm of its own: what a user would do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.records.predictions import Predictions

__all__ = ["ChooseByValidation", "two_or_more"]


def two_or_more(name: str, folders: Sequence[str | Path]) -> None:
    """Refuse fewer than two folders of arms.

    Args:
        name: The argument that holds them, for the message.
        folders: Folders of trained arms.

    Raises:
        ValueError: If there are fewer than two.
    """
    if len(folders) < 2:
        raise ValueError(f"`{name}` must name two or more folders, got {list(folders)}.")


@dataclass(frozen=True)
class ChooseByValidation:
    """Take over the results of the trained arm with the highest AUC on the validation split.

    The AUC is that of the final weights, the last of the learning curve. Test images have no part
    in the choice.

    Args:
        arm: Name of the new arm.
        choices: Folders of trained arms; the first wins a tie.
        folder: Where ``predictions.json``, ``metrics.json`` and ``curves.json`` go.
        results: Folders with what these arms said about another test set, in the same order; then
            that is taken over, without a curve.

    Raises:
        ValueError: If there are fewer than two choices, or not as many results.
    """

    arm: str
    choices: Sequence[str | Path]
    folder: str | Path
    results: Sequence[str | Path] | None = None

    def __post_init__(self) -> None:
        two_or_more("choices", self.choices)
        if self.results is not None and len(self.results) != len(self.choices):
            raise ValueError(
                f"`results` must name one folder per choice, got {len(self.results)} for "
                f"{len(self.choices)}."
            )

    def run(self) -> Path:
        """Choose, write, and return the folder that was chosen.

        Raises:
            DataError: If an arm was trained without a validation split.
        """
        folders = [Path(choice) for choice in self.choices]
        areas = [self._validation_auc(folder) for folder in folders]
        best = folders[areas.index(max(areas))]
        source = best if self.results is None else Path(self.results[folders.index(best)])
        target = Path(self.folder)
        replace(Predictions.load(source / "predictions.json"), arm=self.arm).save(
            target / "predictions.json"
        )
        metrics = json.loads((source / "metrics.json").read_text())
        write_json(target / "metrics.json", {**metrics, "arm": self.arm, "chosen": metrics["arm"]})
        if source == best:
            write_json(target / "curves.json", json.loads((best / "curves.json").read_text()))
        return best

    @staticmethod
    def _validation_auc(folder: Path) -> float:
        area = json.loads((folder / "curves.json").read_text())["validation_auc"][-1]
        if area is None:
            raise DataError(
                f"{folder.name} has no AUC on a validation split to choose by: leave out "
                "--no_validation, or the arm that chooses."
            )
        return float(area)
