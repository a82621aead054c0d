"""What is mixed into training batches, in which share, and its controls."""

import numpy as np
import pytest
import torch

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.mixing import ControlImages, LabelShuffled, MixedBatches, images_to_add
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.datalist import SPLITS, Datalist
from monai_gan_aug.transforms.recipe import PreprocessingRecipe


@pytest.fixture
def real(image_set, recipe, tmp_path):
    images = image_set()
    return CachedImages(images.datalist, images.root, recipe, tmp_path / "cache", progress=False)


@pytest.fixture
def synthetic(real, synthetic_list, recipe, tmp_path):
    path = synthetic_list(real.datalist, per_class=20)
    return SyntheticImages(path, recipe, tmp_path / "cache", progress=False)


def synthetic_counts(mixed, batches):
    return [int((mixed.indices(p) >= len(mixed.dataset)).sum()) for p in range(batches)]


def test_without_synthetic_images_it_is_a_batch_loader(real):
    mixed = MixedBatches(real, None, 6, 4)
    batches = list(mixed)
    assert len(batches) == len(mixed) == 4
    flat = np.concatenate([mixed.indices(p) for p in range(len(real))])
    assert (np.bincount(flat) == 6).all()


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.1, 1.0, 1 / 3])
def test_share_is_met_in_every_batch_and_on_average(real, synthetic, fraction):
    mixed = MixedBatches(real, synthetic, 8, 300, synthetic_fraction=fraction)
    counts = synthetic_counts(mixed, 300)
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == pytest.approx(300 * 8 * fraction, abs=1)


def test_pixels_and_labels_come_from_where_the_index_says(real, synthetic):
    mixed = MixedBatches(real, synthetic, 8, 5, synthetic_fraction=0.5, seed=3)
    for position, batch in enumerate(mixed):
        indices = mixed.indices(position)
        indices = np.concatenate([indices[indices < len(real)], indices[indices >= len(real)]])
        for place, index in enumerate(indices):
            source, local = (real, index) if index < len(real) else (synthetic, index - len(real))
            for key in (DataKeys.IMAGE, DataKeys.LABEL):
                assert torch.equal(batch[key][place], source[local][key])


def test_real_images_are_used_equally_often_beside_synthetic_ones(real, synthetic):
    mixed = MixedBatches(real, synthetic, 8, 1, synthetic_fraction=0.3)
    drawn = np.concatenate([mixed.indices(p) for p in range(200)])
    counts = np.bincount(drawn[drawn < len(real)], minlength=len(real))
    assert counts.max() - counts.min() <= 1


def test_warm_start_is_purely_synthetic_then_never_again(real, synthetic):
    mixed = MixedBatches(real, synthetic, 8, 20, warm_start_fraction=0.25)
    assert synthetic_counts(mixed, 20) == [8] * 5 + [0] * 15


def test_warm_start_counts_from_the_whole_training(real, synthetic):
    mixed = MixedBatches(real, synthetic, 8, 10, warm_start_fraction=0.5, total_steps=40)
    assert synthetic_counts(mixed, 40) == [8] * 20 + [0] * 20


def test_weighted_balances_both_kinds(real, synthetic):
    mixed = MixedBatches(real, synthetic, 8, 10, synthetic_fraction=0.5, balance="weighted")
    assert all(batch[DataKeys.LABEL].float().mean() == 0.5 for batch in mixed)


def test_minority_is_topped_up_and_majority_stays_real(real, synthetic, monkeypatch):
    keep = np.flatnonzero((real.targets == 0) | (np.cumsum(real.targets) <= 2))
    monkeypatch.setattr(real, "ids", [real.ids[i] for i in keep])
    monkeypatch.setattr(real, "targets", real.targets[keep])
    monkeypatch.setattr(real, "_rows", real._rows[keep])
    mixed = MixedBatches(real, synthetic, 8, 1, balance="synthetic")
    drawn = np.concatenate([mixed.indices(p) for p in range(40)])
    all_targets = np.concatenate([real.targets, synthetic.targets])
    is_real = drawn < len(real)
    assert (np.bincount(all_targets[drawn]) == len(drawn) / 2).all()
    assert set(all_targets[drawn[~is_real]]) == {1}
    minority = is_real & (all_targets[drawn] == 1)
    assert minority.sum() / len(drawn) == pytest.approx(0.5 * 2 / (real.targets == 0).sum())


def test_resumes_exactly(real, synthetic):
    options = {"synthetic_fraction": 0.3, "warm_start_fraction": 0.2, "seed": 5}
    whole = MixedBatches(real, synthetic, 8, 20, **options)
    stream = iter(whole)
    for _ in range(7):
        next(stream)
    resumed = MixedBatches(real, synthetic, 8, 20, **options)
    resumed.load_state_dict(whole.state_dict())
    for want, got in zip(stream, resumed, strict=False):
        assert torch.equal(want[DataKeys.IMAGE], got[DataKeys.IMAGE])


def test_gan_that_saw_the_test_patients_is_refused(real, synthetic_list, recipe, tmp_path):
    other = Datalist(
        real.datalist.labels,
        training=real.datalist.test,
        validation=real.datalist.validation,
        test=real.datalist.training,
        split=real.datalist.split,
    )
    leaking = SyntheticImages(synthetic_list(other), recipe, tmp_path / "cache", progress=False)
    with pytest.raises(ProvenanceError, match="leak"):
        MixedBatches(real, [leaking], 8, 10, synthetic_fraction=0.5)


def test_gan_that_saw_held_out_images_of_this_split_is_refused(
    real, synthetic_list, recipe, tmp_path
):
    path = synthetic_list(real.datalist, saw=SPLITS[2])
    leaking = SyntheticImages(path, recipe, tmp_path / "cache", progress=False)
    with pytest.raises(ProvenanceError, match="leak"):
        MixedBatches(real, leaking, 8, 10)


def test_labels_are_matched_by_name(image_set, synthetic_list, recipe, tmp_path):
    images = image_set()
    real = CachedImages(
        images.datalist,
        images.root,
        recipe,
        tmp_path / "cache",
        labels=["ill", "normal"],
        progress=False,
    )
    synthetic = SyntheticImages(
        synthetic_list(images.datalist), recipe, tmp_path / "cache", progress=False
    )
    (batch,) = MixedBatches(real, synthetic, 8, 1, synthetic_fraction=1.0)
    names = [real.label_names[label] for label in batch[DataKeys.LABEL]]
    by_pixels = {synthetic[i][DataKeys.IMAGE].numpy().tobytes(): i for i in range(len(synthetic))}
    found = [by_pixels[image.numpy().tobytes()] for image in batch[DataKeys.IMAGE]]
    assert names == [synthetic.label_names[synthetic.targets[i]] for i in found]


def test_two_recipes_do_not_mix(real, synthetic_list, tmp_path):
    other = PreprocessingRecipe(size=8)
    small = SyntheticImages(
        synthetic_list(real.datalist), other, tmp_path / "cache", progress=False
    )
    with pytest.raises(ValueError, match="recipe"):
        MixedBatches(real, small, 8, 10, synthetic_fraction=0.5)


@pytest.mark.parametrize("option", ["synthetic_fraction", "warm_start_fraction"])
def test_missing_synthetic_images_are_said(real, option):
    with pytest.raises(DataError, match="generate"):
        MixedBatches(real, None, 8, 10, **{option: 0.5})


@pytest.mark.parametrize(
    "options",
    [
        {"synthetic_fraction": 1.5},
        {"warm_start_fraction": -0.1},
        {"balance": "synthetic", "synthetic_fraction": 0.5},
        {"balance": "heavy"},
    ],
)
def test_contradicting_settings_are_refused(real, synthetic, options):
    with pytest.raises(ValueError, match="got"):
        MixedBatches(real, synthetic, 8, 10, **options)


def unequal(real, monkeypatch):
    """Leave two images of the second class."""
    keep = np.flatnonzero((real.targets == 0) | (np.cumsum(real.targets) <= 2))
    monkeypatch.setattr(real, "ids", [real.ids[i] for i in keep])
    monkeypatch.setattr(real, "targets", real.targets[keep])
    monkeypatch.setattr(real, "_rows", real._rows[keep])


def test_only_smaller_classes_get_synthetic_images(real, synthetic, monkeypatch):
    unequal(real, monkeypatch)
    mixed = MixedBatches(real, synthetic, 8, 1, balance="minority", synthetic_fraction=0.5)
    targets = np.concatenate([real.targets, synthetic.targets])
    for position in range(40):
        drawn = mixed.indices(position)
        made = drawn >= len(real)
        assert np.bincount(targets[drawn]).tolist() == [4, 4]
        assert targets[drawn[made]].tolist() == [1, 1]


def test_equal_classes_have_no_smaller_one(real, synthetic):
    with pytest.raises(DataError, match="none is smaller"):
        MixedBatches(real, synthetic, 8, 1, balance="minority", synthetic_fraction=0.5)


@pytest.fixture
def generated(real, synthetic_list, recipe, tmp_path):
    path = synthetic_list(real.datalist, per_class=20)
    return SyntheticImages(path, recipe, tmp_path / "cache", progress=False)


def pixels(images):
    return images.batch(np.arange(len(images)))[DataKeys.IMAGE].numpy()


def test_duplicates_are_the_training_images(real, generated):
    found = images_to_add("duplicated", real, generated)
    assert np.array_equal(pixels(found), pixels(real))
    assert np.array_equal(found.targets, real.targets)


def test_shuffling_keeps_images_and_the_number_of_each_label(real, generated):
    found = images_to_add("shuffled", real, generated, seed=1)
    assert np.array_equal(pixels(found), pixels(generated))
    assert np.array_equal(np.bincount(found.targets), np.bincount(generated.targets))


def test_shuffled_labels_say_nothing_about_the_images(generated):
    agreeing = [
        (LabelShuffled(generated, seed=seed).targets == generated.targets).mean()
        for seed in range(200)
    ]
    assert np.mean(agreeing) == pytest.approx(0.5, abs=0.03)


def test_shuffling_is_recorded(generated):
    found = LabelShuffled(generated, seed=1)
    assert found.lists[0].sha256 != generated.lists[0].sha256
    labels = [entry.label for entry in found.lists[0].training]
    assert labels == found.targets.tolist()
    assert "shuffled" in found.lists[0].provenance.settings["labels"]


def test_copycat_images_are_near_the_training_images_and_not_equal(real, generated):
    found = images_to_add("copycat", real, generated, seed=3)
    copies, originals = pixels(found).astype(float), pixels(real).astype(float)
    reach = found.reach
    for index in range(0, len(found), 7):
        origin = originals[index % len(real)][0]
        shifts = [(d, r) for d in range(-reach, reach + 1) for r in range(-reach, reach + 1)]
        inside = (slice(reach, -reach),) * 2
        errors = [
            np.abs(np.roll(origin, shift, (0, 1)) - copies[index][0])[inside].mean()
            for shift in shifts
        ]
        other = np.abs(originals[(index + 1) % len(real)][0] - copies[index][0])[inside].mean()
        assert 0 < min(errors) < 10 < other


def test_copycat_images_are_the_same_every_time(real, generated):
    one, two = (images_to_add("copycat", real, generated, seed=3) for _ in range(2))
    assert np.array_equal(pixels(one), pixels(two))
    assert np.array_equal(one.batch([5])[DataKeys.IMAGE].numpy(), pixels(one)[5:6])
    assert not np.array_equal(
        pixels(one), pixels(images_to_add("copycat", real, generated, seed=4))
    )


@pytest.mark.parametrize("kind", ["generated", "duplicated", "copycat", "shuffled"])
def test_every_control_takes_exactly_the_place_of_the_synthetic_images(real, generated, kind):
    images = images_to_add(kind, real, generated)
    mixed = MixedBatches(real, images, 8, 30, synthetic_fraction=0.25)
    counts = [(mixed.indices(p) >= len(real)).sum() for p in range(30)]
    assert counts == [2] * 30
    assert all(len(batch[DataKeys.LABEL]) == 8 for batch in mixed)


@pytest.mark.parametrize("kind", ["duplicated", "copycat"])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_held_out_patients_are_refused_as_a_control_too(image_set, real, tmp_path, kind, split):
    held_out = CachedImages(
        real.datalist,
        image_set().root,
        real.recipe,
        tmp_path / "cache",
        split=split,
        progress=False,
    )
    control = ControlImages(held_out, kind)
    with pytest.raises(ProvenanceError, match="leak"):
        MixedBatches(real, control, 8, 10, synthetic_fraction=0.5)


def test_guessed_classes_take_the_place_of_synthetic_images(real, generated, image_set):
    found = images_to_add("pseudo", real, generated, real)
    assert torch.equal(found.batch([0])[DataKeys.IMAGE], real.batch([0])[DataKeys.IMAGE])
    assert found.lists[0].provenance.settings["mixed in"] == "pseudo"


def test_what_is_missing_is_said(real, generated):
    with pytest.raises(DataError, match="--pseudo"):
        images_to_add("pseudo", real, generated)
    with pytest.raises(ValueError, match="extra_images"):
        images_to_add("nothing", real, generated)
