"""The image cache: decode once, never stale, never half."""

import json
import logging
import multiprocessing
import os
import pickle
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.data import cache as cache_module
from monai_gan_aug.data import decoding
from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.errors import DataError, ImageReadError
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from tests.drawing import draw_noise


@pytest.fixture
def build(image_set, recipe, tmp_path):
    """Build the cache of a set (the whole one by default)."""

    def run(images, entries=None, **options):
        chosen = images.entries if entries is None else entries
        return ImageCache.build(
            chosen, images.root, recipe, tmp_path / "cache", progress=False, **options
        )

    return run


def source_pixels(images, entry):
    return np.asarray(Image.open(images.root / entry.image))[None]


def only_shard(cache):
    (shard,) = cache.shards
    return shard.array_path


def test_holds_the_pixels_of_the_files(image_set, build):
    images = image_set()
    cache = build(images)
    got = cache.gather(cache.rows(entry.id for entry in images.entries))
    want = np.stack([source_pixels(images, entry) for entry in images.entries])
    np.testing.assert_array_equal(got, want)


def test_second_build_decodes_nothing(image_set, build):
    images = image_set()
    assert build(images).decoded == len(images.entries)
    assert build(images).decoded == 0


def test_only_missing_images_are_decoded(image_set, build):
    images = image_set()
    build(images, images.entries[:5])
    cache = build(images)
    assert cache.decoded == len(images.entries) - 5
    got = cache.gather(cache.rows(e.id for e in images.entries[::-1]))
    want = np.stack([source_pixels(images, e) for e in images.entries[::-1]])
    np.testing.assert_array_equal(got, want)


def test_another_recipe_is_another_cache(image_set, build, tmp_path):
    images = image_set()
    build(images)
    smaller = PreprocessingRecipe(size=8, channels=1)
    cache = ImageCache.build(
        images.entries, images.root, smaller, tmp_path / "cache", progress=False
    )
    assert cache.decoded == len(images.entries)
    assert cache.shape == (1, 8, 8)


def test_images_of_large_sets_spread_over_shards(image_set, build, monkeypatch):
    monkeypatch.setattr(cache_module, "MAX_SHARD_IMAGES", 7)
    images = image_set()
    cache = build(images)
    assert [len(shard.ids) for shard in cache.shards if len(shard.ids) > 7] == []
    order = np.random.default_rng(0).permutation(len(images.entries))
    got = cache.gather(cache.rows(images.entries[i].id for i in order))
    want = np.stack([source_pixels(images, images.entries[i]) for i in order])
    np.testing.assert_array_equal(got, want)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x93NUMPY" + os.urandom(500))


def _flip_one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-50] ^= 1
    path.write_bytes(content)


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize("damage", [_truncate, _empty, _garbage, _flip_one_bit, _remove])
def test_damaged_shard_is_decoded_again(image_set, build, damage, suffix):
    images = image_set()
    damage(only_shard(build(images)).with_suffix(suffix))
    cache = build(images)
    assert cache.decoded == len(images.entries)
    got = cache.gather(cache.rows(e.id for e in images.entries))
    want = np.stack([source_pixels(images, e) for e in images.entries])
    np.testing.assert_array_equal(got, want)


def test_shard_of_another_recipe_is_not_used(image_set, build):
    images = image_set()
    described = only_shard(build(images)).with_suffix(".json")
    content = json.loads(described.read_text())
    described.write_text(json.dumps({**content, "recipe_sha256": "0" * 64}))
    assert build(images).decoded == len(images.entries)


def test_replaced_source_is_refused_by_name(image_set, build):
    images = image_set()
    build(images)
    victim = images.entries[3]
    draw_noise(images.root / victim.image, seed=987654)
    with pytest.raises(DataError, match=f"{victim.image} changed.*prepare"):
        build(images)


def test_replaced_source_is_decoded_once_the_datalist_knows_it(image_set, build):
    images = image_set()
    build(images)
    path = draw_noise(images.root / images.entries[3].image, seed=987654)
    new = replace(images.entries[3], id=content_id(path))
    cache = build(images, (*images.entries[:3], new, *images.entries[4:]))
    assert cache.decoded == 1
    np.testing.assert_array_equal(cache.gather(cache.rows([new.id]))[0], source_pixels(images, new))


def test_touched_source_is_hashed_once_more_and_reused(image_set, build, monkeypatch):
    images = image_set()
    build(images)
    os.utime(images.root / images.entries[0].image, (1, 1))
    assert build(images).decoded == 0
    monkeypatch.setattr(cache_module, "content_id", lambda path: pytest.fail("hashed again"))
    assert build(images).decoded == 0


def test_source_may_be_gone_once_cached(image_set, build):
    images = image_set()
    build(images)
    (images.root / images.entries[0].image).unlink()
    assert build(images).decoded == 0


def test_bad_image_is_named(image_set, build):
    images = image_set()
    path = images.root / images.entries[0].image
    path.write_bytes(path.read_bytes()[:40])
    bad = replace(images.entries[0], id=content_id(path))
    with pytest.raises(ImageReadError, match=bad.image):
        build(images, (bad, *images.entries[1:]))


def test_bad_images_may_be_skipped_up_to_a_limit(image_set, build):
    images = image_set()
    (images.root / images.entries[0].image).unlink()
    cache = build(images, on_error="skip", max_bad_fraction=0.1)
    assert list(cache.skipped) == [images.entries[0].image]
    assert len(cache) == len(images.entries) - 1
    with pytest.raises(DataError, match="max_bad_fraction"):
        build(images, on_error="skip", max_bad_fraction=0.0)


def test_name_that_leads_out_of_the_root_is_refused(image_set, build):
    images = image_set()
    outside = draw_noise(images.root.parent / "outside.png", seed=5)
    entry = replace(images.entries[0], image="../outside.png", id=content_id(outside))
    with pytest.raises(ImageReadError, match="out of the data root"):
        build(images, [entry])


def test_unknown_image_is_refused(image_set, build):
    with pytest.raises(DataError, match="not in the cache"):
        build(image_set()).rows(["no such id"])


def test_too_small_disk_is_said_before_decoding(image_set, build, monkeypatch):
    usage = cache_module.shutil.disk_usage(Path.cwd())._replace(free=10)
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"disk full.*needs"):
        build(image_set())


def test_needed_space_is_logged(image_set, build, caplog):
    with caplog.at_level(logging.INFO):
        build(image_set())
    assert "Caching 24 images" in caplog.text


def test_verify_names_images_that_changed_on_disk(image_set, build):
    images = image_set()
    cache = build(images)
    assert cache.verify() == []
    _flip_one_bit(only_shard(cache))
    assert ImageCache.union([cache]).verify() == [cache.shards[0].ids[-1]]


def test_survives_pickling_without_its_pixels(image_set, build):
    images = image_set(size=64)
    cache = build(images)
    content = pickle.dumps(cache)
    assert len(content) < 24 * 16 * 16
    rows = np.arange(4)
    np.testing.assert_array_equal(pickle.loads(content).gather(rows), cache.gather(rows))


def test_files_hold_no_name_of_the_source(image_set, build):
    images = image_set()
    folder = build(images).folder
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    written += " ".join(str(path.relative_to(folder)) for path in folder.rglob("*")).encode()
    assert not any(word in written for word in (b"normal", b"p0_0", images.root.name.encode()))


def _in_a_fork(target):
    process = multiprocessing.get_context("fork").Process(target=target)
    process.start()
    return process


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="the system cannot fork"
)
def test_kill_while_filling_costs_at_most_one_shard(image_set, build, recipe, tmp_path):
    images = image_set(patients=20)
    in_fourth_shard = multiprocessing.get_context("fork").Event()

    def fill():
        decode, calls = decoding._decode, iter(range(1, 1000))

        def decode_until_the_eighteenth(*job):
            if next(calls) == 18:
                in_fourth_shard.set()
                threading.Event().wait()
            return decode(*job)

        decoding._decode = decode_until_the_eighteenth
        cache_module.MAX_SHARD_IMAGES = 5
        build(images)

    process = _in_a_fork(fill)
    assert in_fourth_shard.wait(60)
    process.kill()
    process.join()
    cache = build(images)
    assert cache.decoded == len(images.entries) - 3 * 5
    assert not list(cache.folder.glob("*.partial"))
    assert cache.verify() == []


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="the system cannot fork"
)
def test_second_builder_waits_and_decodes_nothing(image_set, build, monkeypatch):
    images = image_set()
    first_holds, second_asks = (multiprocessing.get_context("fork").Event() for _ in range(2))

    def fill():
        decode = decoding._decode

        def decode_once_the_second_asks(*job):
            first_holds.set()
            second_asks.wait(60)
            return decode(*job)

        decoding._decode = decode_once_the_second_asks
        build(images)

    process = _in_a_fork(fill)
    assert first_holds.wait(60)
    acquire = FolderLock.acquire
    monkeypatch.setattr(
        FolderLock, "acquire", lambda lock, wait: (second_asks.set(), acquire(lock, wait))
    )
    assert build(images).decoded == 0
    process.join()
