"""torchmetrics under MONAI's evaluator against scikit-learn."""

import numpy as np
import pytest
import torch
from monai.engines import SupervisedEvaluator
from sklearn import metrics as sklearn_metrics

from monai_gan_aug.engines.key_metrics import area_under_curve, standard_metrics


def scores(classes, count=60, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    logits = rng.normal(size=(count, classes)) + 1.2 * np.eye(classes)[labels]
    return torch.from_numpy(logits), torch.from_numpy(labels)


def evaluate(logits, labels, classes, batch=7, decollate=False, positive=1):
    parts = zip(logits.split(batch), labels.split(batch), strict=True)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=[{"image": image, "label": label} for image, label in parts],
        network=torch.nn.Identity(),
        key_val_metric=area_under_curve(classes, positive),
        additional_metrics=standard_metrics(classes, positive),
        decollate=decollate,
    )
    evaluator.run()
    return evaluator


def expected(logits, labels, classes, positive):
    probabilities, truth = logits.softmax(1).numpy(), labels.numpy()
    shown = probabilities[:, positive] if classes == 2 else probabilities
    target = truth == positive if classes == 2 else np.eye(classes)[truth]
    return {
        "val_auc": sklearn_metrics.roc_auc_score(target, shown),
        "val_average_precision": sklearn_metrics.average_precision_score(target, shown),
        "val_balanced_accuracy": sklearn_metrics.balanced_accuracy_score(
            truth, probabilities.argmax(1)
        ),
    }


@pytest.mark.parametrize("decollate", [False, True])
@pytest.mark.parametrize(("classes", "positive"), [(2, 1), (2, 0), (4, 1)])
def test_equals_scikit_learn_over_all_batches(classes, positive, decollate):
    logits, labels = scores(classes)
    found = evaluate(logits, labels, classes, decollate=decollate, positive=positive).state.metrics
    for name, value in expected(logits, labels, classes, positive).items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def test_the_area_is_the_key_metric():
    evaluator = evaluate(*scores(2), 2)
    assert evaluator.state.key_metric_name == "val_auc"
    assert evaluator.state.best_metric == evaluator.state.metrics["val_auc"]


def test_every_run_starts_afresh():
    evaluator = evaluate(*scores(3), 3)
    first = dict(evaluator.state.metrics)
    evaluator.run()
    assert evaluator.state.metrics == first


def test_a_calibrated_forecast_has_a_small_calibration_error_and_a_sure_liar_a_large_one():
    rng = np.random.default_rng(1)
    chance = torch.from_numpy(rng.uniform(0.5, 1, 4000))
    honest = torch.stack([chance, 1 - chance], 1).log()
    labels = torch.from_numpy((rng.uniform(size=4000) > chance.numpy()).astype(int))
    assert evaluate(honest, labels, 2, 500).state.metrics["val_calibration_error"] < 0.05
    sure = torch.tensor([[8.0, -8.0]]).repeat(4000, 1)
    assert evaluate(sure, labels, 2, 500).state.metrics["val_calibration_error"] > 0.2


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="`num_classes` must be at least 2, got 1"):
        area_under_curve(1)
    with pytest.raises(ValueError, match="`num_classes` must be at least 2, got 1"):
        standard_metrics(1)
