"""Files that an evaluation leaves behind."""

import csv
import json
from types import SimpleNamespace

import pytest
import torch
from monai.engines import SupervisedEvaluator
from torch import nn

from monai_gan_aug.engines.classification import PrepareImages
from monai_gan_aug.engines.classifier_run import RunDescription
from monai_gan_aug.engines.results import PredictionCollector, ResultsWriter
from monai_gan_aug.engines.tables import PredictionTable
from monai_gan_aug.errors import DataError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.predictions import Predictions

IMAGES = torch.arange(6, dtype=torch.uint8).mul(50).view(6, 1, 1, 1).expand(6, 1, 8, 8)
LABELS = torch.tensor([0, 0, 1, 0, 1, 1])


class Brightness(nn.Module):
    """The logit of class 1 is the mean of the image."""

    def forward(self, images):
        """Two logits per image."""
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(mean), mean], dim=1)


def judged():
    return SimpleNamespace(
        ids=[f"id{n}" for n in range(6)],
        groups=["p", "p", "q", "r", "s", "t"],
        label_names=("dark", "bright"),
        split="test",
        datalist=SimpleNamespace(sha256="5f", split=SimpleNamespace(key_fingerprint="k")),
    )


def evaluate(handlers, labelled=True):
    batches = [
        {DataKeys.IMAGE: IMAGES[part], **({DataKeys.LABEL: LABELS[part]} if labelled else {})}
        for part in (slice(0, 4), slice(4, 6))
    ]
    SupervisedEvaluator(
        device="cpu",
        val_data_loader=batches,
        network=Brightness(),
        prepare_batch=PrepareImages(),
        val_handlers=handlers,
        decollate=False,
    ).run()


def writer(folder, **more):
    return ResultsWriter(folder, judged(), RunDescription("classical", 3, 600, {"a": 1}), **more)


def test_predictions_keep_the_order_of_the_images(tmp_path):
    evaluate([writer(tmp_path)])
    found = Predictions.load(tmp_path / "predictions.json")
    assert found.ids == tuple(judged().ids)
    assert found.groups == tuple(judged().groups)
    assert (found.arm, found.seed, found.split_sha256) == ("classical", 3, "5f")
    assert found.probabilities[:, 1].tolist() == sorted(found.probabilities[:, 1])


def test_metrics_carry_steps_and_provenance(tmp_path):
    synthetic = SimpleNamespace(
        lists=[SimpleNamespace(sha256="ab", provenance=SimpleNamespace(checkpoint_sha256="cd"))]
    )
    evaluate([writer(tmp_path, synthetic=synthetic)])
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["steps"] == 600
    assert content["metrics"]["auc"] == pytest.approx(8 / 9)
    assert content["provenance"]["synthetic_sha256"] == ["ab"]
    assert content["provenance"]["checkpoint_sha256"] == ["cd"]
    assert content["provenance"]["settings"] == {"a": 1}


def test_identical_files_are_judged_once(tmp_path, caplog):
    twice = writer(tmp_path)
    twice.dataset.ids[1] = "id0"  # both are dark
    evaluate([twice])
    found = Predictions.load(tmp_path / "predictions.json")
    assert found.ids == ("id0", "id2", "id3", "id4", "id5")
    assert found.groups == ("p", "q", "r", "s", "t")
    assert found.labels.tolist() == [0, 1, 0, 1, 1]
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["metrics"]["auc"] == pytest.approx(5 / 6)  # 2 dark, 3 bright, one pair wrong
    assert "1 copies of images" in caplog.text


def test_identical_files_of_two_classes_are_refused(tmp_path):
    both = writer(tmp_path)
    both.dataset.ids[2] = "id0"
    with pytest.raises(DataError, match="test split with two classes"):
        evaluate([both])


def test_a_second_run_starts_afresh():
    collector = PredictionCollector()
    for _ in range(2):
        evaluate([collector])
    labels, probabilities = collector.result()
    assert (len(labels), probabilities.shape) == (6, (6, 2))


def test_table_has_a_row_per_image_and_escapes_formulas(tmp_path):
    names = SimpleNamespace(names=["=cmd|x", " =1+1.png", "\uff1d1.png", "d.png", "e.png", "ü.png"])
    evaluate([PredictionTable(tmp_path / "p.csv", names, ["dark", "bright"])], labelled=False)
    rows = list(csv.DictReader((tmp_path / "p.csv").open(encoding="utf-8")))
    assert [row["image"] for row in rows][:3] == ["'=cmd|x", "' =1+1.png", "'\uff1d1.png"]
    assert [row["predicted"] for row in rows] == ["dark"] * 3 + ["bright"] * 3
    assert sum(float(rows[0][name]) for name in ("dark", "bright")) == pytest.approx(1)


def test_table_refuses_the_classes_of_another_classifier(tmp_path):
    names = SimpleNamespace(names=[str(n) for n in range(6)])
    with pytest.raises(DataError, match="classes"):
        evaluate([PredictionTable(tmp_path / "p.csv", names, ["a", "b", "c"])], labelled=False)
