"""Hashes: standard values, and canonical JSON."""

import hashlib

import pytest

from monai_gan_aug.io.hashing import content_id, sha256_file, sha256_json


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 21) + 7])
def test_file_hash_is_sha256_at_every_chunk_border(tmp_path, size):
    path = tmp_path / "x"
    path.write_bytes(b"\x5a" * size)
    assert sha256_file(path) == hashlib.sha256(b"\x5a" * size).hexdigest()


def test_content_id_follows_content_and_not_name(tmp_path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    ids = [content_id(tmp_path / name) for name in "abc"]
    assert ids[0] == ids[1] != ids[2]
    assert len(ids[0]) == 20


def test_json_hash_ignores_key_order_but_not_list_order():
    assert sha256_json({"a": [1, 2], "b": None}) == sha256_json({"b": None, "a": [1, 2]})
    assert sha256_json([1, 2]) != sha256_json([2, 1])


def test_json_hash_of_a_known_text():
    assert sha256_json({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


def test_nan_has_no_hash():
    with pytest.raises(ValueError, match="JSON"):
        sha256_json(float("nan"))
