"""What a drawn patient looks like, in Hounsfield units."""

import numpy as np
import pytest
from scipy import ndimage

from monai_gan_aug.phantoms.anatomy import SMALLEST_BLEED, draw_patient
from monai_gan_aug.phantoms.haemorrhage import HaemorrhageKind

SEEDS = range(12)


@pytest.fixture(scope="module")
def pairs():
    """The same heads without and with a haemorrhage."""
    return [
        tuple(draw_patient(seed, positive, slices=2, size=128) for positive in (False, True))
        for seed in SEEDS
    ]


def inside_skull(hu):
    """Soft tissue enclosed by bone, independent of how the phantom was drawn."""
    bone = ndimage.binary_closing(ndimage.median_filter(hu, 3) > 350, iterations=2)
    return ndimage.binary_erosion(ndimage.binary_fill_holes(bone) & ~bone, iterations=3)


def test_shape_type_and_range(pairs):
    for patient in pairs[0]:
        assert patient.hu.shape == patient.blood.shape == (2, 128, 128)
        assert patient.hu.dtype == np.int16
        assert patient.hu.min() >= -1024
        assert patient.hu.max() <= 3071


def test_same_seed_draws_the_same_patient():
    first, second = (draw_patient((3, 1), True, slices=1, size=64) for _ in range(2))
    np.testing.assert_array_equal(first.hu, second.hu)
    assert first.scanner == second.scanner


def test_other_seed_draws_another_patient():
    first, second = (draw_patient((3, number), False, slices=1, size=64) for number in (1, 2))
    assert np.abs(first.hu - second.hu.astype(int)).mean() > 20


def test_slices_of_a_patient_share_the_head(pairs):
    for healthy, _ in pairs:
        lower, upper = (inside_skull(hu) for hu in healthy.hu)
        assert (lower & upper).sum() > 0.8 * (lower | upper).sum()


def test_brain_has_the_density_of_brain(pairs):
    for healthy, _ in pairs:
        brain = [hu[inside_skull(hu)] for hu in healthy.hu]
        assert 22 < np.median(np.concatenate(brain)) < 42


def test_skull_encloses_the_brain_and_air_the_head(pairs):
    for healthy, _ in pairs:
        for hu in healthy.hu:
            share = inside_skull(hu).mean()
            assert 0.15 < share < 0.55
            assert np.median(hu[:3]) < -900
            assert np.percentile(hu, 98) > 700


def test_pixel_spacing_gives_a_head_of_human_size(pairs):
    for healthy, _ in pairs:
        head = ndimage.binary_opening(healthy.hu[0] > -300, iterations=3)
        length, width = (np.ptp(np.flatnonzero(head.any(axis=axis))) for axis in (1, 0))
        assert 150 < length * healthy.spacing < 225
        assert 120 < width * healthy.spacing < 190


def test_every_slice_of_a_positive_patient_shows_blood(pairs):
    for _, bleeding in pairs:
        areas = bleeding.blood.sum(axis=(1, 2)) * bleeding.spacing**2
        assert bleeding.positive
        assert (areas >= SMALLEST_BLEED - 1e-3).all()


def test_a_negative_patient_has_no_blood(pairs):
    for healthy, _ in pairs:
        assert not healthy.positive
        assert not healthy.blood.any()


def test_blood_brightens_the_same_head(pairs):
    for healthy, bleeding in pairs:
        change = bleeding.hu.astype(float) - healthy.hu
        assert change[bleeding.blood > 0.7].mean() > 10
        # a haematoma may push the brain, but not the skull and what lies outside it
        outside = (healthy.hu < -500) & (bleeding.hu < -500)
        assert np.abs(change[outside]).mean() < 1


def test_dense_blood_stays_within_its_range(pairs):
    for _, bleeding in pairs:
        core = ndimage.grey_erosion(bleeding.blood, size=(1, 5, 5)) > 0.95
        if core.sum() > 30:
            assert 48 < np.median(bleeding.hu[core]) < 92


def test_all_kinds_occur():
    drawn = {draw_patient(seed, True, slices=1, size=32).kind for seed in range(60)}
    assert drawn == set(HaemorrhageKind)


def test_healthy_heads_contain_calcifications():
    dense = [
        (hu > 80)[ndimage.binary_erosion(inside_skull(hu), iterations=5)].any()
        for seed in range(12)
        for hu in draw_patient((9, seed), False, slices=1, size=128).hu
    ]
    assert 0.3 < np.mean(dense) <= 1


def test_the_matrix_changes_the_pixels_but_not_the_anatomy():
    coarse, fine = (draw_patient(5, True, slices=1, size=size) for size in (64, 256))
    shrunk = fine.hu[0].reshape(64, 4, 64, 4).mean(axis=(1, 3))
    assert coarse.kind is fine.kind
    assert coarse.spacing == pytest.approx(4 * fine.spacing, rel=1e-4)
    assert np.corrcoef(shrunk.ravel(), coarse.hu[0].ravel())[0, 1] > 0.98


def test_more_exposure_means_less_noise():
    patients = [draw_patient((4, seed), False, slices=1, size=128) for seed in range(14)]
    noise = []
    for patient in patients:
        hu = patient.hu[0].astype(float)
        rough = hu - ndimage.gaussian_filter(hu, 2)
        noise.append(np.median(np.abs(rough[inside_skull(hu)])))
    dose = [patient.scanner.exposure * patient.scanner.slice_thickness for patient in patients]
    assert np.corrcoef(np.log(dose), np.log(noise))[0, 1] < -0.6


def test_many_slices_stay_within_the_cranium():
    patient = draw_patient(2, True, slices=20, size=32)
    assert (np.diff(patient.levels) > 0).all()
    assert np.ptp(patient.levels) <= 53.01


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"slices": 0}, "slices"),
        ({"size": 16}, "size"),
        ({"seed": -1}, "seed"),
        ({"seed": (3, -1)}, "seed"),
    ],
)
def test_refuses_impossible_requests(arguments, named):
    with pytest.raises(ValueError, match=named):
        draw_patient(**({"seed": 0, "positive": True} | arguments))
