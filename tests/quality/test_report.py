from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.features import RandomFeatures
from monai_gan_aug.quality import report as quality
from monai_gan_aug.quality.report import QualityReport
from monai_gan_aug.records.quality import QualityFile


class Images:
    """Two classes, dark and bright noise of two images per patient."""

    def __init__(self, count, seed, shift=0.0):
        rng = np.random.default_rng(seed)
        self.targets = np.arange(count) % 2
        levels = 80 + 90 * self.targets[:, None, None, None] + shift
        noise = rng.normal(0, 25, (count, 1, 16, 16))
        self.images = (levels + noise).clip(0, 255).astype(np.uint8)
        self.label_names = ("dark", "bright")
        self.ids = [f"{seed}-{i}" for i in range(count)]
        self.groups = [f"{seed}-{i // 2}" for i in range(count)]
        self.recipe = SimpleNamespace(to_dict=lambda: {"size": 16})
        self.datalist = None
        self.lists = (f"list {seed}",)
        self.know_classes = True

    def __len__(self):
        return len(self.targets)

    def batch(self, indices):
        return {
            "image": torch.from_numpy(self.images[indices]),
            "label": torch.from_numpy(self.targets[indices]),
        }


def make(folder, patch, sets, **more):
    """A report over sets that need no files; further arguments go to it."""
    named = sets if isinstance(sets, dict) else {"": sets}
    patch.setattr(quality, "synthetic_sets", lambda *args: named)
    return QualityReport(
        training=Images(32, 0),
        held_out=Images(40, 1),
        baseline=Images(32, 9),
        synthetic=sets if isinstance(sets, dict) else [],
        path=folder / "quality.json",
        cache_dir=folder,
        **{"extractor": RandomFeatures(1), "classifier_steps": 20, "batch_size": 8, **more},
    )


@pytest.fixture
def report(tmp_path, monkeypatch):
    monkeypatch.setattr(quality, "check_chain", lambda real, one: None)
    return partial(make, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The rows of all families, computed once: look, do not touch."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality, "check_chain", lambda real, one: None)
        rows = make(folder, patch, Images(50, 2)).run()
    assert QualityFile.load(folder / "quality.json").rows == rows
    return rows


def overall(rows):
    return {row.metric: row for row in rows if row.label is None}


def test_every_family_is_there_with_a_baseline(whole):
    expected = "kid fid fid_limit precision recall density coverage mifid radiomics_distance"
    expected += " diversity vendi gan_test gan_train psnr ssim gmsd ms_gmsd mdsi haar_psi"
    assert set(expected.split()) <= set(overall(whole))
    for row in whole:
        assert np.isfinite([row.value, row.real_versus_real]).all()


def test_directions_are_those_of_the_papers(whole):
    lower = {metric for metric, row in overall(whole).items() if row.lower_is_better}
    distances = {"kid", "fid", "fid_limit", "mifid", "radiomics_distance"}
    assert lower == distances | {"pairwise_ssim", "gmsd", "ms_gmsd", "mdsi"}


def test_images_too_small_for_a_measure_leave_it_out(report):
    found = overall(report(Images(50, 2), families=["pairs"]).run())
    assert "ms_ssim" not in found
    assert "ssim" in found


def test_a_shifted_set_is_worse_than_real_images(report):
    found = overall(report(Images(50, 2, shift=60), families=["distances", "radiomics"]).run())
    for metric in ("kid", "fid", "radiomics_distance"):
        assert found[metric].value > 2 * found[metric].real_versus_real
        assert found[metric].interval[0] > found[metric].real_versus_real
    assert found["coverage"].value < found["coverage"].real_versus_real


def test_the_sets_are_thinned_to_equal_sizes(report):
    for row in report(Images(24, 2), families=["distances"]).run():
        each = row.recipe
        assert each["baseline"] == each["synthetic"] == (12 if row.label else 24)


def test_every_number_carries_its_recipe(whole):
    for row in whole:
        assert row.recipe["image"] == {"size": 16}
        assert {"training", "held_out", "baseline", "synthetic"} <= row.recipe.keys()


def test_gan_test_counts_the_images_of_each_class(report):
    rows = report(Images(60, 2), families=["labels"]).run()
    of_class = {row.label: row.count for row in rows if row.count}
    assert set(of_class) == {"dark", "bright"}
    assert all(0 <= right <= total == 16 for right, total in of_class.values())


def test_swapped_labels_ruin_both_label_numbers(report):
    swapped = Images(60, 2)
    swapped.targets = 1 - swapped.targets
    found = overall(report(swapped, families=["labels"], classifier_steps=60).run())
    assert found["gan_test"].value < 0.3
    assert found["gan_train"].value < 0.3
    assert found["gan_test"].real_versus_real > 0.8


def test_images_without_a_class_are_compared_with_all_classes(report):
    alike = Images(32, 2)
    alike.targets, alike.know_classes = np.zeros(32, int), False
    rows = report(alike, families=["distances", "labels"]).run()
    assert {row.label for row in rows} <= {None, ""}
    kid = next(row for row in rows if row.metric == "kid")
    dark_only = Images(32, 2)
    dark_only.images = dark_only.images[::2].repeat(2, 0)
    dark_only.targets, dark_only.know_classes = np.zeros(32, int), False
    half = next(r for r in report(dark_only, families=["distances"]).run() if r.metric == "kid")
    assert kid.value < 0.2 * half.value


def test_named_sets_share_one_baseline(report):
    rows = report({"a": Images(50, 2), "b": Images(26, 3)}, families=["distances"]).run()
    assert {row.set for row in rows} == {"a", "b"}
    kid = {row.set: row for row in rows if row.metric == "kid" and row.label is None}
    assert kid["a"].real_versus_real == kid["b"].real_versus_real
    assert kid["a"].value != kid["b"].value


def test_no_classifier_is_trained_for_measures_that_need_none(report, monkeypatch):
    monkeypatch.setattr(quality, "kept_label_classifier", lambda *args: pytest.fail("trained one"))
    rows = report(Images(32, 2), families=["pairs", "radiomics"], extractor=None).run()
    assert {"psnr", "ssim"} <= {row.metric for row in rows}


def test_the_default_extractor_is_a_classifier_of_the_training_split(report):
    kid = overall(report(Images(50, 2), extractor=None, families=["distances"]).run())["kid"]
    assert kid.recipe["features"] == "classifier trained on the training split"


def test_the_same_run_gives_the_same_numbers(report):
    settings = {"extractor": None, "families": ["diversity", "labels"]}
    runs = [report(Images(50, 2), **settings).run() for _ in range(2)]
    assert runs[0] == runs[1]


def test_checks_the_chain_first(tmp_path, monkeypatch):
    checked = []
    monkeypatch.setattr(quality, "check_chain", lambda real, one: checked.append(one))
    make(tmp_path, monkeypatch, Images(50, 2), families=["diversity"]).run()
    assert checked == ["list 2"]


def test_no_synthetic_set_is_an_error(tmp_path):
    with pytest.raises(DataError, match="generate one first"):
        quality.synthetic_sets([], None, tmp_path)


def test_an_unknown_family_is_refused(report):
    with pytest.raises(ValueError, match="distances"):
        report(Images(4, 2), families=["fid"])


def test_intervals_of_shares_stay_between_zero_and_one(whole):
    for row in whole:
        if row.metric in ("precision", "recall", "coverage", "gan_test", "gan_train"):
            low, high = row.interval or (0, 1)
            assert 0 <= low <= high <= 1
