"""Selection says what it costs, and doing nothing changes nothing."""

import json

import pytest
import torch

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.errors import DataError
from monai_gan_aug.generation import selection
from monai_gan_aug.generation.selection import Selection, out_of_fold
from monai_gan_aug.metrics.features import RandomFeatures
from monai_gan_aug.records.provenance import SyntheticDatalist
from tests.drawing.patients import HeldImages, write_unseen


@pytest.fixture
def select(patients, tmp_path, monkeypatch):
    """Run a selection; keywords go to :class:`Selection`."""
    monkeypatch.setattr(selection, "check_chain", lambda real, one: None)
    monkeypatch.setattr(selection, "load_set", lambda one, maximum, seed: one.held)

    def run(synthetic, **more):
        path = write_unseen(tmp_path, synthetic)
        monkeypatch.setattr(selection, "SyntheticImages", lambda *args: HeldImages(synthetic, path))
        return Selection(
            training=HeldImages(patients.training),
            synthetic=path,
            path=tmp_path / "selection.json",
            cache_dir=tmp_path,
            extractor=RandomFeatures(1),
            **more,
        ).run()

    return run


def ids(folder, name):
    return [entry.id for entry in SyntheticDatalist.load(folder / name).training]


def test_the_null_filter_changes_nothing_but_provenance(select, patients, tmp_path):
    select(patients.others)
    before, after = (
        json.loads((tmp_path / name).read_text())
        for name in ("datalist.json", "datalist_selected.json")
    )
    provenance = after.pop("provenance")
    assert before.pop("provenance")["sha256"] == provenance["sha256"]
    assert json.dumps(before) == json.dumps(after)
    assert provenance["settings"]["filter"]["selection"]["confidence"] == 0


def test_a_budget_is_kept_by_the_choice_and_by_its_control(select, patients, tmp_path):
    found = select(patients.others, realism=0.2, budget=10)
    assert [row.selected for row in found.classes] == [10, 10]
    assert len(ids(tmp_path, "datalist_selected.json")) == 20
    assert len(ids(tmp_path, "datalist_unselected.json")) == 20


def test_too_few_for_the_budget_is_an_error(select, patients):
    with pytest.raises(DataError, match="fewer than the budget of 31"):
        select(patients.others, budget=31)


def test_realism_throws_out_noise(select, patients, tmp_path):
    images = patients.others.images.clone()
    images[:20] = torch.rand(20, 1, 24, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    others = patients.others
    found = select(ImageSet(images, others.labels, others.groups, others.ids), realism=0.2)
    assert set(ids(tmp_path, "datalist_selected.json")).isdisjoint(others.ids[:20])
    assert all(row.acceptance_rate < 0.7 for row in found.classes)


def test_diversity_keeps_one_of_many_equal_images(select, patients, tmp_path):
    images = patients.others.images.clone()
    images[:40] = images[:1]
    others = patients.others
    select(ImageSet(images, others.labels, others.groups, others.ids), diversity=0.3)
    kept = set(ids(tmp_path, "datalist_selected.json")) & set(others.ids[:40])
    assert len(kept) == 2  # one of each class


def test_lost_coverage_is_reported_beside_a_random_choice(select, patients):
    found = select(patients.others, realism=0.6)
    for row in found.classes:
        cost = row.cost["coverage"]
        assert cost.lost == pytest.approx(cost.random - cost.selected)


def test_confidence_throws_out_wrong_labels(select, patients):
    others = patients.others
    shifted = lambda one: one.images + 0.4 * one.labels[:, None, None, None]
    training = ImageSet(
        shifted(patients.training), patients.training.labels, *[patients.training.groups] * 2
    )
    wrong = ImageSet(shifted(others), others.labels.roll(1), others.groups, others.ids)
    right = ImageSet(shifted(others), others.labels, others.groups, others.ids)
    real, fake = out_of_fold(training, right, 2, folds=2, steps=50, seed=0)
    assert (real > 0.5).float().mean() > 0.9
    assert (fake > 0.5).float().mean() > 0.9
    _, fake = out_of_fold(training, wrong, 2, folds=2, steps=50, seed=0)
    assert (fake > 0.5).float().mean() < 0.1


@pytest.mark.parametrize("setting", [{"confidence": 1.0}, {"realism": -1.0}])
def test_bad_criteria_are_refused(select, patients, setting):
    with pytest.raises(ValueError, match="got"):
        select(patients.others, **setting)
