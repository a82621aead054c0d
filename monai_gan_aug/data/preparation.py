"""From a source to a datalist: pool, limit, split by patient, write."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from monai_gan_aug.data.pooling import LabelledSource, Pool, PoolingRules, pool_entries
from monai_gan_aug.data.sources import unlabelled_path
from monai_gan_aug.data.splitting import limit_entries, split_entries
from monai_gan_aug.data.training_sets import unlabelled_list
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.names import printable
from monai_gan_aug.records.datalist import SPLITS, Datalist, SplitRecord

__all__ = ["prepare"]


def prepare(
    images: LabelledSource,
    out: Path | str,
    *,
    fractions: Sequence[float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    limit: int | None = None,
    min_patients_per_class: int = 2,
    rules: PoolingRules | None = None,
    name: str = "unnamed",
    caveats: Sequence[str] = (),
) -> Datalist:
    """Split a source by patient and write the datalist, atomically.

    Images without a class, if ``images`` names any, go to ``<out>.unlabelled.json``, for arms that
    learn from them; those of validation and test patients are left out.

    Args:
        images: Where images, labels and patients come from; the datalist's paths are relative to
            its root.
        out: Datalist to write.
        fractions: Shares of training, validation and test.
        seed: Makes the split, and the choice of ``limit``.
        limit: Reduce to this many images first, whole patients, the class ratio kept.
        min_patients_per_class: Patients that each part gets of every class.
        rules: What copies and bad images do; by default, a split with copies of an image on two
            sides is refused.
        name: Name of the data set in reports.
        caveats: Sentences every report must repeat.

    Returns:
        The datalist that was written.

    Raises:
        DataError: As :func:`~monai_gan_aug.data.pooling.pool_entries` and
            :func:`~monai_gan_aug.data.splitting.split_entries` do, or for copies across splits.
    """
    pool = pool_entries(images, rules or PoolingRules(on_duplicates="refuse"))
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
    if images.unlabelled is not None:
        classless = unlabelled_list(datalist, (), len(pool.unlabelled), pool.unlabelled)
        learned_from = {entry.name: "training" for entry in classless.training}
        _refuse_copies_across({**home, **learned_from}, pool)
        classless.save(unlabelled_path(out))
    datalist.save(Path(out))
    return datalist


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
