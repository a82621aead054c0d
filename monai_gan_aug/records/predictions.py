"""What one trained classifier said about one split: the file every statistic starts from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.files import FileRecord

__all__ = ["PredictionRow", "Predictions", "PredictionsFile", "check_predictions"]


def check_predictions(
    labels: ArrayLike, probabilities: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Both as arrays, ``(N,)`` and ``(N, K)``, once they can support every metric.

    Raises:
        DataError: If shapes differ, a probability is not in ``[0, 1]`` or a row does not sum to
            1, or a class has no row.
    """
    truth, values = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or truth.shape != values.shape[:1]:
        raise DataError(
            f"Labels (N,) and probabilities (N, K) are needed, got {truth.shape}, {values.shape}."
        )
    if not (np.abs(values.sum(axis=1) - 1) < 1e-3).all() or (values < 0).any():
        raise DataError("Every row of probabilities must be finite, not negative and sum to 1.")
    counts = np.bincount(truth, minlength=values.shape[1])
    if len(counts) > values.shape[1] or (counts == 0).any():
        raise DataError(
            f"Every one of {values.shape[1]} classes needs test images, got {counts.tolist()}: "
            "split again with more patients in the test split."
        )
    return truth, values


@dataclass(frozen=True)
class PredictionRow:
    """One image: content id, patient hash, true label and the probability of every class."""

    id: str
    group: str
    label: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class PredictionsFile(FileRecord):
    """``predictions.json``; work with :class:`Predictions`, which has its rows as arrays.

    Args:
        arm: What the classifier was trained on.
        seed: Seed of its split and its training.
        labels: Class names, by label.
        split: Name of the split.
        split_sha256: Hash of the datalist.
        rows: One per image.
    """

    KIND = "a file of predictions"
    REMEDY = "evaluate again"
    MISSING = "evaluate the classifier first"
    READS_UNNUMBERED = True

    arm: str
    seed: int
    labels: tuple[str, ...]
    split: str
    split_sha256: str
    rows: tuple[PredictionRow, ...]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities for every image of a split, with the patients they belong to.

    Args:
        arm: What the classifier was trained on.
        seed: Seed of its split and its training.
        class_names: Class names, by label.
        split: Name of the split, ``"test"`` as a rule.
        split_sha256: Hash of the datalist.
        ids: Content id per image, ``N`` of them.
        groups: Patient hash per image.
        labels: Shape ``(N,)``.
        probabilities: Shape ``(N, K)``, rows sum to 1.

    Raises:
        DataError: If lengths differ, an image occurs twice, a class is missing, or a row is not a
            probability.
    """

    arm: str
    seed: int
    class_names: tuple[str, ...]
    split: str
    split_sha256: str
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    def __post_init__(self) -> None:
        labels, probabilities = check_predictions(self.labels, self.probabilities)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "probabilities", probabilities)
        if not len(self.ids) == len(self.groups) == len(labels):
            raise DataError(
                f"{len(labels)} predictions, but {len(self.ids)} ids and {len(self.groups)} groups."
            )
        if len(set(self.ids)) != len(self.ids):
            raise DataError("An image was predicted twice: predict every image of a split once.")
        if len(self.class_names) != probabilities.shape[1]:
            raise DataError(
                f"{probabilities.shape[1]} probabilities for classes {self.class_names}."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def same_test_set(self, other: "Predictions") -> bool:
        """Whether both judge the same images with the same labels, in the same order."""
        return self.ids == other.ids and np.array_equal(self.labels, other.labels)

    def save(self, path: Path | str) -> None:
        """Write the predictions atomically, probabilities rounded to eight digits."""
        rows = zip(self.ids, self.groups, self.labels, self.probabilities, strict=True)
        PredictionsFile(
            arm=self.arm,
            seed=self.seed,
            labels=self.class_names,
            split=self.split,
            split_sha256=self.split_sha256,
            rows=tuple(
                PredictionRow(image, group, int(label), tuple(round(float(v), 8) for v in values))
                for image, group, label, values in rows
            ),
        ).save(path)

    @classmethod
    def load(cls, path: Path | str) -> "Predictions":
        """Read predictions.

        Raises:
            DataError: If the file is missing or holds no predictions.
        """
        content = PredictionsFile.load(path)
        rows = content.rows
        if len({len(row.probabilities) for row in rows}) > 1:
            raise DataError(f"{Path(path).name} has rows of unequal length: evaluate again.")
        try:
            return cls(
                arm=content.arm,
                seed=content.seed,
                class_names=content.labels,
                split=content.split,
                split_sha256=content.split_sha256,
                ids=tuple(row.id for row in rows),
                groups=tuple(row.group for row in rows),
                labels=np.array([row.label for row in rows], np.int64),
                probabilities=np.array([row.probabilities for row in rows], np.float64),
            )
        except DataError as error:
            raise DataError(f"{Path(path).name}: {error}") from error
