"""The folder of all caches: listed, checked and emptied without the images."""

import pytest

from monai_gan_aug.__main__ import main
from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.data.cache_folder import list_caches, prune_caches, verify_caches
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

SIZES = (16, 8)


@pytest.fixture
def cache_dir(image_set, tmp_path):
    images = image_set()
    for size in SIZES:
        recipe = PreprocessingRecipe(size=size)
        ImageCache.build(images.entries, images.root, recipe, tmp_path / "cache", progress=False)
    return tmp_path / "cache"


def damage(cache_dir):
    path = next(cache_dir.rglob("shard-*.npy"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return path


def test_info_counts_images_by_recipe(cache_dir, capsys):
    assert main(["cache", "info", str(cache_dir)]) == 0
    said = capsys.readouterr().out
    for size in SIZES:
        assert f"size {size}" in said
        assert PreprocessingRecipe(size=size).sha256[:16] in said
    assert "2 caches" in said
    assert "p0_0" not in said


def test_verify_finds_one_changed_byte(cache_dir, capsys):
    assert main(["cache", "verify", str(cache_dir)]) == 0
    path = damage(cache_dir)
    assert verify_caches(list_caches(cache_dir)) == [f"{path.parent.name}/{path.name}"]
    assert main(["cache", "verify", str(cache_dir)]) == 2
    assert path.name in capsys.readouterr().err


def test_prune_keeps_what_is_named_and_counts_the_bytes(cache_dir, capsys):
    kept = PreprocessingRecipe(size=SIZES[0]).sha256[:16]
    assert main(["cache", "prune", str(cache_dir), "--keep", kept[:6]]) == 0
    assert [path.name for path in cache_dir.iterdir()] == [kept]
    assert "0.0 MB freed" in capsys.readouterr().out


def test_prune_removes_leftovers_of_a_kill_from_what_it_keeps(cache_dir):
    caches = list_caches(cache_dir)
    leftover = caches[0].folder / "shard-1.npy.77.partial"
    leftover.write_bytes(bytes(1000))
    assert prune_caches(caches, keep=[cache.folder.name for cache in caches]) == 1000
    assert not leftover.exists()


def test_misspelt_keep_deletes_nothing(cache_dir):
    assert main(["cache", "prune", str(cache_dir), "--keep", "zzzz"]) == 2
    assert len(list_caches(cache_dir)) == 2


def test_folder_without_a_cache_is_refused(tmp_path):
    assert main(["cache", "info", str(tmp_path)]) == 2


def test_foreign_folders_are_never_deleted(cache_dir):
    (cache_dir / "mine").mkdir()
    (cache_dir / "mine" / "recipe.json").write_text("{}")
    prune_caches(list_caches(cache_dir))
    assert [path.name for path in cache_dir.iterdir()] == ["mine"]
