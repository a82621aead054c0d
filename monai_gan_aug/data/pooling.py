"""Every usable image of a source, read once: labelled, pseudonymised, searched for copies."""

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from monai_gan_aug.data.duplicates import (
    SAME_LOOK,
    Pair,
    Thumbnails,
    correlated_pairs,
    find_identical,
    merge_groups,
    read_thumbnails,
)
from monai_gan_aug.data.pseudonyms import PatientKey
from monai_gan_aug.data.sources import Source, SourceRecord
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.cores import usable_cores
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.image import Units
from monai_gan_aug.io.names import printable, resolve_inside
from monai_gan_aug.io.refusal import rejected_list
from monai_gan_aug.records.datalist import NO_GROUPING, Entry

__all__ = ["LabelledSource", "OnDuplicates", "Pool", "PoolingRules", "pool_entries"]

OnDuplicates = Literal["refuse", "group"]
DISPLAY = "display values"
NO_PATIENTS = (
    "There are no patient ids: every image counts as its own patient, so images of one patient may "
    "be in training and test, and intervals are too narrow."
)
SHOWN_FAULTS = 20
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pool:
    """Every usable image, before any split.

    Args:
        labels: Class names, by label.
        entries: Images with keyed patient hashes.
        grouping: Where patient ids came from.
        key_fingerprint: Which secret key hashed the patients.
        caveats: What was skipped, left out or merged, in sentences for a report.
        copies: Positions in ``entries + unlabelled`` of images that look the same, in pairs.
        unlabelled: Images whose class nobody knows.
    """

    labels: tuple[str, ...]
    entries: tuple[Entry, ...]
    grouping: str
    key_fingerprint: str
    caveats: tuple[str, ...] = ()
    copies: tuple[Pair, ...] = ()
    unlabelled: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class LabelledSource:
    """A source, the folder it describes, and what decides labels and patients before a split.

    Args:
        source: Where images, labels and patients come from.
        root: Data root; the names of images are relative to it.
        classes: Classes to use, in label order; images of others are left out. All classes in
            alphabetical order if not given.
        unlabelled: Label of images without a class, such as the folder they lie in.
        key_file: Secret key of the patient hashes; the user's own if not given.
        group: ``"none"`` to say that there is no patient id.
    """

    source: Source
    root: Path
    classes: Sequence[str] | None = None
    unlabelled: str | None = None
    key_file: Path | str | None = None
    group: str | None = None

    @property
    def grouping(self) -> str:
        """Where patient ids come from, in words.

        Raises:
            DataError: If nothing says so, and neither does ``group``.
            ValueError: If ``group`` is something else.
        """
        if self.group not in (None, NO_GROUPING):
            raise ValueError(f"`group` must be 'none' or not given, got {self.group!r}.")
        if self.group == NO_GROUPING:
            return NO_GROUPING
        if self.source.grouping is None:
            raise DataError(
                "Nothing says which patient an image belongs to, so a split could leak: name where "
                "patient ids are, or say `group` 'none' if there are none."
            )
        return self.source.grouping

    def key(self) -> PatientKey:
        """The key of the patient hashes; made if there is none yet.

        Raises:
            DataError: If the source hashed its patients with another one.
        """
        key = PatientKey.load_or_create(self.key_file)
        if self.source.key_fingerprint not in (None, key.fingerprint):
            raise DataError(
                "The patients were hashed with another key than this one, so they cannot be told "
                "from those of other sets: name that key by `key_file`, or `prepare` again."
            )
        return key


@dataclass(frozen=True)
class PoolingRules:
    """What copies and bad images do, and how images are read.

    Args:
        on_duplicates: ``"group"`` makes one group of patients that share a copy of an image;
            ``"refuse"`` keeps them apart and leaves it to the split to refuse them.
        max_bad_fraction: Largest part of the images that a source may skip.
        rejected: Text file that gets a line for every image at fault, also when that ends it all.
        workers: Decoding processes; ``None`` for one per core.
        progress: Whether to show progress bars.

    Raises:
        ValueError: If ``on_duplicates`` is something else.
    """

    on_duplicates: OnDuplicates = "group"
    max_bad_fraction: float = 0.02
    rejected: Path | None = None
    workers: int | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        if self.on_duplicates not in ("refuse", "group"):
            raise ValueError(
                f"`on_duplicates` must be 'refuse' or 'group', got {self.on_duplicates!r}."
            )


def pool_entries(images: LabelledSource, rules: PoolingRules | None = None) -> Pool:
    """Read a source once, for one split or many.

    Args:
        images: Where images, labels and patients come from.
        rules: What copies and bad images do.

    Raises:
        DataError: If patients are not known and ``group`` is not ``"none"``, or were hashed with
            another key, if there are fewer than two classes, copies with different labels, too many
            faults, or unreadable images.
    """
    rules = rules or PoolingRules()
    source, root = images.source, Path(images.root)
    grouping = images.grouping
    with rejected_list(rules.rejected) as reject:
        try:
            records = source.records(root)
        finally:
            for fault in source.faults:  # listed also when the source gave up
                reject(fault)
        classless = [record for record in records if record.label == images.unlabelled]
        if images.unlabelled is not None and not classless:
            raise DataError(
                f"No image has the label {images.unlabelled!r}, which `unlabelled` names."
            )
        records = [record for record in records if record.label != images.unlabelled]
        labels, records, caveats = _choose_classes(records, images.classes)
        labelled = len(records)
        records += classless  # behind the others: copies are sought among all of them at once
        key = images.key()
        entries = _entries(records, labels, root, key, grouping, rules.progress)
        small = read_thumbnails(entries, root, workers=rules.workers, progress=rules.progress)
        for error in small.bad.values():
            reject(str(error))
        caveats = [*source.caveats, *caveats, *_fault_caveats(source, len(entries), small, rules)]
    _refuse_mixed_units(small.units)
    good = [position for position in range(len(entries)) if position not in small.bad]
    entries = tuple(entries[position] for position in good)
    labelled = sum(position < labelled for position in good)
    copies = _copies(entries, small.vectors, good)
    _refuse_conflicts(entries, labels, [pair for pair in copies if max(pair) < labelled])
    if rules.on_duplicates == "group":
        caveats += _copies_caveat(entries, copies)
        entries = merge_groups(entries, copies)
    if grouping == NO_GROUPING:
        caveats.append(NO_PATIENTS)
    caveats = list(dict.fromkeys(caveats))
    for caveat in caveats:
        logger.warning(caveat)
    return Pool(
        labels,
        entries[:labelled],
        grouping,
        key.fingerprint,
        tuple(caveats),
        tuple(copies),
        entries[labelled:],
    )


def _copies(
    entries: Sequence[Entry], vectors: npt.NDArray[np.float32], good: Sequence[int]
) -> list[Pair]:
    """Pairs of images that look the same; of identical files, the first one is compared."""
    identical = find_identical(entries)
    repeated = {j for _, j in identical}
    distinct = [position for position in range(len(entries)) if position not in repeated]
    near = correlated_pairs(vectors, SAME_LOOK, rows=[good[position] for position in distinct])
    return sorted({*((distinct[i], distinct[j]) for i, j in near), *identical})


def _fault_caveats(
    source: Source, listed: int, small: Thumbnails, rules: PoolingRules
) -> list[str]:
    """A sentence about skipped images; raises when none, or not so many, may be skipped."""
    for error in small.bad.values():
        if source.on_error == "raise":
            raise error
    faults = [*source.faults, *map(str, small.bad.values())]
    total = listed + len(source.faults)
    all_listed = ""
    if rules.rejected is not None:
        all_listed = f"all {len(faults)} are listed in {rules.rejected.name}; "
    if len(faults) > rules.max_bad_fraction * total:
        raise DataError(
            f"{len(faults)} of {total} images are at fault, more than `max_bad_fraction` "
            f"{rules.max_bad_fraction} allows; {all_listed}the first: {faults[0]}"
        )
    for fault in faults[:SHOWN_FAULTS]:
        logger.warning("Skipped: %s", fault)
    if len(faults) > SHOWN_FAULTS:
        more = len(faults) - SHOWN_FAULTS
        logger.warning("Skipped: … and %d more; %s", more, all_listed)
    return [f"{len(faults)} of {total} images were skipped because of faults."] if faults else []


def _refuse_mixed_units(units: Sequence[Units | None]) -> None:
    """Refuse Hounsfield units beside screen values: no recipe maps both to the same range."""
    scale = {Units.DISPLAY8: DISPLAY, Units.DISPLAY16: DISPLAY}
    kinds = Counter(scale.get(unit, unit.value) for unit in units if unit is not None)
    if len(kinds) > 1:
        raise DataError(
            f"The images have different kinds of values, {dict(kinds)}: `inspect` the folder and "
            "prepare each kind on its own."
        )


def _choose_classes(
    records: list[SourceRecord], classes: Sequence[str] | None
) -> tuple[tuple[str, ...], list[SourceRecord], list[str]]:
    """Class names, the records of these classes, and a sentence about the others."""
    counts = Counter(record.label for record in records)
    spellings: dict[str, str] = {}
    for label in sorted(counts):
        same = spellings.setdefault(" ".join(label.lower().split()), label)
        if same != label:
            raise DataError(f"Classes {same!r} and {label!r} differ in spelling only: unify them.")
    labels = tuple(classes) if classes else tuple(sorted(counts))
    if missing := [name for name in labels if name not in counts]:
        raise DataError(f"No image has the label {missing}: the labels are {dict(counts)}.")
    if len(set(labels)) < 2 or len(set(labels)) < len(labels):
        raise DataError(
            f"At least two different classes are needed, got {list(labels)} of {dict(counts)}."
        )
    others = {name: number for name, number in sorted(counts.items()) if name not in labels}
    left_out = ", ".join(f"{name} ({number} images)" for name, number in others.items())
    kept = [record for record in records if record.label in labels]
    return labels, kept, [f"Classes left out: {left_out}."] if others else []


def _entries(
    records: Sequence[SourceRecord],
    labels: tuple[str, ...],
    root: Path,
    key: PatientKey,
    grouping: str,
    progress: bool,
) -> tuple[Entry, ...]:
    paths = [resolve_inside(root, record.image) for record in records]
    frames = [record.frame for record in records]
    with ThreadPoolExecutor(usable_cores()) as pool:  # hashing leaves the interpreter lock
        ids = list(
            tqdm(
                pool.map(content_id, paths, frames),
                total=len(paths),
                desc="hashing images",
                unit="image",
                disable=None if progress else True,
            )
        )
    position = {name: number for number, name in enumerate(labels)}
    entries = []
    for record, id_ in zip(records, ids, strict=True):
        group = record.group or key.pseudonym(_patient(record, grouping))
        label = position.get(record.label)  # nothing for an image without a class
        entries.append(Entry(record.image, label, group, id_, record.frame))
    return tuple(entries)


def _patient(record: SourceRecord, grouping: str) -> str:
    if grouping == NO_GROUPING:
        return f"image {record.image}"
    if record.patient:
        return f"patient {record.patient.strip()}"
    raise DataError(f"{record.where} has no patient: fill it in, or group by 'none'.")


def _refuse_conflicts(
    entries: Sequence[Entry], labels: Sequence[str], copies: Sequence[Pair]
) -> None:
    conflicts = [
        (entries[i], entries[j]) for i, j in copies if entries[i].label != entries[j].label
    ]
    if conflicts:
        shown = "; ".join(
            f"{printable(a.name)} is {labels[a.known_label]}, "
            f"{printable(b.name)} is {labels[b.known_label]}"
            for a, b in conflicts[:3]
        )
        raise DataError(
            f"{len(conflicts)} pairs of images look the same and have different labels ({shown}): "
            "correct a label or remove one of each pair."
        )


def _copies_caveat(entries: Sequence[Entry], copies: Sequence[Pair]) -> list[str]:
    across = [pair for pair in copies if entries[pair[0]].group != entries[pair[1]].group]
    if not across:
        return []
    identical = sum(entries[i].id == entries[j].id for i, j in across)
    return [
        f"{len(across)} pairs of images with different patient ids, or none, look the same "
        f"({identical} byte for byte); each pair stays on one side of every split."
    ]
