import numpy as np
import pytest

from monai_gan_aug.privacy.membership import Scored, membership_auc, patient_halves


def scored(shift, seed=0, count=60):
    draw = np.random.default_rng(seed)
    names = [[f"{side}{i}" for i in range(count)] for side in "mo"]
    return Scored(draw.normal(shift, 1, count), draw.normal(0, 1, count), *names)


def test_equal_laws_give_one_half_inside_the_interval():
    held = 0
    for seed in range(60):
        _, (low, high) = membership_auc([scored(0, seed)], replicates=200)
        held += low <= 0.5 <= high
    assert held > 50


def test_a_shift_of_one_gives_the_normal_area():
    value, _ = membership_auc([scored(1, seed, 400) for seed in range(4)], replicates=200)
    assert value == pytest.approx(0.7602, abs=0.02)  # normal probability of 1 / sqrt(2)


def test_classes_are_kept_apart():
    """Another mixture of classes in training and held-out images is no membership."""
    low = Scored(np.zeros(90), np.zeros(10), *[[str(i) for i in range(n)] for n in (90, 10)])
    high = Scored(np.ones(10), np.ones(90), *[[str(i) for i in range(n)] for n in (10, 90)])
    assert membership_auc([low, high], replicates=200)[0] == 0.5


def test_halves_share_no_patient():
    groups = [f"p{i // 3}" for i in range(30)]
    first, second = patient_halves(groups, seed=0)
    assert len(first) + len(second) == 30
    assert {groups[i] for i in first}.isdisjoint({groups[i] for i in second})
