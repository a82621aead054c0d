"""The pool of a study, kept on disk so that a restart does not read every image again."""

from pathlib import Path

from monai_gan_aug.data.pooling import LabelledSource, Pool, pool_entries
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.jobs import KeptPool

__all__ = ["kept_pool"]


def kept_pool(path: Path, images: LabelledSource) -> Pool:
    """The pool kept at ``path`` if it was made with the same arguments, else a new one, kept.

    Args:
        path: JSON file of the pool.
        images: Where images, labels and patients come from.

    Raises:
        DataError: As :func:`monai_gan_aug.data.pooling.pool_entries` does.
    """
    settings = sha256_json(
        [
            repr(images.source),
            str(images.root),
            list(images.classes or []),
            images.unlabelled,
            images.key_file,
            images.group,
        ]
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
    pool = pool_entries(images)
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
