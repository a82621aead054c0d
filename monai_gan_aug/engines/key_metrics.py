"""Standard metrics of torchmetrics as the key metrics of MONAI's evaluators."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torchmetrics
from ignite.metrics import Metric
from monai.utils.enums import CommonKeys
from torch import Tensor
from torchmetrics import classification

__all__ = ["TorchMetric", "area_under_curve", "standard_metrics"]


class TorchMetric(Metric):
    """A torchmetrics metric where Ignite and MONAI expect one of Ignite's.

    It gathers over processes by itself, as torchmetrics does.

    Args:
        metric: What is computed, from probabilities and labels of one run of an evaluator.
        positive: With two classes, the one whose probability is judged; ``None`` for a metric
            that takes the probabilities of all classes.

    Example:
        >>> metric = TorchMetric(classification.BinaryAUROC(), positive=1)
        >>> metric.update((torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])))
        >>> metric.compute()
        1.0
    """

    def __init__(self, metric: torchmetrics.Metric, positive: int | None = None) -> None:
        self.metric = metric
        self.positive = positive
        super().__init__(output_transform=_logits_and_labels)

    def reset(self) -> None:
        """Forget all batches."""
        self.metric.reset()

    def update(self, output: Sequence[Tensor]) -> None:
        """Take in logits ``(B, K)`` and labels ``(B,)`` of one batch."""
        logits, labels = output
        # in double precision, as predictions.json has them: float32 makes ties of near scores
        probabilities = logits.detach().double().softmax(dim=1).cpu()
        labels = labels.detach().cpu()
        if self.positive is not None:
            self.metric.update(probabilities[:, self.positive], (labels == self.positive).long())
        else:
            self.metric.update(probabilities, labels)

    def compute(self) -> float:
        """The number over all batches since :meth:`reset`."""
        return float(self.metric.compute())


def _logits_and_labels(output: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> tuple[Any, Any]:
    """Predictions and labels of an output that may have been taken apart into single images."""
    if isinstance(output, Mapping):
        return output[CommonKeys.PRED], output[CommonKeys.LABEL]
    predictions = torch.stack([image[CommonKeys.PRED] for image in output])
    return predictions, torch.stack([torch.as_tensor(image[CommonKeys.LABEL]) for image in output])


def area_under_curve(num_classes: int, positive: int = 1) -> dict[str, TorchMetric]:
    """``key_val_metric`` of a classifier: the area under the ROC curve, as ``val_auc``.

    Args:
        num_classes: Number of classes; with more than two, the mean of one against the rest.
        positive: With two classes, the one that counts as disease.

    Raises:
        ValueError: If there are fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"`num_classes` must be at least 2, got {num_classes}.")
    if num_classes == 2:
        return {"val_auc": TorchMetric(classification.BinaryAUROC(), positive)}
    return {"val_auc": TorchMetric(classification.MulticlassAUROC(num_classes))}


def standard_metrics(num_classes: int, positive: int = 1) -> dict[str, TorchMetric]:
    """``additional_metrics`` of a classifier: precision and recall, accuracy, calibration.

    Args:
        num_classes: Number of classes.
        positive: With two classes, the one that counts as disease.

    Returns:
        Average precision, balanced accuracy (the mean recall of all classes) and expected
        calibration error of 15 bins of the highest probability, by name.

    Raises:
        ValueError: If there are fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"`num_classes` must be at least 2, got {num_classes}.")
    precision = (
        TorchMetric(classification.BinaryAveragePrecision(), positive)
        if num_classes == 2
        else TorchMetric(classification.MulticlassAveragePrecision(num_classes))
    )
    return {
        "val_average_precision": precision,
        "val_balanced_accuracy": TorchMetric(
            classification.MulticlassAccuracy(num_classes, average="macro")
        ),
        "val_calibration_error": TorchMetric(
            classification.MulticlassCalibrationError(num_classes)
        ),
    }
