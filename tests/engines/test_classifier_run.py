"""The folder of a training: locked, never half written, never overwritten unasked."""

import json
from types import SimpleNamespace

import pytest
import torch
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from torch import nn

from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.engines.classification import PrepareImages
from monai_gan_aug.engines.classifier_run import ClassifierFolder, LearningCurve, RunDescription
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.keys import DataKeys

RECORD = {"split_sha256": "5f", "labels": ["a", "b"]}
DATASET = SimpleNamespace(training_record=lambda: SimpleNamespace(to_dict=lambda: RECORD))
BATCH = {
    DataKeys.IMAGE: torch.arange(4, dtype=torch.uint8).mul(60).view(4, 1, 1, 1).expand(4, 1, 4, 4),
    DataKeys.LABEL: torch.tensor([0, 0, 1, 1]),
}


def engine_settings(network):
    return {
        "device": "cpu",
        "network": network,
        "prepare_batch": PrepareImages(),
        "decollate": False,
    }


def train(folder, *, steps=10, overwrite=False, loss=None, curve=None):
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    handlers = [
        ClassifierFolder(folder, network, DATASET, RunDescription("real", 1, steps), overwrite)
    ]
    SupervisedTrainer(
        max_epochs=1,
        train_data_loader=[BATCH] * steps,
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
        loss_function=loss or nn.CrossEntropyLoss(),
        train_handlers=handlers + ([curve(network)] if curve else []),
        **engine_settings(network),
    ).run()
    return network


def test_checkpoint_holds_weights_record_and_description(tmp_path):
    network = train(tmp_path)
    content = load_checkpoint(tmp_path / "checkpoints")
    assert content["training"] == RECORD
    assert RunDescription(**content["description"]) == RunDescription("real", 1, 10)
    assert torch.equal(content["network"]["1.weight"], network.state_dict()["1.weight"])


def test_finished_results_are_refused_or_replaced(tmp_path):
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(DataError, match="--overwrite True"):
        train(tmp_path)
    train(tmp_path, overwrite=True)
    assert not (tmp_path / "metrics.json").exists()


def test_a_second_run_in_the_folder_is_refused(tmp_path):
    lock = FolderLock(tmp_path)
    lock.acquire()
    with pytest.raises(DataError, match="Another run"):
        train(tmp_path)
    lock.release()
    train(tmp_path)


def test_an_error_passes_through_and_gives_the_lock_back(tmp_path):
    def fail(prediction, labels):
        raise MemoryError("out of memory")

    with pytest.raises(MemoryError):
        train(tmp_path, loss=fail)
    assert not (tmp_path / "checkpoints").exists()
    train(tmp_path)


def validator(network):
    return SupervisedEvaluator(val_data_loader=[BATCH], **engine_settings(network))


def test_curve_records_stretches_and_the_rest(tmp_path):
    train(
        tmp_path,
        steps=25,
        curve=lambda network: LearningCurve(tmp_path / "curves.json", 10, validator(network)),
    )
    curves = json.loads((tmp_path / "curves.json").read_text())
    assert curves["step"] == [10, 20, 25]
    assert curves["loss"][-1] < curves["loss"][0]
    assert curves["validation_auc"] == [1.0, 1.0, 1.0]


def test_curve_works_without_validation(tmp_path):
    train(tmp_path, curve=lambda _: LearningCurve(tmp_path / "curves.json", 5))
    curves = json.loads((tmp_path / "curves.json").read_text())
    assert curves["validation_auc"] == [None, None]


def test_curve_refuses_empty_stretches(tmp_path):
    with pytest.raises(ValueError, match="every"):
        LearningCurve(tmp_path / "curves.json", 0)
