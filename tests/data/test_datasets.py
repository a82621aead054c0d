"""Data sets of real and synthetic images on top of the cache."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import cross_entropy

from monai_gan_aug.data.datasets import (
    NO_CLASS,
    CachedImages,
    SyntheticImages,
    UnlabelledImages,
)
from monai_gan_aug.errors import DataError, ImageReadError, ProvenanceError
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.provenance import SyntheticDatalist
from monai_gan_aug.transforms.recipe import PreprocessingRecipe


@pytest.fixture
def training(image_set, recipe, tmp_path):
    """Make a data set of ``split`` of a drawn image set, and that set."""

    def make(images=None, **options):
        images = images or image_set()
        options = {"recipe": recipe, "progress": False, **options}
        data = CachedImages(images.datalist, images.root, cache_dir=tmp_path / "cache", **options)
        return data, images

    return make


def test_items_are_the_pixels_and_labels_of_the_split(training):
    data, images = training(split="validation")
    entries = images.datalist.validation
    assert len(data) == len(entries)
    for index, entry in enumerate(entries):
        item = data[index]
        pixels = np.asarray(Image.open(images.root / entry.image))[None]
        np.testing.assert_array_equal(item[DataKeys.IMAGE], pixels)
        assert item[DataKeys.LABEL].item() == entry.label
        assert (data.ids[index], data.groups[index]) == (entry.id, entry.group)


def test_batch_is_the_stack_of_its_items(training):
    data, _ = training()
    indices = np.array([5, 0, 5, 2])
    batch = data.batch(indices)
    for key, values in batch.items():
        assert torch.equal(values, torch.stack([data[i][key] for i in indices]))
    assert batch[DataKeys.IMAGE].dtype == torch.uint8
    assert batch[DataKeys.LABEL].dtype == torch.int64


def test_batches_do_not_share_memory_with_the_cache(training):
    data, _ = training()
    data.batch([0])[DataKeys.IMAGE].zero_()
    assert data.cache.verify() == []
    assert data.batch([0])[DataKeys.IMAGE].any()


def test_sixteen_bits_stay_sixteen_bits(training):
    data, _ = training(recipe=PreprocessingRecipe(size=16, bits=16))
    assert data.batch([0, 1])[DataKeys.IMAGE].dtype == torch.uint16


def test_labels_select_and_order_the_classes(training):
    data, images = training(labels=["ill"])
    assert data.label_names == ("ill",)
    assert set(data.targets) == {0}
    assert {*data.ids} == {e.id for e in images.datalist.training if e.label == 1}
    swapped, _ = training(images, labels=["ill", "normal"])
    assert swapped.datalist == images.datalist
    assert (swapped.targets == 1 - training(images)[0].targets).all()


@pytest.mark.parametrize("labels", [["sick"], ["ill", "ill"]])
def test_unknown_or_repeated_labels_are_refused(training, labels):
    with pytest.raises(DataError, match="labels"):
        training(labels=labels)


def test_index_beyond_the_end_stops_iteration(training):
    data, _ = training()
    assert len(list(data)) == len(data)


def test_training_record_names_what_it_holds_and_nothing_else(training):
    data, images = training(labels=["ill"])
    record = data.training_record()
    seen = [e for e in images.datalist.training if e.label == 1]
    assert record.ids == tuple(sorted(e.id for e in seen))
    assert record.groups == tuple(sorted({e.group for e in seen}))
    assert record.split_sha256 == images.datalist.sha256
    assert record.recipe == data.recipe.to_dict()


def test_skipped_images_are_in_no_list(training):
    images_with_hole, images = training()
    (images.root / images.datalist.training[0].image).unlink()
    data, _ = training(
        images, recipe=PreprocessingRecipe(size=8), on_error="skip", max_bad_fraction=0.2
    )
    assert len(data) == len(images_with_hole) - 1
    assert images.datalist.training[0].id not in data.ids
    assert images.datalist.training[0].id not in data.training_record().ids


def test_synthetic_images_are_found_beside_their_list(image_set, synthetic_list, recipe, tmp_path):
    path = synthetic_list(image_set().datalist)
    data = SyntheticImages(path, recipe, tmp_path / "cache", progress=False)
    listed = SyntheticDatalist.load(path)
    assert data.synthetic == listed
    assert data.label_names == listed.labels
    for index, entry in enumerate(listed.training):
        pixels = np.asarray(Image.open(path.parent / entry.image))[None]
        np.testing.assert_array_equal(data[index][DataKeys.IMAGE], pixels)
        assert data[index][DataKeys.LABEL] == entry.label


def test_several_synthetic_lists_are_one_data_set(image_set, synthetic_list, recipe, tmp_path):
    datalist = image_set().datalist
    paths = [synthetic_list(datalist, per_class=n, seed=n * 10**6) for n in (2, 3)]
    data = SyntheticImages(paths, recipe, tmp_path / "cache", progress=False)
    assert len(data) == 2 * 2 + 2 * 3
    want = [e.id for one in data.lists for e in one.training]
    assert data.ids == want
    with pytest.raises(DataError, match="lists"):
        _ = data.synthetic


def test_no_synthetic_list_is_an_empty_data_set(recipe, tmp_path):
    assert len(SyntheticImages([], recipe, tmp_path / "cache")) == 0


def test_real_datalist_is_no_synthetic_one(image_set, recipe, tmp_path):
    image_set().datalist.save(tmp_path / "datalist.json")
    with pytest.raises(ProvenanceError, match="provenance"):
        SyntheticImages(tmp_path / "datalist.json", recipe, tmp_path / "cache")


def test_real_images_keep_their_rows(shared_data, recipe, tmp_path, image_set):
    names = sorted((shared_data / "xray" / "NORMAL").iterdir())[:6]
    images = image_set()
    entries = [
        type(images.entries[0])(f"NORMAL/{p.name}", i % 2, f"g-{i}", content_id(p))
        for i, p in enumerate(names)
    ]
    real = type(images)(shared_data / "xray", tuple(entries))
    data = CachedImages(
        real.datalist, real.root, PreprocessingRecipe(size=224), tmp_path / "c", progress=False
    )
    picture = Image.open(shared_data / "xray" / real.datalist.training[0].image).convert("L")
    got = data[0][DataKeys.IMAGE][0].numpy().astype(float)
    assert np.corrcoef(got.ravel(), np.asarray(picture, float).ravel())[0, 1] > 0.999


RECIPE = PreprocessingRecipe(size=8, channels=1)


def test_finds_images_in_any_depth_in_a_stable_order(tmp_path):
    for name, value in (("b/2.png", 20), ("a.png", 10), (".hidden.png", 99)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)
    images = UnlabelledImages(tmp_path, RECIPE)
    assert images.names == ["a.png", "b/2.png"]
    batch = images.batch(np.array([1, 0]))
    assert batch[DataKeys.IMAGE].shape == (2, 1, 8, 8)
    assert batch[DataKeys.IMAGE][:, 0, 0, 0].tolist() == [20, 10]


def test_refuses_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="no image"):
        UnlabelledImages(tmp_path, RECIPE)


def test_every_frame_is_an_image_named_with_its_number(tmp_path):
    frames = np.arange(4, dtype=np.uint8)[:, None, None] + np.zeros((4, 8, 8), np.uint8)
    np.save(tmp_path / "x.npy", frames)
    images = UnlabelledImages(tmp_path, PreprocessingRecipe(size=8))
    assert images.names == [f"x.npy frame {n}" for n in range(4)]
    assert [int(images[n][DataKeys.IMAGE].max()) for n in range(4)] == [0, 1, 2, 3]


def test_damaged_file_is_named_when_it_is_read(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    images = UnlabelledImages(tmp_path, PreprocessingRecipe(size=8))
    with pytest.raises(ImageReadError, match=r"x\.npy"):
        images[0]


def test_images_without_a_class_have_a_target_no_loss_takes(training, image_set):
    images = image_set()
    classless = tuple(replace(entry, label=None) for entry in images.datalist.training)
    data, _ = training(
        SimpleNamespace(datalist=replace(images.datalist, training=classless), root=images.root)
    )
    assert set(data.targets.tolist()) == {NO_CLASS}
    with pytest.raises((IndexError, RuntimeError)):
        cross_entropy(torch.zeros(len(data), 2), torch.from_numpy(data.targets))
