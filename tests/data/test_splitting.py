"""Splits by patient: nobody on two sides, classes in proportion, refusals with counts."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.data.splitting import draw_split, limit_entries, split_entries
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import SPLITS, Entry

LABELS = ("a", "b")


def make_entries(patients, images=lambda rng: 1, both=0.0, seed=0):
    """``patients[label]`` patients per class, a share of whom has images of both classes."""
    rng = np.random.default_rng(seed)
    entries = []
    for label, number in enumerate(patients):
        for patient in range(number):
            for image in range(images(rng)):
                own = 1 - label if image and rng.random() < both else label
                name = f"{label}/{patient}/{image}"
                entries.append(Entry(name, own, f"{label}-{patient}", name))
    return entries


def patients_of(entries, label):
    return {e.group for e in entries if e.label == label}


def assert_partition(split, entries):
    together = [e for name in SPLITS for e in split[name]]
    assert Counter(e.id for e in together) == Counter(e.id for e in entries)
    sides = [{e.group for e in split[name]} for name in SPLITS]
    assert sum(map(len, sides)) == len(set.union(*sides))


@settings(max_examples=60, deadline=None)
@given(
    patients=st.tuples(st.integers(6, 40), st.integers(6, 40)),
    most=st.integers(1, 9),
    both=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 100),
)
def test_no_patient_and_no_image_is_lost_or_shared(patients, most, both, seed):
    entries = make_entries(patients, lambda rng: rng.integers(1, most + 1), both, seed)
    split = split_entries(entries, LABELS, seed=seed)
    assert_partition(split, entries)
    assert all(len(patients_of(split[s], label)) >= 2 for s in SPLITS for label in (0, 1))


@pytest.mark.parametrize("fractions", [(0.7, 0.15, 0.15), (0.5, 0.25, 0.25), (0.6, 0.0, 0.4)])
def test_shares_and_class_ratio_are_met(fractions):
    entries = make_entries((300, 100), lambda rng: rng.integers(1, 4))
    split = split_entries(entries, LABELS, fractions, seed=1)
    for name, share in zip(SPLITS, fractions, strict=True):
        for label in (0, 1):
            total = sum(e.label == label for e in entries)
            got = sum(e.label == label for e in split[name])
            assert got == pytest.approx(share * total, abs=3)


def test_same_seed_same_split_whatever_the_order_of_the_files():
    entries = make_entries((30, 30), lambda rng: 2)
    first = split_entries(entries, LABELS, seed=4)
    second = split_entries(entries[::-1], LABELS, seed=4)
    assert {s: {e.id for e in first[s]} for s in SPLITS} == {
        s: {e.id for e in second[s]} for s in SPLITS
    }
    assert first["test"] != split_entries(entries, LABELS, seed=5)["test"]


def test_every_patient_reaches_the_test_set_for_some_seed():
    entries = make_entries((20, 20))
    seen = set()
    for seed in range(60):
        seen |= {e.group for e in split_entries(entries, LABELS, seed=seed)["test"]}
    assert len(seen) == 40


@pytest.mark.parametrize("patients", [(0, 30), (1, 30), (5, 30)])
def test_class_with_too_few_patients_is_refused_with_counts(patients):
    entries = make_entries(patients, lambda rng: 3)
    table = f"a: {patients[0]} patients, {3 * patients[0]} images, needs 6 patients"
    with pytest.raises(DataError, match=table):
        split_entries(entries, LABELS)


def test_single_class_is_refused():
    with pytest.raises(DataError, match="two classes"):
        split_entries(make_entries((30,)), ["a"])


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.5, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_fractions_must_be_shares_of_one(fractions):
    with pytest.raises(ValueError, match="add up to 1"):
        split_entries(make_entries((30, 30)), LABELS, fractions)


def test_draw_takes_the_patients_asked_for_and_tests_on_the_rest():
    entries = make_entries((40, 30), lambda rng: rng.integers(1, 4))
    drawn = draw_split(
        entries,
        LABELS,
        training_patients_per_class=12,
        validation_patients_per_class=5,
        seed=2,
        grouping="test",
        key_fingerprint="key",
    )
    assert_partition({s: drawn.entries(s) for s in SPLITS}, entries)
    assert drawn.group_counts("training") == {"a": 12, "b": 12}
    assert drawn.group_counts("validation") == {"a": 5, "b": 5}
    assert drawn.group_counts("test") == {"a": 23, "b": 13}
    assert (drawn.split.seed, drawn.split.grouping) == (2, "test")


def test_draw_may_limit_the_test_set():
    drawn = draw_split(
        make_entries((40, 40)),
        LABELS,
        training_patients_per_class=10,
        validation_patients_per_class=5,
        test_patients_per_class=7,
    )
    assert drawn.group_counts("test") == {"a": 7, "b": 7}
    assert len(drawn.groups()) == 2 * (10 + 5 + 7)


def test_patient_with_both_classes_counts_for_both():
    entries = [
        Entry(f"{p}/{label}", label, f"p{p}", f"{p}/{label}") for p in range(30) for label in (0, 1)
    ]
    drawn = draw_split(
        entries, LABELS, training_patients_per_class=10, validation_patients_per_class=5
    )
    assert len(drawn.groups("training")) == 10
    assert drawn.group_counts("training") == {"a": 10, "b": 10}


def test_draw_from_too_small_a_pool_is_refused_with_counts():
    with pytest.raises(DataError, match="b: 15 patients, 15 images, needs 22 patients"):
        draw_split(
            make_entries((40, 15)),
            LABELS,
            training_patients_per_class=15,
            validation_patients_per_class=5,
        )


@pytest.mark.parametrize("n", [10, 57, 150])
def test_limit_keeps_ratio_and_whole_patients(n):
    entries = make_entries((120, 40), lambda rng: rng.integers(1, 4))
    kept = limit_entries(entries, n, seed=3)
    sizes = Counter(e.group for e in entries)
    assert all(sizes[group] == count for group, count in Counter(e.group for e in kept).items())
    assert n - 3 <= len(kept) <= n
    ratio = sum(e.label for e in entries) / len(entries)
    assert sum(e.label for e in kept) == pytest.approx(ratio * n, abs=2)


def test_limit_above_the_number_changes_nothing():
    entries = make_entries((5, 5))
    assert limit_entries(entries, 100) == tuple(entries)
