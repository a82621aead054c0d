import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from monai_gan_aug.errors import DataError
from monai_gan_aug.evaluation.quality import QualityReport, quality_rows
from monai_gan_aug.metrics.features import RandomFeatures


def features(count, shift=0.0, scale=1.0, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return shift + scale * torch.randn(count, 6, generator=draw)


def named(rows):
    return {row["metric"]: row for row in rows}


def test_a_shifted_set_is_farther_than_the_baseline():
    rows = named(quality_rows(features(80, seed=1), features(80), features(80, 0.8, seed=2), {}))
    assert rows["kid"]["value"] > 10 * abs(rows["kid"]["real_versus_real"])
    assert rows["kid"]["lower_is_better"]


def test_a_collapsed_set_is_less_diverse_than_the_real_one():
    rows = named(quality_rows(features(80), features(80, seed=1), features(80, scale=0.01), {}))
    assert rows["diversity"]["value"] < 0.05 * rows["diversity"]["real_versus_real"]
    assert not rows["diversity"]["lower_is_better"]


def test_every_number_carries_its_recipe():
    for row in quality_rows(features(5), features(6), features(7), {"features": "x"}):
        assert row["recipe"] == {
            "features": "x",
            "training": 5,
            "held_out": 6,
            "synthetic": 7,
        }


class Images:
    def __init__(self, count, seed):
        rng = np.random.default_rng(seed)
        self.images = rng.integers(0, 256, (count, 1, 16, 16), dtype=np.uint8)
        self.targets = np.arange(count) % 2
        self.label_names = ("a", "b")
        self.recipe = SimpleNamespace(to_dict=lambda: {"size": 16})
        self.datalist = None
        self.lists = ("one",)

    def __len__(self):
        return len(self.targets)

    def batch(self, indices):
        return {
            "image": torch.from_numpy(self.images[indices]),
            "label": torch.from_numpy(self.targets[indices]),
        }


def report(tmp_path, **more):
    sets = {name: Images(20, seed) for seed, name in enumerate(("training", "held_out"))}
    return QualityReport(
        **sets,
        **{"synthetic": Images(30, 2), **more},
        extractor=RandomFeatures(1),
        path=tmp_path / "quality.json",
        batch_size=8,
        maximum=20,
    )


def test_writes_all_classes_together_and_each(tmp_path, monkeypatch):
    monkeypatch.setattr("monai_gan_aug.evaluation.quality.check_chain", lambda real, one: None)
    rows = report(tmp_path).run()
    assert json.loads((tmp_path / "quality.json").read_text()) == rows
    assert [row.get("label") for row in rows] == [None, None, "a", "a", "b", "b"]
    assert rows[0]["recipe"]["synthetic"] == 20


def test_checks_the_chain_first(tmp_path, monkeypatch):
    checked = []
    monkeypatch.setattr(
        "monai_gan_aug.evaluation.quality.check_chain", lambda real, one: checked.append(one)
    )
    report(tmp_path).run()
    assert checked == ["one"]


def test_no_synthetic_set_is_an_error(tmp_path):
    empty = Images(4, 0)
    empty.lists = ()
    with pytest.raises(DataError, match="generate one first"):
        report(tmp_path, synthetic=empty).run()
