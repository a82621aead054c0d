"""What spoils images must move the numbers that are there to notice it, in their direction."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from monai_gan_aug.metrics.features import ClassifierFeatures
from tests.drawing.patients import one_each

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "benchmark" / "dose_response.py"
SIDE = 24


def blobs(count, seed):
    """Images of one patient each: a disc, six blobs of the patient; class 1 has a bright lesion."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    images = np.repeat(0.5 * (np.hypot(y - 0.5, x - 0.5) < 0.4)[None], count, axis=0)
    for number, image in enumerate(images):
        for blob in range(7 if number % 2 else 6):
            centre, width = draw.uniform(0.2, 0.8, 2), draw.uniform(0.04, 0.12)
            height = 1.2 if blob == 6 else draw.uniform(-0.4, 0.4)
            width = 0.05 if blob == 6 else width
            square = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
            image += height * np.exp(-square / (2 * width**2))
        image += draw.normal(0, 0.05, image.shape)
    return one_each(torch.from_numpy(images - 0.5).float().clamp(-1, 1)[:, None], str(seed))


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("dose_response", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    names = ("training", "held_out", "baseline", "others")
    sets = {name: blobs(40, seed) for seed, name in enumerate(names)}
    spoilt = script.doses(sets["training"], sets["others"])
    chosen = [name for name in spoilt if name not in ("blur, 7 px", "noise, 0.1")]
    of_real = ClassifierFeatures(1, 2, steps=100, batch_size=24)
    of_real.fit(sets["training"].images, sets["training"].labels)
    return {name: script.measure(sets, spoilt[name], of_real) for name in chosen}


UP, DOWN = 1, -1
EXPECTED = {
    "blur, 3 px": {
        "kid": UP,
        "fid": UP,
        "density": DOWN,
        "coverage": DOWN,
        "radiomics_distance": UP,
        "mdsi": UP,
    },
    "noise, 0.3": {
        "kid": UP,
        "fid": UP,
        "density": DOWN,
        "coverage": DOWN,
        "radiomics_distance": UP,
        "psnr": DOWN,
        "ssim": DOWN,
        "haar_psi": DOWN,
    },
    "collapse to 10 images": {
        "fid": UP,
        "recall": DOWN,
        "coverage": DOWN,
        "vendi": DOWN,
        "diversity": DOWN,
    },
    "every image twice": {"vendi": DOWN, "recall": DOWN},
    "labels shuffled": {"gan_test": DOWN, "gan_train": DOWN},
    "copies of training": {
        "mifid": UP,
        "near_copies": UP,
        "authentic": DOWN,
        "membership_by_distance": UP,
    },
}


@pytest.mark.parametrize(
    ("dose", "metric"), [(dose, metric) for dose, moved in EXPECTED.items() for metric in moved]
)
def test_moves_in_its_documented_direction(table, dose, metric):
    moved = table[dose][metric] - table["other patients"][metric]
    assert moved * EXPECTED[dose][metric] > 0


def test_other_patients_pass_every_check(table):
    clean = table["other patients"]
    assert clean["near_copies"] == 0
    assert clean["gan_test"] > 0.75
    assert abs(clean["membership_by_distance"] - 0.5) < 0.2


@pytest.mark.parametrize("metric", ["kid", "fid", "precision", "radiomics_distance"])
def test_shuffled_labels_are_not_seen_without_labels(table, metric):
    """What judges all classes together cannot notice; only GAN-test and GAN-train do."""
    assert table["labels shuffled"][metric] == pytest.approx(table["other patients"][metric])
