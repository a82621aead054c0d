"""Splits by patient, with the classes in proportion; the same seed gives the same split.

Scikit-learn's grouped splitters make folds of equal size; here the parts differ in size and each
must get some patients of every class, so patients are dealt out one by one, rarest class first, to
the part that lacks most (iterative stratification).

References:
    Sechidis et al., "On the Stratification of Multi-Label Data", ECML PKDD 2011.
"""

from collections.abc import Sequence

import numpy as np

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import NO_GROUPING, SPLITS, Datalist, Entry, SplitRecord

__all__ = ["Split", "draw_split", "limit_entries", "split_entries"]

Split = dict[str, tuple[Entry, ...]]


def split_entries(
    entries: Sequence[Entry],
    labels: Sequence[str],
    fractions: Sequence[float] = (0.7, 0.15, 0.15),
    *,
    seed: int = 0,
    min_patients_per_class: int = 2,
) -> Split:
    """Deal all patients to training, validation and test in the given proportion.

    Args:
        entries: Images.
        labels: Class names, by label.
        fractions: Shares of the images in training, validation and test; a share of 0 leaves a
            part empty. They must add up to 1.
        seed: Makes the split.
        min_patients_per_class: Patients that each non-empty part gets of every class.

    Returns:
        The entries of ``"training"``, ``"validation"`` and ``"test"``, each in the order given.

    Raises:
        DataError: With the table of counts, if a class has too few patients.
        ValueError: If the fractions are not three shares of 1.
    """
    if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(
            f"`fractions` must be three shares that add up to 1, got {list(fractions)}."
        )
    dealer = _Dealer(entries, labels, seed)
    parts = [part for part, share in enumerate(fractions) if share > 0]
    dealer.require([min_patients_per_class * len(parts)] * len(labels))
    for part in reversed(parts):  # the small parts first: training gets the rest anyway
        dealer.draw(part, min_patients_per_class)
    dealer.deal_rest(np.array(fractions))
    return dealer.result()


def draw_split(
    entries: Sequence[Entry],
    labels: Sequence[str],
    *,
    training_patients_per_class: int = 60,
    validation_patients_per_class: int = 20,
    test_patients_per_class: int | None = None,
    seed: int = 0,
    grouping: str = NO_GROUPING,
    key_fingerprint: str = "",
    name: str = "unnamed",
    caveats: Sequence[str] = (),
) -> Datalist:
    """Draw patients from a pool: so many of each class for training and validation, and a test set.

    A patient with images of two classes counts for both, so a class may get more patients than
    asked for, never fewer.

    Args:
        entries: The pool.
        labels: Class names, by label.
        training_patients_per_class: Patients of each class to learn from.
        validation_patients_per_class: Patients of each class for choices.
        test_patients_per_class: Patients of each class for the final number; ``None`` for all the
            rest. Patients that are not drawn are left out.
        seed: Makes the draw.
        grouping: Where patient ids came from.
        key_fingerprint: Which secret key hashed the patients.
        name: Name of the data set in reports.
        caveats: Sentences every report must repeat.

    Raises:
        DataError: With the table of counts, if a class has too few patients.
    """
    wanted = (
        training_patients_per_class,
        validation_patients_per_class,
        2 if test_patients_per_class is None else test_patients_per_class,
    )
    if min(wanted) < 0 or training_patients_per_class < 1:
        raise ValueError(f"Patients per class must be positive, got {wanted}.")
    dealer = _Dealer(entries, labels, seed)
    dealer.require([sum(wanted)] * len(labels))
    for part, number in enumerate(wanted):
        dealer.draw(part, number)
    if test_patients_per_class is None:
        dealer.deal_rest(np.array([0.0, 0.0, 1.0]))
    numbers = (training_patients_per_class, validation_patients_per_class, test_patients_per_class)
    recipe = {"patients_per_class": dict(zip(SPLITS, numbers, strict=True))}
    return Datalist(
        labels=tuple(labels),
        **dealer.result(),
        split=SplitRecord(seed, grouping, key_fingerprint, recipe),
        name=name,
        caveats=tuple(caveats),
    )


def limit_entries(entries: Sequence[Entry], n: int, *, seed: int = 0) -> tuple[Entry, ...]:
    """At most ``n`` images of whole patients, the class ratio kept.

    Patients are taken in random order as long as they fit; with many images per patient a few
    images fewer than ``n`` remain.

    Raises:
        ValueError: If ``n`` is below 1.
        DataError: If a class loses all its patients.
    """
    if n < 1:
        raise ValueError(f"`n` must be at least 1, got {n}.")
    if n >= len(entries):
        return tuple(entries)
    present = sorted({entry.known_label for entry in entries})
    dealer = _Dealer(entries, [str(label) for label in range(present[-1] + 1)], seed)
    quota = _whole_shares(dealer.counts.sum(axis=0), n)
    for patient in dealer.order:
        if (dealer.counts[patient] <= quota).all():
            quota -= dealer.counts[patient]
            dealer.part[patient] = 0
    kept = dealer.result()["training"]
    lost = set(present) - {entry.known_label for entry in kept}
    if lost:
        raise DataError(f"No whole patient of class {sorted(lost)} fits into {n} images: raise it.")
    return kept


class _Dealer:
    """Patients with their images per class, and the part each was dealt to."""

    def __init__(self, entries: Sequence[Entry], labels: Sequence[str], seed: int) -> None:
        self.entries = entries
        self.labels = labels
        self.groups = _by_first_image(entries)
        self.number = {group: number for number, group in enumerate(self.groups)}
        self.counts = np.zeros((len(self.groups), len(labels)), dtype=np.int64)
        for entry in entries:
            self.counts[self.number[entry.group], entry.known_label] += 1
        self.order = np.random.default_rng(seed).permutation(len(self.groups))
        self.part = np.full(len(self.groups), -1)

    def require(self, needed: Sequence[int]) -> None:
        """Refuse classes with fewer patients than needed."""
        patients = (self.counts > 0).sum(axis=0)
        if len(self.labels) < 2:
            raise DataError(f"A split needs at least two classes, got {list(self.labels)}.")
        if (patients < needed).any():
            raise DataError(self._table("A class has too few patients", needed))

    def _table(self, problem: str, needed: Sequence[int]) -> str:
        patients, images = (self.counts > 0).sum(axis=0), self.counts.sum(axis=0)
        rows = [
            f"  {name}: {p} patients, {i} images, needs {n} patients"
            for name, p, i, n in zip(self.labels, patients, images, needed, strict=True)
        ]
        remedy = "add patients, leave the class out with `classes`, or ask for fewer per split."
        return "\n".join([f"{problem}; {remedy}", *rows])

    def draw(self, part: int, wanted: int) -> None:
        """Deal patients to ``part`` until it has ``wanted`` of every class, rarest class first."""
        has = self.counts > 0
        for label in np.argsort(has.sum(axis=0), kind="stable"):
            missing = wanted - int(has[self.part == part, label].sum())
            free = self.order[(self.part[self.order] < 0) & has[self.order, label]]
            if missing > len(free):
                raise DataError(
                    self._table(
                        f"Only {len(free)} patients of {self.labels[label]} are left for "
                        f"{SPLITS[part]}, which lacks {missing}",
                        [wanted] * len(self.labels),
                    )
                )
            self.part[free[: max(missing, 0)]] = part

    def deal_rest(self, shares: np.ndarray) -> None:
        """Deal every other patient to the part that lacks most of what the patient has."""
        totals = self.counts.sum(axis=0)
        lacking = shares[:, None] * totals
        for part in range(len(shares)):
            lacking[part] -= self.counts[self.part == part].sum(axis=0)
        weight = 1 / np.maximum(totals, 1)
        free = self.order[self.part[self.order] < 0]
        rarity = (self.counts[free] * weight).max(axis=1)
        for patient in free[np.argsort(-rarity, kind="stable")]:
            need = (lacking * (self.counts[patient] * weight)).sum(axis=1)
            part = int(np.argmax(np.where(shares > 0, need, -np.inf)))
            lacking[part] -= self.counts[patient]
            self.part[patient] = part

    def result(self) -> Split:
        """Entries of every part, in the order they came."""
        home = [self.part[self.number[entry.group]] for entry in self.entries]
        return {
            name: tuple(e for e, p in zip(self.entries, home, strict=True) if p == number)
            for number, name in enumerate(SPLITS)
        }


def _by_first_image(entries: Sequence[Entry]) -> list[str]:
    """Patients by the name of their first image, whatever the secret key and the listing order."""
    first: dict[str, str] = {}
    for entry in entries:
        first[entry.group] = min(entry.name, first.get(entry.group, entry.name))
    return sorted(first, key=lambda group: first[group])


def _whole_shares(sizes: np.ndarray, n: int) -> np.ndarray:
    """``n`` divided in proportion to ``sizes``, as whole numbers (largest remainder)."""
    exact = sizes * n / sizes.sum()
    shares: np.ndarray = np.floor(exact).astype(np.int64)
    for position in np.argsort(shares - exact, kind="stable")[: n - int(shares.sum())]:
        shares[position] += 1
    return shares
