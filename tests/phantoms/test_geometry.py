"""Laws of the shapes from which phantoms are drawn."""

import numpy as np
import pytest

from monai_gan_aug.phantoms.geometry import (
    ANGLES,
    HeadFrame,
    SmoothFields,
    angular_distance,
    blend,
    ellipse_depth,
    harmonics,
    soft_inside,
    stroke_depth,
)


@pytest.fixture
def plane():
    """Coordinates of a 100 mm square sampled every half millimetre."""
    return HeadFrame.of_slice(200, 0.5, level=0.0, roll=0.0, centre=(0.0, 0.0))


def test_soft_edges_keep_the_area_of_a_disc(plane):
    depth = ellipse_depth(plane.x, plane.y, (3.0, -2.0), (20.0, 20.0))
    area = soft_inside(depth, plane.edge).sum() * plane.edge**2
    assert area == pytest.approx(np.pi * 20**2, rel=1e-3)


def test_ellipse_area_does_not_depend_on_its_turn(plane):
    areas = [
        (ellipse_depth(plane.x, plane.y, (0, 0), (10, 25), turn) > 0).sum() for turn in (0, 0.7)
    ]
    assert areas[0] == pytest.approx(areas[1], rel=5e-3)


def test_stroke_is_as_long_and_wide_as_its_path(plane):
    points = np.float32([(-20, 0, 4), (10, 0, 4)])
    area = soft_inside(stroke_depth(plane.x, plane.y, points), plane.edge).sum() * plane.edge**2
    assert area == pytest.approx(30 * 8 + np.pi * 16, rel=1e-3)


def test_stroke_with_negative_radius_leaves_no_trace(plane):
    points = np.float32([(-20, 0, -1), (10, 0, -2)])
    assert stroke_depth(plane.x, plane.y, points).max() < 0


def test_blend_interpolates_and_keeps_its_input():
    image = np.float32([10, 10, 10])
    assert blend(image, 20, np.float32([0, 0.5, 1])).tolist() == [10, 15, 20]
    assert image.tolist() == [10, 10, 10]


def test_directions_point_where_the_pixels_are(plane):
    angle = ANGLES[plane.direction]
    away = np.cos(angle) * plane.x + np.sin(angle) * plane.y
    assert np.abs(away - plane.radius).max() < 1e-3


def test_roll_turns_the_head_frame():
    frame = HeadFrame.of_slice(64, 1.0, level=0.0, roll=np.pi / 2, centre=(0.0, 0.0))
    upright = HeadFrame.of_slice(64, 1.0, level=0.0, roll=0.0, centre=(0.0, 0.0))
    np.testing.assert_allclose(frame.x, upright.y, atol=1e-4)


def test_turning_by_a_full_circle_changes_nothing(plane):
    ring = plane.radius > 20
    turned = plane.turned(2 * np.pi * plane.radius)
    steps = np.abs(turned - plane.direction)[ring]
    assert np.minimum(steps, len(ANGLES) - steps).max() <= 1


def test_angular_distance_wraps_around():
    distance = angular_distance(3.0)
    assert distance.min() >= 0
    assert distance.max() == pytest.approx(np.pi, abs=2e-3)
    assert distance[0] == pytest.approx(np.pi - 3.0, abs=1e-4)


def test_harmonics_have_no_mean():
    table = harmonics(np.random.default_rng(0), range(1, 9), 2.0)
    assert table.mean() == pytest.approx(0, abs=1e-4)
    assert table.std() > 0.1


def test_fields_are_the_same_at_every_resolution():
    fields = SmoothFields.draw(np.random.default_rng(0), fields=2, knots=9)
    fine = fields.at(5.0, 128).reshape(2, 32, 4, 32, 4).mean(axis=(2, 4))
    np.testing.assert_allclose(fine, fields.at(5.0, 32), atol=0.03)


def test_fields_have_about_unit_deviation():
    fields = SmoothFields.draw(np.random.default_rng(0), fields=8, knots=30)
    assert fields.at(-12.0, 64).std() == pytest.approx(1, abs=0.15)


def test_fields_change_gradually_with_the_level():
    fields = SmoothFields.draw(np.random.default_rng(0), fields=1, knots=12)
    here, near, far = (fields.at(level, 48) for level in (0.0, 1.0, 40.0))
    assert np.abs(here - near).mean() < 0.2 * np.abs(here - far).mean()
