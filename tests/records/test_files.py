"""One rule for versions, and old content read where it can be."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.records.cache import CacheRecipe, ShardHeader
from monai_gan_aug.records.checkpoints import CheckpointFile, CheckpointIndex
from monai_gan_aug.records.curves import Alarms, ClassifierCurves, GanCurves, GuardEvent
from monai_gan_aug.records.files import FileRecord
from monai_gan_aug.records.jobs import JobBegun, JobDone, KeptPool, LookAlikes
from monai_gan_aug.records.metrics import ClassifierResult
from monai_gan_aug.records.quality import QualityFile, QualityRow, ScreeningFile, SelectionFile


@dataclass(frozen=True)
class Note(FileRecord):
    """Schema 1 called `text` by another name."""

    KIND = "a note"
    SCHEMA = 2
    REMEDY = "write it again"
    ERROR = ProvenanceError

    text: str

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        return {"text": content["words"]} if schema == 1 else None


@dataclass(frozen=True)
class Sealed(FileRecord):
    KIND = "a sealed note"
    REMEDY = "write it again"
    SEAL = ("inner", "sha256")

    inner: Note
    sha256 = "5f"


def put(path, content):
    path.write_text(json.dumps(content))
    return path


def test_is_read_as_it_was_written_with_its_number_first(tmp_path):
    Note("hello").save(tmp_path / "n.json")
    assert Note.load(tmp_path / "n.json") == Note("hello")
    assert next(iter(json.loads((tmp_path / "n.json").read_text()).items())) == ("schema", 2)


def test_an_earlier_schema_is_upgraded_if_it_can_be(tmp_path):
    assert Note.load(put(tmp_path / "n.json", {"schema": 1, "words": "old"})) == Note("old")


def test_without_a_number_it_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(ProvenanceError, match=r"n\.json is not a note of this .*write it again"):
        Note.load(put(tmp_path / "n.json", {"text": "x"}))


def test_a_newer_schema_is_refused_as_such(tmp_path):
    with pytest.raises(ProvenanceError, match=r"n\.json was made by a newer version .*schema 3"):
        Note.load(put(tmp_path / "n.json", {"schema": 3, "text": "x"}))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"schema": 2, "text": 5}, r"text must be text, got 5"),
        ({"schema": 2, "text": "a\x07"}, "control characters"),
        ({"schema": 2}, "text is missing"),
        ({"schema": 2, "text": "a", "more": 1}, "more is not known"),
    ],
)
def test_names_file_place_rule_and_next_step(tmp_path, content, place):
    with pytest.raises(ProvenanceError, match=rf"^n\.json is not a note \(.*{place}.*write it ag"):
        Note.load(put(tmp_path / "n.json", content))


@pytest.mark.parametrize("edit", [{"text": "y"}, {"sha256": "60"}])
def test_a_sealed_file_that_was_edited_is_refused(tmp_path, edit):
    sealed = Sealed(Note("x"))
    object.__setattr__(sealed, "sha256", "5f")
    sealed.save(tmp_path / "s.json")
    assert Sealed.load(tmp_path / "s.json").inner == Note("x")
    content = json.loads((tmp_path / "s.json").read_text())
    content["inner"].update(edit)
    if "text" in edit:  # as if the hash of the other text were another one
        content["inner"]["sha256"] = "61"
    with pytest.raises(DataError, match="was changed after it was written"):
        Sealed.load(put(tmp_path / "s.json", content))


def test_nothing_instead_of_an_error_where_that_is_enough(tmp_path):
    assert JobDone.load_if_sound(tmp_path / "job.json") is None
    assert JobDone.load_if_sound(put(tmp_path / "job.json", {"identity": 1})) is None


SHARD = {"recipe_sha256": "a", "shape": [1, 8, 8], "dtype": "uint8", "ids": ["i"], "crc32": [1]}
ENTRY = {"image": "a.png", "label": 0, "group": "g", "id": "i", "frame": None}
PROVENANCE = {
    "package": "0.1.0",
    "versions": {},
    "split": "test",
    "split_sha256": "s",
    "key_fingerprint": "k",
    "synthetic_sha256": [],
    "checkpoint_sha256": [],
    "settings": {"epochs": 3},
}
ROW = {
    "metric": "kid",
    "value": 1.0,
    "real_versus_real": 0.5,
    "lower_is_better": True,
    "recipe": {},
}
CHOICE = {
    "class": "ill",
    "generated": 4,
    "accepted": 2,
    "acceptance_rate": 0.5,
    "passed": {"confidence": 2},
    "real_accepted_by_confidence": 0.9,
    "selected": 2,
}
POOL = {
    "settings": "s",
    "labels": ["a", "b"],
    "entries": [ENTRY],
    "grouping": "none",
    "key_fingerprint": "k",
    "caveats": [],
    "copies": [],
    "unlabelled": [ENTRY],
}
SCREEN = {
    "caveat": "c",
    "conclusion": "c",
    "setting": "report",
    "images": 9,
    "near_copies": [
        {
            "id": "i",
            "class": "ill",
            "training_id": "t",
            "seen_in": ["pixels"],
            "distance_pixels": 1.0,
        }
    ],
    "recipe": {},
    "rows": [ROW],
}
BEFORE_NUMBERS = {
    "latest": (
        CheckpointIndex,
        {
            "checkpoints": [
                {"file": "a.pt", "sha256": "5f", "suspect": True},
                {"file": "b.pt", "sha256": "60"},
            ]
        },
        lambda r: (
            r.checkpoints == (CheckpointFile("a.pt", "5f", True), CheckpointFile("b.pt", "60"))
        ),
    ),
    "begun": (JobBegun, {"identity": "i", "name": "n"}, lambda r: r.identity == "i"),
    "done": (JobDone, {"identity": "i", "name": "n", "seconds": 2.5}, lambda r: r.seconds == 2.5),
    "look-alikes": (LookAlikes, {"settings": "s", "images": 3}, lambda r: r.images == 3),
    "pool": (KeptPool, POOL, lambda r: (r.entries[0].label, r.unlabelled[0].label) == (0, None)),
    "recipe": (CacheRecipe, {"size": 32}, lambda r: r.recipe == {"size": 32}),
    "shard": (
        ShardHeader,
        {"version": 1, **SHARD, "stamps": [[1051, 2]]},
        lambda r: r.stamps == ((1051, 2),),
    ),
    "alarms": (
        Alarms,
        [{"kind": "rolled_back", "step": 6, "back_to": 4}],
        lambda r: r.alarms == (GuardEvent("rolled_back", 6, 4),),
    ),
    "GAN": (
        GanCurves,
        {
            "step": [1],
            "g_loss": [1.0],
            "d_loss": [1.0],
            "d_real": [0.5],
            "d_fake": [None],
            "p/r1": [2.0],
        },
        lambda r: (r.d_fake, r.penalties) == ((None,), {"p/r1": (2.0,)}),
    ),
    "classifier": (
        ClassifierCurves,
        {"step": [1], "loss": [1.0], "validation_auc": [None]},
        lambda r: r.validation_auc == (None,),
    ),
    "metrics": (
        ClassifierResult,
        {"arm": "a", "seed": 0, "metrics": {"auc": 0.9}, "steps": 5, "provenance": PROVENANCE},
        lambda r: r.provenance.settings == {"epochs": 3},
    ),
    "quality": (QualityFile, [{**ROW, "label": "ill"}], lambda r: r.rows[0].label == "ill"),
    "screening": (ScreeningFile, SCREEN, lambda r: r.near_copies[0].label == "ill"),
    "selection": (
        SelectionFile,
        {
            "settings": {"confidence": 0.5, "realism": 0.0, "diversity": 0.0, "budget": None},
            "classes": [
                {**CHOICE, "recall": {"selected": 0.1, "random": 0.3, "lost": 0.2}},
                {**CHOICE, "coverage": None},
            ],
        },
        lambda r: (r.classes[0].cost["recall"].lost, dict(r.classes[1].cost)) == (0.2, {}),
    ),
}


@pytest.mark.parametrize(
    ("kind", "content", "holds"), BEFORE_NUMBERS.values(), ids=BEFORE_NUMBERS.keys()
)
def test_files_from_before_there_were_numbers_are_still_read(tmp_path, kind, content, holds):
    record = kind.load(put(tmp_path / "f.json", content))
    assert holds(record)
    record.save(tmp_path / "again.json")
    assert kind.load(tmp_path / "again.json") == record
    assert json.loads((tmp_path / "again.json").read_text())["schema"] == kind.SCHEMA


def test_a_row_of_quality_needs_no_recipe():
    assert QualityRow("kid", 1.0, 0.5, lower_is_better=True).method == {}
