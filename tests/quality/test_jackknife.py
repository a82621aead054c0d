import numpy as np
import pytest

from monai_gan_aug.quality.jackknife import jackknife_interval


def test_of_a_mean_is_the_textbook_interval():
    x = np.random.default_rng(0).normal(size=20)
    names = [str(i) for i in range(20)]
    ends = jackknife_interval(lambda kept: np.array([x[kept].mean()]), names)[0]
    half = 2.093024 * x.std(ddof=1) / np.sqrt(20)  # t with 19 degrees of freedom
    assert ends == pytest.approx([x.mean() - half, x.mean() + half], rel=1e-5)


def test_images_of_one_patient_count_as_one():
    x = np.repeat(np.random.default_rng(0).normal(size=20), 9)
    mean = lambda kept: np.array([x[kept].mean()])
    by_patient = jackknife_interval(mean, [str(i // 9) for i in range(180)])
    by_image = jackknife_interval(mean, [str(i) for i in range(180)])
    assert np.ptp(by_patient) > 2.5 * np.ptp(by_image)


def test_two_sets_add_their_variances():
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=200), draw.normal(size=200)
    names = [str(i) for i in range(200)]
    gap = lambda a, b: np.array([x[a].mean() - y[b].mean()])
    half = np.ptp(jackknife_interval(gap, names, names)) / 2
    assert half == pytest.approx(2.09 * np.sqrt(2 / 200), rel=0.35)


def test_holds_the_truth_about_as_often_as_it_says():
    draw = np.random.default_rng(1)
    names, held = [str(i) for i in range(40)], 0
    for seed in range(300):
        x = draw.exponential(size=40)
        ends = jackknife_interval(lambda kept, x=x: np.array([x[kept].mean()]), names, seed=seed)
        held += ends[0, 0] < 1 < ends[0, 1]
    assert 0.87 < held / 300 < 0.99


def test_too_few_patients_have_no_interval():
    assert jackknife_interval(lambda kept: np.zeros(1), list("aaabbbcccddd")) is None
