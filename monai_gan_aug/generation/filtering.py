"""A synthetic datalist with fewer images, which says in its provenance what was taken out."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.provenance import SyntheticDatalist

__all__ = ["write_filtered"]


def write_filtered(
    path: Path, name: str, kept: Collection[str], settings: Mapping[str, Any]
) -> Path:
    """Write the entries whose content ids are kept, beside the original datalist.

    Args:
        path: A synthetic datalist; it and its images stay as they are.
        name: File name of the new datalist, in the same folder.
        kept: Content ids to keep; their order does not matter.
        settings: What was done, for ``provenance.settings.filter``; an earlier filter stays
            readable under its own number.

    Returns:
        Path of the new datalist.

    Raises:
        DataError: If nothing is left, or ``name`` is that of the original.
    """
    if name == path.name:
        raise DataError(f"{name} is the datalist to be filtered: choose another name.")
    original = SyntheticDatalist.load(path)
    entries = tuple(entry for entry in original.training if entry.id in kept)
    if not entries:
        raise DataError(f"No image of {path.name} is left: relax the filter, or generate more.")
    before = dict(original.provenance.settings)
    key = "filter" if "filter" not in before else f"filter_{len(before)}"
    provenance = replace(original.provenance, settings={**before, key: dict(settings)})
    target = path.with_name(name)
    replace(original, training=entries, provenance=provenance).save(target)
    return target
