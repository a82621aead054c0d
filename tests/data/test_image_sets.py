"""Sets of images in memory: the same numbers and mixtures of classes after matching."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.data.datasets import CachedImages
from monai_gan_aug.data.image_sets import ImageSet, load_set, matched
from monai_gan_aug.errors import DataError


def drawn(counts, first=0):
    """As many images of each class as ``counts`` says; every image shows its own number."""
    labels = torch.tensor([label for label, count in enumerate(counts) for _ in range(count)])
    numbers = torch.arange(first, first + len(labels), dtype=torch.float32)
    names = tuple(f"i{int(number)}" for number in numbers)
    images = numbers[:, None, None, None].expand(-1, 1, 2, 2)
    return ImageSet(images, labels, tuple(f"p{name}" for name in names), names)


def check_rows_belong_together(images, whole):
    for image, label, group, id_ in zip(
        images.images, images.labels, images.groups, images.ids, strict=True
    ):
        row = whole.ids.index(id_)
        assert image.equal(whole.images[row])
        assert (label, group) == (whole.labels[row], whole.groups[row])


three = st.lists(st.integers(0, 12), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(three, three, three, st.integers(0, 5))
def test_matched_sets_have_equal_counts_and_the_mixture_of_the_reference(ref, a, b, seed):
    sets = {"a": drawn(a, 100), "b": drawn(b, 200)}
    reference = drawn(ref)
    common = [min(x, y) if r else 0 for r, x, y in zip(ref, a, b, strict=True)]
    if not sum(common):
        with pytest.raises(DataError, match="No class has images in every set"):
            matched(reference, sets, 3, seed)
        return
    thinned, compared = matched(reference, sets, 3, seed)
    for name, images in compared.items():
        assert images.counts(3) == common
        check_rows_belong_together(images, sets[name])
    check_rows_belong_together(thinned, reference)
    share = min(r / c for r, c in zip(ref, common, strict=True) if c)
    for kept, wanted in zip(thinned.counts(3), common, strict=True):
        assert kept == (max(1, int(share * wanted + 1e-9)) if wanted else 0)


def test_the_same_seed_takes_the_same_images():
    sets = {"a": drawn([20, 30]), "b": drawn([5, 9], 100)}
    first, second, other = (matched(drawn([40, 40], 200), sets, 2, s)[1]["a"] for s in (1, 1, 2))
    assert first.ids == second.ids != other.ids


def test_a_set_of_the_cache_is_read_whole_or_thinned(image_set, recipe, tmp_path):
    images = image_set()
    data = CachedImages(images.datalist, images.root, recipe, tmp_path / "cache", progress=False)
    whole = load_set(data, 1000, seed=0)
    assert whole.ids == tuple(data.ids)
    assert whole.groups == tuple(data.groups)
    assert whole.images.dtype == torch.float32
    assert whole.images.min() >= -1
    assert whole.images.max() <= 1
    some = load_set(data, 5, seed=0)
    assert len(some) == 5
    check_rows_belong_together(some, whole)


def test_without_classes_all_images_are_of_one():
    images = drawn([2, 3]).without_classes()
    assert images.counts(2) == [5, 0]
    assert images.of_class(0).ids == images.ids


def test_rows_are_taken_in_the_order_given():
    assert drawn([3]).take(np.array([2, 0])).ids == ("i2", "i0")
