"""A generator that copies is caught; one that draws other patients passes."""

import json

import numpy as np
import pytest
import torch

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.features import RandomFeatures
from monai_gan_aug.privacy import screening
from monai_gan_aug.privacy.screening import CAVEAT, CopyScreen
from monai_gan_aug.records.provenance import SyntheticDatalist
from tests.drawing.patients import HeldImages, one_each, write_unseen


def copies(of, change):
    draw = torch.Generator().manual_seed(0)
    noisy = of.images + 0.03 * torch.randn(of.images.shape, generator=draw)
    return one_each(change(noisy).clamp(-1, 1), "syn", of.labels)


@pytest.fixture
def screen(patients, tmp_path, monkeypatch):
    """Screen a synthetic set; keywords go to :class:`CopyScreen`."""
    monkeypatch.setattr(screening, "check_chain", lambda real, one: None)
    monkeypatch.setattr(screening, "load_set", lambda one, maximum, seed: one.held)

    def run(synthetic, *, training=None, settings=None, **more):
        path = write_unseen(tmp_path, synthetic, **(settings or {}))
        monkeypatch.setattr(screening, "SyntheticImages", lambda *args: HeldImages(synthetic, path))
        return CopyScreen(
            training=HeldImages(training or patients.training),
            held_out=HeldImages(patients.held_out),
            synthetic=[path],
            path=tmp_path / "screening.json",
            cache_dir=tmp_path,
            extractor=RandomFeatures(1),
            **more,
        ).run()

    return run


CHANGES = {
    "noise": lambda images: images,
    "shift": lambda images: images.roll((1, -2), (2, 3)),
    "flip": lambda images: images.flip(3),
    "contrast": lambda images: 0.7 * images + 0.1,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copycat_is_caught(screen, patients, change):
    found = screen(copies(patients.training, CHANGES[change]))
    assert len(found.near_copies) > 0.9 * 60
    assert "near copies of training images" in found.conclusion


def test_copies_name_the_image_they_repeat(screen, patients):
    found = screen(copies(patients.training, CHANGES["noise"]))
    for item in found.near_copies:
        assert item.id.split("-")[1] == item.training_id.split("-")[1]


def test_copies_are_found_in_all_classes_when_the_generator_knows_none(screen, patients):
    of = patients.training
    unlabelled = one_each(copies(of, CHANGES["noise"]).images, "syn", torch.zeros_like(of.labels))
    found = screen(unlabelled, settings={"classes_together": True})
    assert len(found.near_copies) > 0.9 * len(of)
    assert {copy.label for copy in found.near_copies} == {"all classes together"}


def test_a_generator_that_draws_other_patients_passes(screen, patients):
    found = screen(one_each(patients.others.images, "syn", patients.others.labels))
    assert found.near_copies == ()
    assert found.conclusion == "No near copies among 60 generated images."


def test_blurred_images_are_near_everything_and_are_no_copies(screen, patients):
    mean = patients.training.images.mean(0, keepdim=True)
    blurred = 0.85 * mean + 0.15 * patients.others.images
    assert screen(one_each(blurred, "syn", patients.others.labels)).near_copies == ()


def test_membership_is_seen_by_distance_and_not_by_its_control(screen, patients):
    rows = screen(copies(patients.training, CHANGES["noise"])).rows
    row = {row.metric: row for row in rows}["membership_by_distance_pixels"]
    assert row.value > 0.95
    assert row.interval[0] > 0.9
    assert 0.3 < row.real_versus_real < 0.7


def test_other_patients_give_no_membership(screen, patients):
    rows = screen(one_each(patients.others.images, "syn", patients.others.labels)).rows
    for row in rows:
        if row.metric.startswith("membership"):
            assert row.interval[0] < 0.5 < row.interval[1]


def test_half_a_set_of_copies_is_found_half(screen, patients):
    mixed = copies(patients.training, CHANGES["shift"])
    images = mixed.images.clone()
    images[30:] = patients.others.images[30:]
    found = screen(one_each(images, "syn", mixed.labels))
    assert {int(copy.id.split("-")[1]) < 30 for copy in found.near_copies} == {True}
    assert len(found.near_copies) > 25


def test_dropping_writes_a_datalist_without_them(screen, patients, tmp_path):
    mixed = copies(patients.training, CHANGES["noise"])
    images = mixed.images.clone()
    images[30:] = patients.others.images[30:]
    found = screen(one_each(images, "syn", mixed.labels), near_copies="drop")
    kept = SyntheticDatalist.load(tmp_path / "datalist_screened.json")
    flagged = {copy.id for copy in found.near_copies}
    assert {entry.id for entry in kept.training}.isdisjoint(flagged)
    assert len(kept.training) == 60 - len(flagged)
    assert kept.provenance.settings["filter"]["near_copies"] == len(flagged)


def test_blocking_raises_and_leaves_nothing_to_export(screen, patients, tmp_path):
    (tmp_path / "datalist_screened.json").write_text("of an earlier screen")
    with pytest.raises(DataError, match="nothing is exported"):
        screen(copies(patients.training, CHANGES["noise"]), near_copies="block")
    assert not (tmp_path / "datalist_screened.json").exists()
    assert (tmp_path / "screening.json").exists()


def test_blocking_lets_a_clean_set_through(screen, patients, tmp_path):
    screen(one_each(patients.others.images, "syn", patients.others.labels), near_copies="block")
    kept = SyntheticDatalist.load(tmp_path / "datalist_screened.json")
    assert len(kept.training) == 60


def test_too_few_patients_are_refused(screen, patients):
    with pytest.raises(DataError, match="4 training and 30 held-out patients"):
        screen(patients.others, training=patients.training.take(range(8)))


def test_pictures_of_patients_are_drawn_only_when_asked(screen, patients, tmp_path):
    screen(patients.others)
    assert not list(tmp_path.glob("*.png"))
    screen(patients.others, closest_pairs=True)
    assert (tmp_path / "closest_pairs.png").exists()


def test_never_calls_itself_a_proof(screen, patients, tmp_path):
    screen(patients.others)
    content = json.loads((tmp_path / "screening.json").read_text())
    assert content["caveat"] == CAVEAT
    assert "no proof of privacy" in CAVEAT
    assert np.isfinite([row["value"] for row in content["rows"]]).all()


@pytest.mark.parametrize("setting", [{"near_copies": "hide"}, {"copy_ratio": 1.0}])
def test_bad_settings_are_refused(screen, patients, setting):
    with pytest.raises(ValueError, match="got"):
        screen(patients.others, **setting)
