"""Claims of several arms, corrected for their number, and the tests of single splits."""

import numpy as np
import pytest

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.statistics.intervals import MeanOverSeeds
from monai_gan_aug.statistics.looks import tail_of_look
from monai_gan_aug.statistics.paired import claims, single_splits


def study(rng, seeds=3, patients=40):
    """Predictions of a good and a poor arm on the same patients."""
    labels = np.arange(patients) % 2
    rows = tuple(map(str, range(patients)))
    found = []
    for seed in range(seeds):
        for arm, merit in (("candidate", 3.0), ("classical", 1.0)):
            score = 1 / (1 + np.exp(-merit * (labels - 0.5) - rng.normal(size=patients)))
            both = np.stack([1 - score, score], axis=1)
            names = ("healthy", "ill")
            found.append(Predictions(arm, seed, names, "test", "5f", rows, rows, labels, both))
    return found


def gain(*values):
    return MeanOverSeeds(values)


SURE, LIKELY, LOSS = gain(0.1, 0.101, 0.1), gain(0.1, 0.12, 0.08), gain(-0.1, -0.101, -0.1)


def test_a_claim_is_as_weak_as_its_weakest_comparison():
    (found,) = claims({"a": {"x": SURE, "y": LIKELY}})
    assert found.controls == ("x", "y")
    assert found.p_value == found.holm == LIKELY.p_value > SURE.p_value


def test_worse_than_one_control_is_no_claim():
    (found,) = claims({"a": {"x": SURE, "y": LOSS}})
    assert found.p_value == 1.0


def test_two_seeds_claim_nothing():
    (found,) = claims({"a": {"x": gain(0.1, 0.1)}})
    assert found.p_value == 1.0


def test_a_later_look_claims_less():
    first, third = (claims({"a": {"x": SURE}}, tail_of_look(look))[0] for look in (1, 3))
    assert third.p_value / first.p_value == pytest.approx(tail_of_look(1) / tail_of_look(3))


def test_correction_keeps_the_order_and_never_helps():
    rng = np.random.default_rng(0)
    gains = {str(i): {"x": gain(*(0.05 + 0.03 * rng.normal(size=4)))} for i in range(9)}
    found = sorted(claims(gains), key=lambda claim: claim.p_value)
    assert [c.holm for c in found] == sorted(c.holm for c in found)
    assert all(c.holm >= c.p_value for c in found)


def test_single_splits_have_one_row_per_seed():
    items = study(np.random.default_rng(0))
    pair = [[item for item in items if item.arm == arm] for arm in ("candidate", "classical")]
    rows = single_splits(*pair)
    assert [row.seed for row in rows] == [0, 1, 2]
    assert all(0 <= p_value <= 1 for row in rows for p_value in (row.delong, row.mcnemar))
    same = single_splits(pair[0], pair[0])
    assert {row.delong for row in same} == {row.mcnemar for row in same} == {1.0}
