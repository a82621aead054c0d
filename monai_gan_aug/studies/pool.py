"""The pool of a study, kept on disk so that a restart does not read every image again."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from monai_gan_aug.data.pooling import LabelledSource, Pool, pool_entries
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.datalist import Entry

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
    pool = pool_entries(images)
    write_json(path, {"settings": settings, **asdict(replace(pool, copies=()))})
    return pool
