"""One shard: what is written is what is read, and nothing else is believed."""

import json

import numpy as np
import pytest

from monai_gan_aug.data.shards import Shard, checksum, read_shards, remove_shard, write_shard

IMAGES = np.random.default_rng(0).integers(0, 2**16, (4, 3, 5, 5), dtype=np.uint16)


@pytest.fixture
def shard(tmp_path):
    return write_shard(tmp_path, "recipe", IMAGES, list("abcd"), [(1, 2)] * 4)


def test_round_trip(shard, tmp_path):
    (found,), damaged = read_shards(tmp_path, "recipe")
    assert found == shard
    assert damaged == []
    np.testing.assert_array_equal(found.open(), IMAGES)
    assert found.crc32 == tuple(checksum(image) for image in IMAGES)


def test_images_cannot_be_written_to(shard):
    with pytest.raises(ValueError, match="read-only"):
        shard.open()[0] = 0


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"ids": ["a"]},
        {"shape": [3, 5, 6]},
        {"dtype": "uint8"},
        {"dtype": "no type"},
        {"stamps": 5},
        {"recipe_sha256": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_contradicting_description_is_damage(shard, tmp_path, change):
    path = shard.array_path.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert read_shards(tmp_path, "recipe") == ([], [shard.array_path])


def test_array_without_description_is_damage(shard, tmp_path):
    shard.array_path.with_suffix(".json").unlink()
    assert read_shards(tmp_path, "recipe") == ([], [shard.array_path])


def test_pickled_array_is_not_loaded(shard, tmp_path):
    np.save(shard.array_path, np.array([{"x": 1}] * 4, dtype=object), allow_pickle=True)
    assert read_shards(tmp_path, "recipe") == ([], [shard.array_path])


def test_new_stamps_are_kept(shard):
    shard.with_stamps([(5, 6)] * 4)
    assert Shard.load(shard.array_path.with_suffix(".json")).stamps == ((5, 6),) * 4


def test_removal_leaves_nothing(shard, tmp_path):
    remove_shard(shard.array_path)
    assert list(tmp_path.iterdir()) == []
