"""Other training sets for one test set: fewer patients, more patients, patients without labels.

All of them come from the training split and from the patients a split leaves out, never from those
it keeps for validation and test, so that every number of a study is measured on the same images.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import Datalist, Entry

__all__ = [
    "left_out",
    "unlabelled_list",
    "with_fewer_patients",
    "with_guesses",
    "with_more_patients",
]

FEWER_SALT, MORE_SALT, UNLABELLED_SALT = 11, 12, 13
UNKNOWN = "The classes of these images are not known."


def left_out(pool: Sequence[Entry], datalist: Datalist) -> tuple[Entry, ...]:
    """Images of the patients that are in no split of ``datalist``, in the order of the pool."""
    known, seen = datalist.groups(), {entry.id for entry in datalist.entries()}
    return tuple(e for e in pool if e.group not in known and e.id not in seen)


def with_fewer_patients(datalist: Datalist, patients_per_class: int) -> Datalist:
    """The same split with fewer training patients; validation and test stay.

    The seed of the split draws them: a smaller training set is part of every larger one.

    Args:
        datalist: A split.
        patients_per_class: Training patients of each class, at least 1.

    Raises:
        DataError: If a class has fewer.
    """
    training = _first_patients(
        datalist.training,
        [patients_per_class] * len(datalist.labels),
        [datalist.split.seed, FEWER_SALT],
        datalist.labels,
    )
    return _with_training(datalist, training, {"training": patients_per_class})


def with_more_patients(datalist: Datalist, pool: Sequence[Entry], factor: int) -> Datalist:
    """The same split with ``factor`` times the training patients of every class.

    Args:
        datalist: A split.
        pool: All images; patients in no split of ``datalist`` are added.
        factor: At least 1.

    Raises:
        DataError: If the split leaves out too few patients of a class.
    """
    has = datalist.group_counts("training")
    more = _first_patients(
        left_out(pool, datalist),
        [(factor - 1) * has[name] for name in datalist.labels],
        [datalist.split.seed, MORE_SALT],
        datalist.labels,
    )
    return _with_training(datalist, (*datalist.training, *more), {"times training": factor})


def unlabelled_list(
    datalist: Datalist, pool: Sequence[Entry], images: int, more: Sequence[Entry] = ()
) -> Datalist:
    """Images to learn from without a class, as one training split.

    They are of patients the split leaves out, with their classes struck out, and those of ``more``
    that are not of validation or test patients.

    Args:
        datalist: A split.
        pool: All images with a class.
        images: Whole patients are taken at random until there are so many.
        more: Images without a class.

    Raises:
        DataError: If there are none.
    """
    held_out = datalist.groups("validation") | datalist.groups("test")
    seen = {entry.id for entry in datalist.entries()}
    usable = [e for e in more if e.group not in held_out and e.id not in seen]
    free = (*left_out(pool, datalist), *usable)
    if not free:
        raise DataError(
            "There are no unlabelled images: the split leaves out no patients (give "
            "`test_patients_per_class`), and none without a class are named (`unlabelled`) that "
            "are not of validation or test patients. Or leave out arms that need them."
        )
    training: list[Entry] = []
    for entries in _in_random_order(free, [datalist.split.seed, UNLABELLED_SALT]):
        if len(training) >= images:
            break
        training += [replace(entry, label=None) for entry in entries]
    barred = len(more) - len(usable)
    note = f"{barred} more are of validation or test patients, or in the split: left out."
    return Datalist(
        datalist.labels,
        training=tuple(training),
        validation=(),
        test=(),
        split=replace(datalist.split, recipe={"unlabelled images": images}),
        name=f"{datalist.name}, unlabelled",
        caveats=(UNKNOWN, note) if barred else (UNKNOWN,),
    )


def with_guesses(unlabelled: Datalist, guesses: Sequence[int], caveat: str) -> Datalist:
    """The images of ``unlabelled`` with guessed classes, one per training image."""
    pairs = zip(unlabelled.training, guesses, strict=True)
    training = tuple(replace(entry, label=int(guess)) for entry, guess in pairs)
    return replace(unlabelled, training=training, caveats=(caveat,))


def _with_training(
    datalist: Datalist, training: Sequence[Entry], recipe: dict[str, Any]
) -> Datalist:
    split = replace(datalist.split, recipe={**datalist.split.recipe, **recipe})
    return replace(datalist, training=tuple(training), split=split)


def _first_patients(
    entries: Sequence[Entry], wanted: Sequence[int], seed: Sequence[int], labels: Sequence[str]
) -> tuple[Entry, ...]:
    """Whole patients in random order until every class has as many as wanted."""
    has = np.zeros(len(labels), np.int64)
    taken: set[str] = set()
    for images in _in_random_order(entries, seed):  # a larger set goes on where a smaller stops
        classes = sorted({entry.known_label for entry in images})
        if any(has[label] < wanted[label] for label in classes):
            has[classes] += 1
            taken.add(images[0].group)
    lacking = {n: f"{h} of {w}" for n, h, w in zip(labels, has, wanted, strict=True) if h < w}
    if lacking:
        raise DataError(
            f"There are too few patients for this training set ({lacking}): ask for fewer, keep "
            "fewer for validation and test (`test_patients_per_class`), or leave out the arm."
        )
    return tuple(entry for entry in entries if entry.group in taken)


def _in_random_order(entries: Sequence[Entry], seed: Sequence[int]) -> list[list[Entry]]:
    """Images by patient; the order depends on names and the seed, not on the key or the listing."""
    patients: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.name):
        patients.setdefault(entry.group, []).append(entry)
    images = list(patients.values())
    return [images[i] for i in np.random.default_rng(list(seed)).permutation(len(images))]
