"""A folder of images, pooled and prepared with a key of its own and no progress bars."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from monai_gan_aug.data.pooling import LabelledSource, Pool, PoolingRules, pool_entries
from monai_gan_aug.data.preparation import prepare
from monai_gan_aug.data.sources import Source
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from tests.drawing import DrawnImages

NAMES_OF_RULES = {field.name for field in fields(PoolingRules)}
NAMES_OF_SOURCE = {field.name for field in fields(LabelledSource)}


@pytest.fixture
def recipe() -> PreprocessingRecipe:
    """Keeps the 16-pixel images of these tests as they are."""
    return PreprocessingRecipe(size=16, channels=1)


@pytest.fixture
def root(image_set: Callable[..., DrawnImages]) -> Path:
    """Eight patients per class with two images each, ``<class>/p<patient>_<n>.png``."""
    images = image_set(patients=8)
    for path in (images.root / "ill").iterdir():
        path.rename(path.with_name(f"p1{path.name[1:]}"))
    return images.root


@pytest.fixture
def pooled(tmp_path: Path) -> Callable[..., Pool]:
    """Pool a source; keywords are those of what names it and of the rules."""

    def run(source: Source, root: Path, **settings: Any) -> Pool:
        return pool_entries(*_images_and_rules(source, root, tmp_path, settings))

    return run


@pytest.fixture
def prepared(tmp_path: Path) -> Callable[..., Datalist]:
    """Prepare a source; keywords are those of what names it, of the rules, and of `prepare`."""

    def run(source: Source, root: Path, out: Path, **settings: Any) -> Datalist:
        ours = (NAMES_OF_RULES | NAMES_OF_SOURCE) & settings.keys()
        pooling = {"on_duplicates": "refuse"} | {name: settings.pop(name) for name in ours}
        images, rules = _images_and_rules(source, root, tmp_path, pooling)
        return prepare(images, out, rules=rules, **settings)

    return run


def _images_and_rules(
    source: Source, root: Path, folder: Path, settings: dict[str, Any]
) -> tuple[LabelledSource, PoolingRules]:
    rules = {name: value for name, value in settings.items() if name in NAMES_OF_RULES}
    named = {name: value for name, value in settings.items() if name not in NAMES_OF_RULES}
    images = LabelledSource(source, root, **{"key_file": folder / "key", **named})
    return images, PoolingRules(progress=False, **rules)
