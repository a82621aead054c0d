"""The pool of a study, kept on disk so that a restart does not read every image again."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from monai_gan_aug.data.pooling import Pool, pool_entries
from monai_gan_aug.data.sources import Source
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.datalist import Entry

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
    if path.is_file():
        content = json.loads(path.read_text())
        if content.pop("settings") == settings:
            return Pool(
                labels=tuple(content["labels"]),
                entries=tuple(Entry(**item) for item in content["entries"]),
                grouping=content["grouping"],
                key_fingerprint=content["key_fingerprint"],
                caveats=tuple(content["caveats"]),
                unlabelled=tuple(Entry(**item) for item in content["unlabelled"]),
            )
    pool = pool_entries(
        source, root, classes=classes, unlabelled=unlabelled, key_file=key_file, group=group
    )
    write_json(path, {"settings": settings, **asdict(replace(pool, copies=()))})
    return pool
