"""Metrics of every arm of a study, and paired differences between arms, over seeds and patients."""

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.classification import LOWER_IS_BETTER
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.results import TrainingOverlap
from monai_gan_aug.statistics.influence import patient_influence
from monai_gan_aug.statistics.intervals import MeanOverSeeds, mean_over_seeds

__all__ = ["FEWEST_PATIENTS", "StudyStatistics", "highest_value"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]

FEWEST_PATIENTS = 3
MOST_UNITS = 500


def highest_value(metric: str, classes: int) -> float:
    """The largest value a metric can take; the smallest is 0 for all.

    Example:
        >>> highest_value("auc", 2), highest_value("brier", 3)
        (1.0, 2.0)
    """
    return 2.0 if metric == "brier" and classes > 2 else 1.0


class StudyStatistics:
    """What the predictions of a study say about its arms.

    The mean over seeds is what is estimated: how an arm does, on average, when patients like those
    of the pool are drawn, split and everything is trained again. See
    :mod:`monai_gan_aug.statistics.intervals` for what its interval counts.

    Args:
        predictions: One per arm and seed; all arms of a seed judge the same test rows.
        overlap: How far the training sets of the seeds are the same patients.
        positive: The class that counts as disease when there are two.

    Raises:
        DataError: If an arm lacks a seed, arms of one seed were judged on different images or
            splits, there is only one seed, or a class has fewer than three test patients.
    """

    def __init__(
        self, predictions: Sequence[Predictions], overlap: TrainingOverlap, *, positive: int = 1
    ) -> None:
        self._table = {(item.arm, item.seed): item for item in predictions}
        self.arms = tuple(dict.fromkeys(item.arm for item in predictions))
        self.seeds = tuple(sorted({item.seed for item in predictions}))
        self.overlap = overlap
        self.positive = positive
        self._check(len(predictions))
        self._first = [self._table[self.arms[0], seed] for seed in self.seeds]
        self.classes = len(self._first[0].class_names)
        self._require_patients()
        self._influences = lru_cache(maxsize=None)(self._compute)

    def _check(self, count: int) -> None:
        if len(self.seeds) < 2:
            raise DataError(
                f"At least two seeds are needed to know how much luck matters, got {self.seeds}: "
                "add seeds to the study."
            )
        missing = [(a, s) for a in self.arms for s in self.seeds if (a, s) not in self._table]
        if missing or count != len(self._table):
            raise DataError(
                f"One set of predictions per arm and seed is needed; missing: {missing[:5]}, "
                f"given twice: {count - len(self._table)}."
            )
        for (arm, seed), item in self._table.items():
            first = self._table[self.arms[0], seed]
            if item.split != first.split:
                raise DataError(
                    f"Arms {self.arms[0]} and {arm} of seed {seed} were judged on different parts "
                    f"of a split ({first.split} and {item.split}): evaluate both on one."
                )
            if not item.same_test_set(first) or item.groups != first.groups:
                raise DataError(
                    f"Arms {self.arms[0]} and {arm} of seed {seed} were judged on different "
                    "images: evaluate both on the same datalist."
                )

    def _require_patients(self) -> None:
        for item, tested in zip(self._first, self._tested_by_class(), strict=True):
            for name, patients in zip(item.class_names, tested.sum(axis=0), strict=True):
                if patients < FEWEST_PATIENTS:
                    raise DataError(
                        f"Class {name} has {patients} test patients at seed {item.seed}, so no "
                        f"interval can be given: put at least {FEWEST_PATIENTS} of every class "
                        "into the test split."
                    )

    @cached_property
    def _rows(self) -> list[Places]:
        """Number of the patient of every test row, by seed."""
        number = {group: index for index, group in enumerate(self._names)}
        return [
            np.fromiter(map(number.__getitem__, item.groups), np.int64, len(item))
            for item in self._first
        ]

    @cached_property
    def _names(self) -> list[str]:
        return sorted(set().union(*(item.groups for item in self._first)))

    def _tested_by_class(self) -> Iterator[NDArray[np.bool_]]:
        """Which patients have test images of which class, ``(patients, classes)``, by seed."""
        for item, rows in zip(self._first, self._rows, strict=True):
            tested = np.zeros((len(self._names), self.classes), bool)
            tested[rows, item.labels] = True
            yield tested

    @cached_property
    def patients(self) -> int:
        """Different patients in any test set."""
        return len(self._names)

    @cached_property
    def images(self) -> int:
        """Different images in any test set."""
        return len(set().union(*(item.ids for item in self._first)))

    @cached_property
    def patients_by_class(self) -> dict[str, int]:
        """Different test patients of each class; one with images of two counts for both."""
        counts = np.any(list(self._tested_by_class()), axis=0).sum(axis=0)
        return dict(zip(self._first[0].class_names, counts.tolist(), strict=True))

    @cached_property
    def _units(self) -> tuple[list[Places], Places, Places]:
        """Unit of every row by seed, stratum of every unit, and patients of every stratum.

        A stratum holds the patients with images of the same classes; one that is too small for a
        variance of its own joins the largest. A unit is a patient, or a block of patients where
        there are more than 500 of a stratum: their influences are added up, which costs nothing
        but degrees of freedom that nobody would miss.
        """
        tested = np.array(list(self._tested_by_class()))
        kinds, kind = np.unique(tested.any(axis=0), axis=0, return_inverse=True)
        kind = kind.ravel()
        fewest = [
            tested[:, kind == number].any(axis=2).sum(axis=1).min() for number in range(len(kinds))
        ]
        large = [number for number, count in enumerate(fewest) if count >= FEWEST_PATIENTS]
        home = large.index(int(np.argmax(fewest))) if large else 0
        stratum_of = np.array([large.index(n) if n in large else home for n in range(len(kinds))])
        strata = stratum_of[kind]
        place = np.zeros(len(strata), np.int64)  # of a patient in the stratum, then of the unit
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            place[members] = np.arange(len(members)) % MOST_UNITS
        pairs, unit = np.unique(np.stack([strata, place]), axis=1, return_inverse=True)
        unit = unit.ravel()
        return [unit[rows] for rows in self._rows], pairs[0], np.bincount(pairs[0])

    def _compute(self, arm: str, metric: str) -> tuple[Array, Array]:
        """The metric per seed, ``(S,)``, and the influence of every unit, ``(S, U)``."""
        rows, strata, _ = self._units
        found = []
        for seed, units in zip(self.seeds, rows, strict=True):
            item = self._table[arm, seed]
            found.append(
                patient_influence(
                    metric, item.labels, item.probabilities, units, strata, positive=self.positive
                )
            )
        return np.array([value for value, _ in found]), np.stack([moves for _, moves in found])

    def metric(self, arm: str, name: str = "auc") -> MeanOverSeeds:
        """A metric of one arm."""
        return self._mean(*self._influences(arm, name), 0.0, highest_value(name, self.classes))

    def difference(self, arm: str, control: str, name: str = "auc") -> MeanOverSeeds:
        """``arm`` minus ``control`` on the same rows."""
        values, moves = self._influences(arm, name)
        control_values, control_moves = self._influences(control, name)
        reach = highest_value(name, self.classes)
        return self._mean(values - control_values, moves - control_moves, -reach, reach)

    def gain(self, arm: str, control: str, name: str = "auc") -> MeanOverSeeds:
        """How much better ``arm`` is than ``control``: a positive value is better in any metric."""
        found = self.difference(arm, control, name)
        return -found if name in LOWER_IS_BETTER else found

    def headroom(self, control: str, name: str = "auc") -> float:
        """How much better than ``control`` a perfect arm would be."""
        value = self.metric(control, name).value
        return value if name in LOWER_IS_BETTER else highest_value(name, self.classes) - value

    def _mean(self, values: Array, moves: Array, lowest: float, highest: float) -> MeanOverSeeds:
        _, strata, patients = self._units
        return mean_over_seeds(
            values, moves, strata, patients, overlap=self.overlap, lowest=lowest, highest=highest
        )

    def predictions(self, arm: str) -> list[Predictions]:
        """What an arm said, one per seed in the order of the seeds."""
        return [self._table[arm, seed] for seed in self.seeds]
