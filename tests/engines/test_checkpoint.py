import json
import pickle

import pytest
import torch

from monai_gan_aug.engines import checkpoint
from monai_gan_aug.engines.checkpoint import (
    differing_keys,
    find_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from monai_gan_aug.errors import DataError


def save(folder, step, **more):
    return save_checkpoint(folder, f"step_{step}.pt", {"step": step, "w": torch.ones(3), **more})


def test_the_newest_is_found_and_the_oldest_pruned(tmp_path):
    for step in range(4):
        save(tmp_path, step)
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["step_2.pt", "step_3.pt"]
    assert load_checkpoint(tmp_path)["step"] == 3
    assert load_checkpoint(tmp_path / "latest.json")["step"] == 3
    assert load_checkpoint(tmp_path / "step_2.pt")["step"] == 2


def test_a_value_that_is_not_finite_is_not_saved(tmp_path):
    save(tmp_path, 0)
    with pytest.raises(FloatingPointError, match=r"deep\.weight"):
        save(tmp_path, 1, deep={"weight": torch.tensor([1.0, float("nan")])})
    assert load_checkpoint(tmp_path)["step"] == 0


def test_a_disk_that_damages_the_file_leaves_the_old_one(tmp_path, monkeypatch):
    save(tmp_path, 0)
    monkeypatch.setattr(checkpoint, "sha256_file", lambda path: "0" * 64)
    with pytest.raises(OSError, match="check the disk"):
        save(tmp_path, 1)
    monkeypatch.undo()
    assert load_checkpoint(tmp_path)["step"] == 0
    assert not list(tmp_path.glob("*.partial"))


def test_a_leftover_of_a_kill_is_ignored_and_removed(tmp_path):
    save(tmp_path, 0)
    (tmp_path / "step_1.pt.99.partial").write_bytes(b"half")
    assert load_checkpoint(tmp_path)["step"] == 0
    save(tmp_path, 1)
    assert not list(tmp_path.glob("*.partial"))


def test_damage_after_writing_is_named_with_the_older_file(tmp_path):
    save(tmp_path, 0)
    save(tmp_path, 1)
    with (tmp_path / "step_1.pt").open("r+b") as stream:
        stream.seek(100)
        stream.write(b"\0\0\0\0")
    with pytest.raises(DataError, match=r"step_1.pt was damaged.*step_0.pt"):
        find_checkpoint(tmp_path)


class Malice:
    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_malicious_pickle_is_refused_without_side_effect(tmp_path):
    malice = Malice()
    malice.path = str(tmp_path / "side-effect")
    torch.save({"format": checkpoint.FORMAT, "x": malice}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(malice, protocol=2))
    for name in ("a.pt", "b.pt"):
        with pytest.raises(DataError, match="could run code"):
            load_checkpoint(tmp_path / name)
    assert not (tmp_path / "side-effect").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 truncated", b"text"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.pt"):
        load_checkpoint(tmp_path / "x.pt")


def test_weights_of_something_else_are_refused(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "other.pt")
    with pytest.raises(DataError, match="not a checkpoint of this toolkit"):
        load_checkpoint(tmp_path / "other.pt")


def test_a_missing_checkpoint_names_the_next_step(tmp_path):
    for path in (tmp_path, tmp_path / "absent.pt"):
        with pytest.raises(DataError, match="train first"):
            find_checkpoint(path)


def test_latest_names_the_hash_of_the_file(tmp_path):
    digest = save(tmp_path, 0)
    recorded = json.loads((tmp_path / "latest.json").read_text())["checkpoints"]
    assert [(item["file"], item["sha256"]) for item in recorded] == [("step_0.pt", digest)]


def test_equal_states_differ_in_nothing():
    state = torch.nn.Linear(2, 3).state_dict()
    assert differing_keys(state, dict(state)) == []
