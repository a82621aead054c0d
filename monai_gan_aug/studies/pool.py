"""The pool of a study, kept on disk so that a restart does not read every image again."""

from collections.abc import Sequence
from pathlib import Path

from monai_gan_aug.data.pooling import Pool, pool_entries
from monai_gan_aug.data.sources import Source
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.jobs import KeptPool

__all__ = ["kept_pool"]


def kept_pool(
    path: Path,
    source: Source,
    root: Path,
    *,
    classes: Sequence[str] | None = None,
    unlabelled: str | None = None,
    key_file: str | None = None,
    group: str | None = None,
) -> Pool:
    """The pool kept at ``path`` if it was made with the same arguments, else a new one, kept.

    Args:
        path: JSON file of the pool.
        source: Where images, labels and patients come from.
        root: Data root.
        classes: Classes to use, in label order.
        unlabelled: Label of images without a class.
        key_file: Secret key of the patient hashes; the user's own if not given.
        group: ``"none"`` to say that there is no patient id.

    Raises:
        DataError: As :func:`monai_gan_aug.data.pooling.pool_entries` does.
    """
    settings = sha256_json(
        [repr(source), str(root), list(classes or []), unlabelled, key_file, group]
    )
    kept = KeptPool.load_if_sound(path)
    if kept is not None and kept.settings == settings:
        return Pool(
            labels=kept.labels,
            entries=kept.entries,
            grouping=kept.grouping,
            key_fingerprint=kept.key_fingerprint,
            caveats=kept.caveats,
            unlabelled=kept.unlabelled,
        )
    pool = pool_entries(
        source, root, classes=classes, unlabelled=unlabelled, key_file=key_file, group=group
    )
    KeptPool(
        settings,
        labels=pool.labels,
        entries=pool.entries,
        grouping=pool.grouping,
        key_fingerprint=pool.key_fingerprint,
        caveats=pool.caveats,
        unlabelled=pool.unlabelled,
    ).save(path)
    return pool
