"""Controls in the place of synthetic images: what each keeps, what it changes, and no leak."""

import numpy as np
import pytest
import torch

from monai_gan_aug.data.control_sets import ControlImages, LabelShuffled, extra_images
from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.mixing import MixedBatches
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.keys import DataKeys


@pytest.fixture
def real(image_set, recipe, tmp_path):
    images = image_set()
    return CachedImages(images.datalist, images.root, recipe, tmp_path / "cache", progress=False)


@pytest.fixture
def generated(real, synthetic_list, recipe, tmp_path):
    path = synthetic_list(real.datalist, per_class=20)
    return SyntheticImages(path, recipe, tmp_path / "cache", progress=False)


def pixels(images):
    return images.batch(np.arange(len(images)))[DataKeys.IMAGE].numpy()


def test_duplicates_are_the_training_images(real, generated):
    found = extra_images("duplicated", real, generated)
    assert np.array_equal(pixels(found), pixels(real))
    assert np.array_equal(found.targets, real.targets)


def test_shuffling_keeps_images_and_the_number_of_each_label(real, generated):
    found = extra_images("shuffled", real, generated, seed=1)
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
    found = extra_images("copycat", real, generated, seed=3)
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
    one, two = (extra_images("copycat", real, generated, seed=3) for _ in range(2))
    assert np.array_equal(pixels(one), pixels(two))
    assert np.array_equal(one.batch([5])[DataKeys.IMAGE].numpy(), pixels(one)[5:6])
    assert not np.array_equal(pixels(one), pixels(extra_images("copycat", real, generated, seed=4)))


@pytest.mark.parametrize("kind", ["generated", "duplicated", "copycat", "shuffled"])
def test_every_control_takes_exactly_the_place_of_the_synthetic_images(real, generated, kind):
    images = extra_images(kind, real, generated)
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
    found = extra_images("pseudo", real, generated, real)
    assert torch.equal(found.batch([0])[DataKeys.IMAGE], real.batch([0])[DataKeys.IMAGE])
    assert found.lists[0].provenance.settings["mixed in"] == "pseudo"


def test_what_is_missing_is_said(real, generated):
    with pytest.raises(DataError, match="--pseudo"):
        extra_images("pseudo", real, generated)
    with pytest.raises(ValueError, match="extra_images"):
        extra_images("nothing", real, generated)
