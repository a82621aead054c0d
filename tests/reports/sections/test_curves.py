"""ROC, precision-recall and calibration figures name what they draw."""

from xml.etree import ElementTree

import pytest

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections import curves

FIGURES = (curves.roc_figure, curves.precision_recall_figure, curves.calibration_figure)


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter() if "}text" in e.tag]


def test_roc_names_every_arm_with_its_auc(study, write_study):
    read = StudyRecord.load(write_study(study))
    shown = " ".join(texts(curves.roc_figure(read)))
    for arm in read.arms:
        assert f"{arm.title}, AUC {arm.metrics['auc'].mean:.3f}" in shown


@pytest.mark.parametrize(
    ("figure", "metric", "title"),
    [
        (curves.precision_recall_figure, "average_precision", "AP"),
        (curves.calibration_figure, "ece", "ECE"),
    ],
)
def test_the_verdicts_arms_stand_with_their_number(full_study, write_study, figure, metric, title):
    read = StudyRecord.load(write_study(full_study))
    shown = " ".join(texts(figure(read)))
    for name in (read.verdict.arm, *read.verdict.controls):
        arm = next(arm for arm in read.arms if arm.name == name)
        assert f"{arm.title}, {title} {arm.metrics[metric].mean:.3f}" in shown


@pytest.mark.parametrize("figure", FIGURES)
def test_arms_without_the_metric_are_named_all_the_same(full_study, write_study, figure):
    full_study["arms"][1]["metrics"] = {"auc": full_study["arms"][1]["metrics"]["auc"]}
    read = StudyRecord.load(write_study(full_study))
    assert any(read.arms[1].title in text for text in texts(figure(read)))


def test_chance_is_the_share_of_positive_test_images(study, write_study):
    """40 normal images, and 80, 81 and 82 with pneumonia."""
    shares = [(80 + seed) / (120 + seed) for seed in range(3)]
    read = StudyRecord.load(write_study(study))
    assert curves.positive_share(read) == pytest.approx(sum(shares) / 3)


def test_bins_with_few_images_are_hollow(full_study, write_study):
    full = StudyRecord.load(write_study(full_study))
    for curve in full_study["curves"]["calibration"].values():
        curve["count"] = [500] * len(curve["count"])
    many = StudyRecord.load(write_study(full_study))
    hollow = "fill: #ffffff"
    assert hollow in curves.calibration_figure(full)
    assert hollow not in curves.calibration_figure(many)


def test_calibration_of_many_classes_is_of_the_class_called(full_study, write_study):
    del full_study["external"], full_study["sweep"]  # of two classes
    full_study["dataset"]["labels"].append("VIRUS")
    for counts in (full_study["dataset"]["images"], full_study["dataset"]["patients"]):
        counts["VIRUS"] = 10
    for record in full_study["seeds"]:
        for what in ("images", "patients"):
            record[what] = {split: {**c, "VIRUS": 5} for split, c in record[what].items()}
    for arm in full_study["arms"]:
        arm["confusion"] = [[5, 0, 0]] * 3
    read = StudyRecord.load(write_study(full_study))
    assert "Predicted probability of the class called" in texts(curves.calibration_figure(read))
