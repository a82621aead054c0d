"""Test sets from elsewhere: images no part of a study was made of, for its finished classifiers."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.data.copies import find_copies_between
from monai_gan_aug.data.copy_candidates import SIDE
from monai_gan_aug.data.duplicates import (
    SAME_LOOK,
    Thumbnail,
    correlated_pairs,
    read_thumbnails,
)
from monai_gan_aug.data.pooling import LabelledSource, Pool
from monai_gan_aug.data.pseudonyms import PatientKey
from monai_gan_aug.data.sources import Source
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.io.names import printable
from monai_gan_aug.records.datalist import NO_GROUPING, Datalist, Entry, SplitRecord
from monai_gan_aug.records.jobs import LookAlikes
from monai_gan_aug.studies.data import StudyData, preprocessing
from monai_gan_aug.studies.layout import StudyLayout
from monai_gan_aug.studies.pool import kept_pool

__all__ = ["ExternalData", "ExternalSet", "external_sets"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
LEAST_PATIENTS = 5
SEARCH = "look-alikes and changed copies, 1"
"""Which search the kept counts are of: another search counts again."""
PICTURE = Thumbnail(SIDE, enlarging=Image.Resampling.BICUBIC)
SHOWN = 3
UNCOMPARED = (
    "The patient ids of this set cannot be compared with those of the study, so nobody could look "
    "for patients that are in both."
)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExternalData:
    """Labelled images of another place; all of them are test images.

    Preprocessing and the key of the patient hashes are those of the study.

    Args:
        dataset_dir: Root of the images.
        source: Where labels and patients come from (:mod:`monai_gan_aug.data.sources`).
        classes: What the classes of the study are called here, in the same order; the same names
            if not given. Images of other classes are left out.
        group: ``"none"`` to say that there is no patient id.
        own_patient_ids: The place gave its patients ids of its own, so that a patient of the study
            with the same id is another person.
        caveats: Sentences the report must carry.

    Raises:
        DataError: If ``dataset_dir`` is not a folder.
    """

    dataset_dir: str
    source: Source
    classes: Sequence[str] | None = None
    group: str | None = None
    own_patient_ids: bool = False
    caveats: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.dataset_dir or not Path(self.dataset_dir).is_dir():
            raise DataError("`dataset_dir` of an external test set is not a folder.")


@dataclass(frozen=True)
class ExternalSet:
    """A checked external test set, ready for jobs.

    Args:
        root: Root of its images.
        path: Where its datalist lies.
        datalist: All images in the test split.
    """

    root: Path
    path: Path
    datalist: Datalist


def external_sets(
    external: Mapping[str, ExternalData], data: StudyData, layout: StudyLayout
) -> dict[str, ExternalSet]:
    """Read, check and decode external test sets, and write their datalists.

    Args:
        external: The sets, by name.
        data: The images of the study.
        layout: Where the study lies.

    Returns:
        The sets, by name. What could not be ruled out is among the caveats of their datalists:
        images that look the same as one of the study, patients that cannot be compared.

    Raises:
        DataError: If an image is a copy of one of the study, a patient is in both, a class has
            fewer than five patients, or a name is no name of a folder.
    """
    return {
        name: _external_set(name, described, data, layout) for name, described in external.items()
    }


def _external_set(
    name: str, external: ExternalData, data: StudyData, layout: StudyLayout
) -> ExternalSet:
    if not NAME.fullmatch(name):
        raise DataError(f"`external` has the name {name!r}: use letters, digits, _ and - only.")
    root, here = Path(external.dataset_dir).resolve(), layout.external(name)
    study = data.pool(layout)
    if external.classes is not None and len(external.classes) != len(study.labels):
        raise DataError(
            f"`classes` of the external set {name} must hold one name for each of "
            f"{list(study.labels)}, in this order, got {list(external.classes)}."
        )
    images = LabelledSource(
        external.source,
        root,
        classes=external.classes or study.labels,
        key_file=data.key_file,
        group=external.group,
    )
    pool = kept_pool(here.pool, images)
    _refuse_copies(name, pool.entries, study.entries)
    entries, caveats = _own_patients(name, external, data, pool, study)
    caveats += _look_alikes(entries, root, study.entries, data.root, here.look_alikes)
    datalist = Datalist(
        labels=study.labels,
        training=(),
        validation=(),
        test=entries,
        split=SplitRecord(0, pool.grouping, pool.key_fingerprint, {"external": name}),
        name=f"{data.name}, {name}",
        caveats=(*external.caveats, *pool.caveats, *caveats),
    )
    _require_patients(name, datalist)
    datalist.save(here.datalist)
    ImageCache.build(entries, root, preprocessing(data.image), layout.cache)
    return ExternalSet(root, here.datalist, datalist)


def _refuse_copies(name: str, entries: Sequence[Entry], study: Sequence[Entry]) -> None:
    known = {entry.id: entry for entry in study}
    pairs = [(entry, known[entry.id]) for entry in entries if entry.id in known]
    if pairs:
        shown = "; ".join(
            f"{printable(here.name)} is {printable(there.name)}" for here, there in pairs[:SHOWN]
        )
        raise DataError(
            f"{len(pairs)} images of the external set {name} are copies of images of the study "
            f"({shown}): remove them, a classifier may have learned from them."
        )


def _own_patients(
    name: str, external: ExternalData, data: StudyData, pool: Pool, study: Pool
) -> tuple[tuple[Entry, ...], list[str]]:
    """Entries whose patients are none of the study's, and what could not be compared."""
    if external.own_patient_ids or NO_GROUPING in (pool.grouping, study.grouping):
        key = PatientKey.load_or_create(data.key_file)
        own = {entry.group for entry in pool.entries}
        renamed = {group: key.pseudonym(f"external {name} {group}") for group in own}
        entries = tuple(replace(entry, group=renamed[entry.group]) for entry in pool.entries)
        return entries, [UNCOMPARED]
    known = {entry.group for entry in study.entries}
    shared = [entry for entry in pool.entries if entry.group in known]
    if shared:
        patients = len({entry.group for entry in shared})
        raise DataError(
            f"{patients} patients of the external set {name} have the id of a patient of the study "
            f"(the first is that of {printable(shared[0].name)}): remove them, or set "
            "`own_patient_ids` if the place numbers its patients by itself."
        )
    return pool.entries, []


def _look_alikes(
    entries: Sequence[Entry], root: Path, study: Sequence[Entry], study_root: Path, kept: Path
) -> list[str]:
    """A caveat if images look the same as one of the study, or are one of it changed.

    The counts are kept on disk.
    """
    compared = [[entry.id for entry in part] for part in (entries, study)]
    settings = sha256_json([SEARCH, *compared])
    counted = LookAlikes.load_if_sound(kept)
    if counted is None or counted.settings != settings:
        vectors = [
            read_thumbnails(part, place).vectors
            for part, place in ((entries, root), (study, study_root))
        ]
        pairs = correlated_pairs(np.concatenate(vectors), SAME_LOOK)
        alike = {first for first, second in pairs if first < len(entries) <= second}
        pictures = [
            read_thumbnails(part, place, thumbnail=PICTURE).vectors.reshape(-1, SIDE, SIDE)
            for part, place in ((entries, root), (study, study_root))
        ]
        changed = {pair.first for pair in find_copies_between(*pictures)} - alike
        counted = LookAlikes(settings, len(alike), len(changed))
        counted.save(kept)
    caveats = []
    if counted.images:
        caveats.append(
            f"{counted.images} images look the same as one of the study (correlation of small grey "
            f"versions of {SAME_LOOK} or more): they may be copies of training images."
        )
    if counted.changed:
        caveats.append(
            f"{counted.changed} more images are one of the study changed (mirrored, turned, "
            "inverted, cropped, shifted, framed or marked): they may be copies of training images."
        )
    return caveats


def _require_patients(name: str, datalist: Datalist) -> None:
    counts = datalist.group_counts("test")
    if min(counts.values()) < LEAST_PATIENTS:
        raise DataError(
            f"The external set {name} has too few patients for an interval, {counts}: it needs "
            f"{LEAST_PATIENTS} of every class."
        )
