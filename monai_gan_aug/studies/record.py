"""``study.json``: what every job of a study left behind, with intervals and the verdict."""

import json
import logging
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monai_gan_aug import __version__
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.metrics.weighted import METRICS, confusion
from monai_gan_aug.records.datalist import SPLITS, Datalist
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.provenance import SyntheticDatalist
from monai_gan_aug.statistics.arm_statistics import ArmStatistics
from monai_gan_aug.studies.arms import Arm
from monai_gan_aug.studies.comparisons import (
    Comparison,
    comparison_rows,
    conclusion,
    corrected_claims,
    exchanges,
)
from monai_gan_aug.studies.curves import (
    calibration_curves,
    precision_recall_curves,
    roc_curves,
)
from monai_gan_aug.studies.external_results import external_results
from monai_gan_aug.studies.layout import StudyLayout
from monai_gan_aug.studies.outcomes import arm_outcome
from monai_gan_aug.studies.published import PublishedTable

logger = logging.getLogger(__name__)

__all__ = ["StudyRecord", "write_record"]

LIBRARIES = ("torch", "monai", "pytorch-ignite", "pydicom", "numpy", "scikit-learn")


@dataclass(frozen=True)
class StudyRecord:
    """Where the results of a finished study lie, and what they are called.

    Args:
        layout: Where everything lies.
        name: Short name.
        title: What the images and classes are.
        datalists: Split of every seed.
        arms: Arms that were trained.
        comparison: What the verdict is about.
        recipe: Settings that shaped the result.
        grids: Pictures of every class, from :func:`monai_gan_aug.studies.pictures.draw_grids`.
        stages: Seconds by stage.
        seconds: Seconds of this run.
        published: Numbers of a publication.
        external: External test sets by name, all images in the test split.
    """

    layout: StudyLayout
    name: str
    title: str
    datalists: Mapping[int, Datalist]
    arms: Sequence[Arm]
    comparison: Comparison
    recipe: Mapping[str, Any]
    grids: Sequence[Mapping[str, Any]]
    stages: Mapping[str, float]
    seconds: float
    published: PublishedTable | None = None
    external: Mapping[str, Datalist] = field(default_factory=dict)

    def synthetic(self, seed: int) -> list[Path]:
        """Datalists of the images the GAN made; none if no arm uses it."""
        return self.layout.seed(seed).gan().drawn(self.datalists[seed].labels)

    def predictions(self) -> list[Predictions]:
        """One per seed and arm."""
        return [
            arm_outcome(self.layout.seed(seed), arm).predictions
            for seed in self.datalists
            for arm in self.arms
        ]


def write_record(record: StudyRecord, sweep: Mapping[int, StudyRecord] | None = None) -> Path:
    """Compute intervals and the verdict from the predictions; write and return ``study.json``.

    Args:
        record: What the verdict is about.
        sweep: Records by training patients per class, if the study was repeated with several.

    Raises:
        DataError: If predictions are missing or do not belong together.
    """
    predictions = record.predictions()
    results = _results(record, predictions)
    content = {
        "schema": 1,
        "name": record.name,
        "title": record.title,
        "created": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dataset": _dataset(record),
        "recipe": dict(record.recipe),
        **results,
        "curves": {
            "roc": roc_curves(predictions),
            "precision_recall": precision_recall_curves(predictions, record.comparison.names),
            "calibration": calibration_curves(predictions, record.comparison.names),
            "gan": list(_gan_curves(record)),
            "classifier": list(_classifier_curves(record)),
        },
        "quality": list(_quality(record)),
        "screening": list(_screening(record)),
        "grids": list(record.grids),
        "published": None if record.published is None else record.published.to_dict(),
        "provenance": _provenance(record),
        "timing": {
            "stages": [{"name": k, "seconds": round(v, 1)} for k, v in record.stages.items()],
            "total_seconds": round(record.seconds, 1),
        },
    }
    if sweep:
        content["sweep"] = [
            {
                "training_patients_per_class": number,
                **(results if one.layout == record.layout else _results(one, one.predictions())),
            }
            for number, one in sorted(sweep.items())
        ]
    path = record.layout.record
    write_json(path, content)
    logger.info("Verdict: %s. %s", results["verdict"]["word"], results["verdict"]["sentence"])
    return path


def _results(record: StudyRecord, predictions: Sequence[Predictions]) -> dict[str, Any]:
    """Splits, arms, comparisons and the verdict of one number of training patients."""
    statistics = ArmStatistics(predictions)
    chosen = record.comparison
    controls, metric = tuple(chosen.controls), chosen.metric
    return {
        "seeds": [_seed(record, seed) for seed in record.datalists],
        "arms": [_arm(arm, record, statistics, predictions) for arm in record.arms],
        "comparisons": comparison_rows(statistics, record.arms, chosen),
        "corrected": corrected_claims(statistics, record.arms, controls, metric),
        "exchange": exchanges(statistics, record.arms, controls[0], metric, record.datalists),
        "verdict": conclusion(statistics, record.arms, chosen).to_dict(),
        "external": external_results(
            record.external,
            [record.layout.seed(seed) for seed in record.datalists],
            record.arms,
            chosen,
        ),
    }


def _dataset(record: StudyRecord) -> dict[str, Any]:
    first = next(iter(record.datalists.values()))
    return {
        "labels": list(first.labels),
        "images": first.counts(),
        "patients": first.group_counts(),
        "grouping": first.split.grouping,
        "caveats": [*first.caveats, *_unscreened(record)],
    }


def _seed(record: StudyRecord, seed: int) -> dict[str, Any]:
    datalist = record.datalists[seed]
    synthetic = [SyntheticDatalist.load(path) for path in record.synthetic(seed)]
    return {
        "seed": seed,
        "split_sha256": datalist.sha256,
        "checkpoint_sha256": [item.provenance.checkpoint_sha256 for item in synthetic],
        "synthetic_sha256": [item.sha256 for item in synthetic],
        "images": {split: datalist.counts(split) for split in SPLITS},
        "patients": {split: datalist.group_counts(split) for split in SPLITS},
    }


def _arm(
    arm: Arm,
    record: StudyRecord,
    statistics: ArmStatistics,
    predictions: Sequence[Predictions],
) -> dict[str, Any]:
    first = record.layout.seed(next(iter(record.datalists)))
    tables = [
        confusion(item.labels, item.probabilities, np.ones((1, len(item))))[0]
        for item in predictions
        if item.arm == arm.name
    ]
    return {
        "name": arm.name,
        "title": arm.title,
        "role": arm.role,
        "steps": arm_outcome(first, arm).steps,
        "metrics": {name: statistics.metric(arm.name, name).to_dict() for name in METRICS},
        "confusion": np.sum(tables, axis=0).round().astype(int).tolist(),
    }


def _classifier_curves(record: StudyRecord) -> Iterator[dict[str, Any]]:
    for seed in record.datalists:
        for arm in sorted(record.arms, key=lambda arm: arm.name):
            curve = arm_outcome(record.layout.seed(seed), arm).curve
            if curve is not None:
                yield {"seed": seed, "arm": arm.name, **curve}


def _gan_curves(record: StudyRecord) -> Iterator[dict[str, Any]]:
    for seed, datalist in record.datalists.items():
        gan = record.layout.seed(seed).gan()
        for part in gan.parts(datalist.labels):
            curves = json.loads(gan.curves(part).read_text())
            alarms = gan.alarms(part)
            events = json.loads(alarms.read_text()) if alarms.is_file() else None
            name = "all classes" if part is None else datalist.labels[part]
            yield {"seed": seed, "name": name, "events": events, **curves}


def _quality(record: StudyRecord) -> Iterator[dict[str, Any]]:
    for seed in record.datalists:
        path = record.layout.seed(seed).gan().quality
        if path.is_file():
            for row in json.loads(path.read_text()):
                yield {"seed": seed, **row}


def _unscreened(record: StudyRecord) -> Iterator[str]:
    generated = [s for s in record.datalists if record.synthetic(s)]
    if any(not _screening_path(record, seed).is_file() for seed in generated):
        yield "Too few patients for a copy screen: nobody looked for copies of training images."


def _screening_path(record: StudyRecord, seed: int) -> Path:
    return record.layout.seed(seed).gan().screening


def _screening(record: StudyRecord) -> Iterator[dict[str, Any]]:
    for seed in record.datalists:
        path = _screening_path(record, seed)
        if path.is_file():
            found = json.loads(path.read_text())
            yield {
                "seed": seed,
                "conclusion": found["conclusion"],
                "near_copies": len(found["near_copies"]),
                "images": found["images"],
                "rows": [{"seed": seed, **row} for row in found["rows"]],
            }


def _provenance(record: StudyRecord) -> dict[str, Any]:
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    first = next(iter(record.datalists.values()))
    return {
        "package": __version__,
        "versions": {"python": platform.python_version(), **versions},
        "machine": _machine(),
        "key_fingerprint": first.split.key_fingerprint,
    }


def _machine() -> str:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, {gpu}"
