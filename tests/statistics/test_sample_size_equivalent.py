"""Sample-size equivalents on curves whose answer is known."""

import numpy as np
import pytest

from monai_gan_aug.statistics.sample_size_equivalent import (
    equivalent_patients,
    sample_size_equivalent,
)

PATIENTS = [20, 40, 80]


def curve(patients):
    """An AUC that grows with the logarithm of the patients."""
    return 0.7 + 0.1 * np.log2(np.asarray(patients) / 20)


@pytest.mark.parametrize("truth", [20, 27, 40, 61, 80])
def test_finds_the_patients_that_made_the_value(truth):
    found = equivalent_patients(PATIENTS, curve(PATIENTS), np.array(curve(truth)))
    assert found == pytest.approx(truth)


def test_never_extrapolates():
    values = curve([10, 200])
    found = [equivalent_patients(PATIENTS, curve(PATIENTS), np.array(v)) for v in values]
    assert found == [-np.inf, np.inf]


def test_more_value_is_never_fewer_patients():
    rng = np.random.default_rng(0)
    bumpy = curve(PATIENTS) + rng.normal(0, 0.1, (50, 3))
    for row in bumpy:
        found = [
            float(equivalent_patients(PATIENTS, row, np.array(v))) for v in np.linspace(0, 1, 30)
        ]
        assert found == sorted(found)


def test_interval_holds_the_truth_and_grows_with_the_noise():
    widths = []
    for noise in (0.005, 0.02):
        rng = np.random.default_rng(1)
        draws = curve(PATIENTS) + rng.normal(0, noise, (2000, 3))
        own = curve(40) + rng.normal(0, noise, 2000)
        found = sample_size_equivalent(
            "arm", PATIENTS, curve(PATIENTS), float(curve(40)), draws, own
        )
        assert found.where == "inside"
        assert found.patients == pytest.approx(40)
        assert found.lower < 40 < found.upper
        widths.append(found.upper - found.lower)
    assert widths[0] < widths[1]


def test_outside_the_curve_is_said_not_guessed():
    same = np.tile(curve(PATIENTS), (500, 1))
    above = sample_size_equivalent("arm", PATIENTS, curve(PATIENTS), 0.99, same, np.full(500, 0.99))
    below = sample_size_equivalent("arm", PATIENTS, curve(PATIENTS), 0.5, same, np.full(500, 0.5))
    assert (above.where, above.patients, above.lower) == ("above", None, None)
    assert (below.where, below.patients, below.upper) == ("below", None, None)
    assert above.measured == (20, 80)


def test_patients_must_increase():
    with pytest.raises(ValueError, match="increasing"):
        equivalent_patients([40, 20], np.array([0.7, 0.8]), np.array(0.75))
