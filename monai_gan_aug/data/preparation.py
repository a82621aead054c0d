"""From a source to a datalist: pool, limit, split by patient, write."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from monai_gan_aug.data.paths import printable
from monai_gan_aug.data.pooling import OnDuplicates, Pool, pool_entries
from monai_gan_aug.data.sources import Source
from monai_gan_aug.data.splitting import limit_entries, split_entries
from monai_gan_aug.data.training_sets import unlabelled_list
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import SPLITS, Datalist, SplitRecord

__all__ = ["Pool", "pool_entries", "prepare", "unlabelled_path"]


def prepare(
    source: Source,
    root: Path | str,
    out: Path | str,
    *,
    fractions: Sequence[float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    limit: int | None = None,
    classes: Sequence[str] | None = None,
    unlabelled: str | None = None,
    key_file: Path | str | None = None,
    group: str | None = None,
    name: str = "unnamed",
    caveats: Sequence[str] = (),
    on_error: Literal["raise", "skip"] | None = None,
    on_duplicates: OnDuplicates = "refuse",
    min_patients_per_class: int = 2,
    max_bad_fraction: float = 0.02,
    rejected: Path | str | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Datalist:
    """Split a source by patient and write the datalist, atomically.

    Args:
        source: Where images, labels and patients come from.
        root: Data root; the datalist's paths are relative to it.
        out: Datalist to write.
        fractions: Shares of training, validation and test.
        seed: Makes the split, and the choice of ``limit``.
        limit: Reduce to this many images first, whole patients, the class ratio kept.
        classes: Classes to use, in label order.
        unlabelled: Label of images without a class: those not of validation or test patients go to
            ``<out>.unlabelled.json``, for arms that learn from them.
        key_file: Secret key of the patient hashes.
        group: ``"none"`` to say that there is no patient id.
        name: Name of the data set in reports.
        caveats: Sentences every report must repeat.
        on_error: What faults of the source do; as the source says if not given.
        on_duplicates: ``"refuse"`` a split with copies of an image on two sides, or ``"group"``
            their patients beforehand.
        min_patients_per_class: Patients that each part gets of every class.
        max_bad_fraction: Largest part of the images that may be skipped.
        rejected: Text file that gets a line for every image at fault.
        workers: Decoding processes; ``None`` for one per core.
        progress: Whether to show progress bars.

    Returns:
        The datalist that was written.

    Raises:
        DataError: As :func:`pool_entries` and
            :func:`~monai_gan_aug.data.splitting.split_entries` do, or for copies across splits.
    """
    if on_error is not None:
        source.on_error = on_error
    pool = pool_entries(
        source,
        root,
        classes=classes,
        unlabelled=unlabelled,
        key_file=key_file,
        group=group,
        on_duplicates=on_duplicates,
        max_bad_fraction=max_bad_fraction,
        rejected=rejected,
        workers=workers,
        progress=progress,
    )
    entries = pool.entries if limit is None else limit_entries(pool.entries, limit, seed=seed)
    split = split_entries(
        entries,
        pool.labels,
        fractions,
        seed=seed,
        min_patients_per_class=min_patients_per_class,
    )
    home = {entry.name: part for part in SPLITS for entry in split[part]}
    _refuse_copies_across(home, pool)
    recipe = {"fractions": list(fractions), "limit": limit}
    datalist = Datalist(
        labels=pool.labels,
        **split,
        split=SplitRecord(seed, pool.grouping, pool.key_fingerprint, recipe),
        name=name,
        caveats=(*caveats, *pool.caveats),
    )
    if unlabelled is not None:
        classless = unlabelled_list(datalist, (), len(pool.unlabelled), pool.unlabelled)
        learned_from = {entry.name: "training" for entry in classless.training}
        _refuse_copies_across({**home, **learned_from}, pool)
        classless.save(unlabelled_path(out))
    datalist.save(Path(out))
    return datalist


def unlabelled_path(out: Path | str) -> Path:
    """Where the unlabelled images of the datalist at ``out`` are listed.

    Example:
        >>> unlabelled_path("ct/datalist.json").name
        'datalist.unlabelled.json'
    """
    return Path(out).with_suffix(".unlabelled.json")


def _refuse_copies_across(home: Mapping[str, str], pool: Pool) -> None:
    """Refuse a picture on two sides; ``home`` names the side of an image, if it has one."""
    images = (*pool.entries, *pool.unlabelled)
    across = []
    for i, j in pool.copies:
        names = images[i].name, images[j].name
        sides = [home.get(name) for name in names]
        if None not in sides and sides[0] != sides[1]:
            across.append(" and ".join(map(printable, names)))
    if across:
        raise DataError(
            f"{len(across)} pairs of images look the same and are in different splits "
            f"({'; '.join(across[:3])}): remove copies, or keep their patients together with "
            "`on_duplicates` 'group'."
        )
