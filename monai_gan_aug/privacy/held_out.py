"""Bring a trained classifier back, and refuse to judge it on patients it learned from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ignite.engine import Events
from monai.engines.evaluator import Evaluator
from torch import nn

from monai_gan_aug.engines.checkpoint import differing_keys, load_checkpoint
from monai_gan_aug.engines.classifier_run import RunDescription
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.provenance import TrainingRecord

__all__ = ["LoadClassifier", "check_held_out", "classes_of", "described_by"]


class JudgedSet(Protocol):
    """The split a classifier is to be judged on."""

    ids: Sequence[str]
    groups: Sequence[str]
    label_names: Sequence[str]
    datalist: Datalist


def check_held_out(record: TrainingRecord, dataset: JudgedSet) -> None:
    """Refuse images or patients that the classifier learned from.

    Args:
        record: What the classifier saw.
        dataset: What it is to be judged on.

    Raises:
        ProvenanceError: If classes differ, patients cannot be compared, or some are shared.
    """
    if tuple(dataset.label_names) != record.labels:
        raise ProvenanceError(
            f"The classifier knows {list(record.labels)}, the datalist {list(dataset.label_names)}:"
            " evaluate on a datalist of the same classes in the same order."
        )
    images = set(record.ids) & set(dataset.ids)
    patients = set(record.groups) & set(dataset.groups)
    if images or patients:
        raise ProvenanceError(
            f"The classifier learned from {len(patients)} of these patients and {len(images)} of "
            "these images: evaluate on the test split of the datalist it was trained on, or on "
            "other patients."
        )
    same_split = record.split_sha256 == dataset.datalist.sha256
    if not same_split and record.key_fingerprint != dataset.datalist.split.key_fingerprint:
        raise ProvenanceError(
            "The two datalists hashed their patients with different keys, so nobody can tell "
            "whether they share any: prepare both with the same key."
        )


def described_by(ckpt_path: str | Path) -> RunDescription:
    """What a classifier's checkpoint was trained on.

    Raises:
        DataError: If it is no checkpoint of a classifier.
    """
    return RunDescription(**_classifier(Path(ckpt_path))["description"])


def classes_of(ckpt_path: str | Path) -> list[str]:
    """Names of the classes a classifier tells apart, by label.

    Raises:
        DataError: If it is no checkpoint of a classifier.
    """
    return list(_classifier(Path(ckpt_path))["training"]["labels"])


class LoadClassifier:
    """Load a classifier before an evaluator runs.

    Args:
        network: Receives the weights.
        ckpt_path: The checkpoint, its folder, or ``latest.json``.
        dataset: The split to be judged, checked with :func:`check_held_out`; none if the images
            have no labels.
    """

    def __init__(
        self, network: nn.Module, ckpt_path: str | Path, dataset: JudgedSet | None = None
    ) -> None:
        self.network = network
        self.ckpt_path = Path(ckpt_path)
        self.dataset = dataset

    def attach(self, evaluator: Evaluator) -> None:
        """Load when the evaluator starts."""
        evaluator.add_event_handler(Events.STARTED, self._load)

    def _load(self, evaluator: Evaluator) -> None:
        content = _classifier(self.ckpt_path)
        if self.dataset is not None:
            check_held_out(TrainingRecord.from_dict(content["training"]), self.dataset)
        lines = differing_keys(self.network.state_dict(), content["network"])
        if lines:
            raise DataError(
                f"The checkpoint does not fit the network ({'; '.join(lines[:5])}): use the same "
                "network_*.yaml, `image_size` and `channels` as in training."
            )
        self.network.load_state_dict(content["network"])


def _classifier(path: Path) -> dict[str, Any]:
    content = load_checkpoint(path)
    if not {"network", "training", "description"} <= content.keys():
        raise DataError(
            f"{path.name} is not the checkpoint of a classifier: give the `checkpoints` folder "
            "that train.yaml of augmentation_classifier wrote."
        )
    return content
