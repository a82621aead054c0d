"""Training sets of other sizes for one test set: nested, disjoint from what is held out."""

from dataclasses import replace
from itertools import pairwise

import pytest

from monai_gan_aug.data.splitting import draw_split
from monai_gan_aug.data.training_sets import (
    left_out,
    unlabelled_list,
    with_fewer_patients,
    with_guesses,
    with_more_patients,
)
from monai_gan_aug.errors import DataError
from monai_gan_aug.records.datalist import Entry

POOL = tuple(
    Entry(f"{label}/{patient}_{n}.png", label, f"p{label}-{patient}", f"{label}-{patient}-{n}")
    for label in (0, 1)
    for patient in range(40)
    for n in range(1 + patient % 3)
)


def split(seed=0, training=10, test=5):
    return draw_split(
        POOL,
        ("healthy", "ill"),
        seed=seed,
        training_patients_per_class=training,
        validation_patients_per_class=5,
        test_patients_per_class=test,
    )


@pytest.mark.parametrize("seed", range(5))
def test_smaller_training_sets_are_parts_of_larger_ones(seed):
    whole = split(seed)
    sizes = [with_fewer_patients(whole, number) for number in (2, 5, 8, 10)]
    for number, one in zip((2, 5, 8, 10), sizes, strict=True):
        assert set(one.group_counts("training").values()) == {number}
        assert (one.validation, one.test) == (whole.validation, whole.test)
    for small, large in pairwise(sizes):
        assert set(small.training) < set(large.training)
    assert sizes[-1].sha256 == whole.sha256


@pytest.mark.parametrize("seed", range(5))
def test_oracles_are_nested_and_never_touch_held_out_patients(seed):
    whole = split(seed)
    twice, thrice = with_more_patients(whole, POOL, 2), with_more_patients(whole, POOL, 3)
    assert set(whole.training) < set(twice.training) < set(thrice.training)
    assert set(thrice.group_counts("training").values()) == {30}
    assert thrice.test == whole.test
    assert not thrice.groups("training") & (whole.groups("test") | whole.groups("validation"))


def test_an_oracle_that_the_data_do_not_allow_is_refused():
    with pytest.raises(DataError, match="leave out the arm"):
        with_more_patients(split(), POOL, 4)


def test_unlabelled_images_are_of_others_and_carry_no_class():
    whole = split()
    found = unlabelled_list(whole, POOL, 30)
    assert not found.groups() & whole.groups()
    assert {entry.label for entry in found.training} == {None}
    assert {entry.id for entry in found.training} <= {e.id for e in left_out(POOL, whole)}
    assert {entry.id[0] for entry in found.training} == {"0", "1"}
    assert 30 <= len(found.training) <= 32


def test_nobody_left_out_is_said():
    with pytest.raises(DataError, match="test_patients_per_class"):
        unlabelled_list(split(test=None), POOL, 30)


def test_images_without_a_class_are_used_unless_their_patient_is_held_out():
    whole = split(test=None)
    of = {part: whole.entries(part)[0] for part in ("training", "validation", "test")}
    more = [replace(entry, id=f"new-{part}", image=f"{part}.png") for part, entry in of.items()]
    more += [Entry("stranger.png", 0, "stranger", "new-stranger"), of["training"]]
    found = unlabelled_list(whole, POOL, 100, more)
    assert {entry.id for entry in found.training} == {"new-training", "new-stranger"}
    assert found.caveats[1].startswith("3 more")
    with pytest.raises(DataError, match="`unlabelled`"):
        unlabelled_list(whole, POOL, 100, more[1:3])


def test_guesses_go_to_their_images():
    unlabelled = unlabelled_list(split(), POOL, 10)
    guesses = [i % 2 for i in range(len(unlabelled.training))]
    found = with_guesses(unlabelled, guesses, "guessed")
    assert [entry.label for entry in found.training] == guesses
    assert [e.id for e in found.training] == [e.id for e in unlabelled.training]


def test_the_choice_does_not_depend_on_the_secret_key():
    whole = split()
    renamed = {entry.group: f"key2-{hash(entry.group)}" for entry in POOL}
    other = tuple(Entry(e.image, e.label, renamed[e.group], e.id) for e in reversed(whole.training))
    again = type(whole)(whole.labels, other, (), (), whole.split)
    ids = [{e.id for e in with_fewer_patients(one, 4).training} for one in (whole, again)]
    assert ids[0] == ids[1]
