"""The simulation behind the claims: its truth is the truth, and it asks what a study asks."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from monai_gan_aug.statistics.arm_statistics import ArmStatistics
from monai_gan_aug.studies.comparisons import corrected_claims

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts" / "benchmark"


@pytest.fixture(scope="module")
def honesty():
    """The script, which imports its neighbour."""
    sys.path.insert(0, str(SCRIPTS))
    yield importlib.import_module("claims_honesty")
    sys.path.remove(str(SCRIPTS))


def test_the_true_gain_is_the_one_of_very_many_patients(honesty):
    world = honesty.World(seeds=200, patients=2000, tested=1.0, images=1, effect=0.5)
    areas = {"candidate": [], "classical": []}
    for item in world.study(np.random.default_rng(0), list(areas)):
        areas[item.arm].append(roc_auc_score(item.labels, item.probabilities[:, 1]))
    gains = np.subtract(areas["candidate"], areas["classical"])
    assert gains.mean() == pytest.approx(world.gain, abs=4 * gains.std() / np.sqrt(len(gains)))
    assert replace(world, effect=0.0).gain == 0


@pytest.mark.parametrize("effect", [0.0, 0.8])
def test_claims_are_those_of_a_study(honesty, effect):
    arms = honesty.study_arms(candidates=3, controls=3)
    names = [one.name for one in arms]
    drawn = honesty.World(seeds=3, effect=effect).study(np.random.default_rng(1), names)
    statistics = ArmStatistics(drawn, replicates=500)
    found = honesty.claimed(statistics, arms)
    content = corrected_claims(statistics, arms, ["classical", "control_1"], "auc")
    for part in ("verdict_controls", "every_control"):
        claimed = {claim.arm for claim in getattr(content, part) if claim.holm <= 0.05}
        assert found[part] == claimed
    assert ("candidate" in found["every_control"]) == (effect > 0)
