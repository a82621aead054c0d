"""The average of several arms as an arm of its own: classifiers that err differently, together."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.metrics.classification import classification_metrics
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.studies.choice import two_or_more

__all__ = ["AverageOfArms"]


@dataclass(frozen=True)
class AverageOfArms:
    """Average the class probabilities of trained arms of one seed, image by image.

    Nothing is trained, and every member counts the same. The new arm costs as much as its members
    together: ``steps`` in ``metrics.json`` is their sum, so a fair control is an average as well.

    Args:
        arm: Name of the new arm.
        members: Folders of trained arms.
        folder: Where ``predictions.json`` and ``metrics.json`` go.
        positive: The class that counts as disease when there are two.

    Raises:
        ValueError: If there are fewer than two members.
    """

    arm: str
    members: Sequence[str | Path]
    folder: str | Path
    positive: int = 1

    def __post_init__(self) -> None:
        two_or_more("members", self.members)

    def run(self) -> Predictions:
        """Average, write, and return the new predictions.

        Raises:
            DataError: If the members were judged on different images or belong to different seeds.
        """
        folders = [Path(member) for member in self.members]
        found = [Predictions.load(folder / "predictions.json") for folder in folders]
        for other in found[1:]:
            _require_same(found[0], other)
        mean = np.mean([item.probabilities for item in found], axis=0)
        averaged = replace(found[0], arm=self.arm, probabilities=mean)
        averaged.save(Path(self.folder) / "predictions.json")
        contents = [json.loads((folder / "metrics.json").read_text()) for folder in folders]
        write_json(Path(self.folder) / "metrics.json", self._summary(averaged, contents))
        return averaged

    def _summary(self, averaged: Predictions, members: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """As the ``metrics.json`` of a trained arm; hashes are those of all members."""
        origins = [member["provenance"] for member in members]
        hashes = {
            key: list(dict.fromkeys(value for origin in origins for value in origin[key]))
            for key in ("synthetic_sha256", "checkpoint_sha256")
        }
        settings = {member["arm"]: member["provenance"]["settings"] for member in members}
        return {
            "arm": self.arm,
            "seed": averaged.seed,
            "metrics": classification_metrics(
                averaged.labels, averaged.probabilities, positive=self.positive
            ),
            "steps": sum(member["steps"] for member in members),
            "averaged": list(settings),
            "provenance": {**origins[0], **hashes, "settings": settings},
        }


def _require_same(one: Predictions, other: Predictions) -> None:
    what = {
        "seeds": one.seed == other.seed,
        "classes": one.class_names == other.class_names,
        "images": one.same_test_set(other),
    }
    differing = [name for name, same in what.items() if not same]
    if differing:
        raise DataError(
            f"{one.arm} and {other.arm} cannot be averaged, their {', '.join(differing)} differ: "
            "give arms of one seed that were judged on the same datalist."
        )
