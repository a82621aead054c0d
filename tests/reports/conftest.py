"""A synthetic study on disk: every part of ``study.json`` filled, pictures drawn."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.reports.html import StudyReport

LABELS = ("NORMAL", "PNEUMONIA")
ARMS = (
    ("classical", "Real + classical augmentation", "control", 600, 0.905),
    ("classical_twice", "Real + classical, twice the steps", "control", 1200, 0.908),
    ("real", "Real without augmentation", "reference", 600, 0.872),
    ("real_plus_synthetic", "Real + synthetic, half of each batch", "candidate", 600, 0.917),
    ("warm_start", "Warm start on synthetic", "candidate", 600, 0.911),
    ("synthetic_only", "Synthetic only", "reference", 600, 0.861),
)
SEEDS = (0, 1, 2)
PLACES = (("other_hospital", 0.06, "underpowered"), ("other_country", 0.11, "helps"))
METRICS = ("auc", "average_precision", "balanced_accuracy", "sensitivity", "specificity", "brier")


def _arm(name: str, title: str, role: str, steps: int, auc: float) -> dict[str, Any]:
    def estimate(mean: float) -> dict[str, Any]:
        per_seed = [mean - 0.01, mean, mean + 0.01]
        return {"mean": mean, "lower": mean - 0.03, "upper": mean + 0.025, "per_seed": per_seed}

    metrics = {metric: estimate(auc - 0.02 * i) for i, metric in enumerate(METRICS)}
    confusion = [[101, 19], [22, 218]]
    return {
        "name": name,
        "title": title,
        "role": role,
        "steps": steps,
        "metrics": metrics,
        "confusion": confusion,
    }


def _comparison(arm: str, control: str, difference: float, width: float) -> dict[str, Any]:
    return {
        "arm": arm,
        "control": control,
        "metric": "auc",
        "difference": difference,
        "lower": difference - width,
        "upper": difference + width,
        "per_seed": [difference - 0.006, difference + 0.001, difference + 0.005],
        "primary": arm == "real_plus_synthetic",
    }


def _gan(seed: int) -> dict[str, Any]:
    steps = list(range(0, 2000, 4))
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.08, (4, len(steps)))
    decay = [math.exp(-step / 500) for step in steps]
    return {
        "seed": seed,
        "name": "all classes",
        "step": steps,
        "g_loss": [0.9 + 0.5 * (1 - d) + n for d, n in zip(decay, noise[0], strict=True)],
        "d_loss": [1.1 + 0.3 * d + n for d, n in zip(decay, noise[1], strict=True)],
        "d_real": [0.62 + 0.2 * d + n / 2 for d, n in zip(decay, noise[2], strict=True)],
        "d_fake": [0.38 - 0.2 * d + n / 2 for d, n in zip(decay, noise[3], strict=True)],
    }


def _roc(auc: float) -> dict[str, list[float]]:
    fpr = [i / 60 for i in range(61)]
    return {"fpr": fpr, "tpr": [x ** (1 / auc - 1) for x in fpr]}


def _seed(seed: int) -> dict[str, Any]:
    splits = {
        "training": dict.fromkeys(LABELS, 60),
        "validation": dict.fromkeys(LABELS, 20),
        "test": {"NORMAL": 40, "PNEUMONIA": 80 + seed},
    }
    return {
        "seed": seed,
        "split_sha256": f"{seed}" * 64,
        "checkpoint_sha256": ["c" * 64],
        "synthetic_sha256": ["d" * 64],
        "images": splits,
        "patients": splits,
    }


def _screening(seed: int) -> dict[str, Any]:
    row = {
        "seed": seed,
        "metric": "membership_by_distance_pixels",
        "value": 0.55,
        "real_versus_real": 0.5,
        "lower_is_better": True,
        "interval": [0.46, 0.64],
        "recipe": {"space": "pixels"},
    }
    conclusion = "no near copies among 500 images."
    return {
        "seed": seed,
        "conclusion": conclusion,
        "near_copies": 0,
        "images": 500,
        "rows": [row],
    }


def build_study() -> dict[str, Any]:
    """A complete, valid ``study.json`` with the verdict "no evidence"."""
    auc = {arm[0]: arm[4] for arm in ARMS}
    comparisons = [
        _comparison(name, "classical", auc[name] - auc["classical"], 0.018)
        for name in auc
        if name != "classical"
    ]
    comparisons.append(_comparison("real_plus_synthetic", "classical_twice", 0.009, 0.02))
    quality = [
        {
            "seed": seed,
            "metric": "kid",
            "value": 0.061 + 0.01 * seed,
            "real_versus_real": 0.004,
            "lower_is_better": True,
            "recipe": {"extractor": "small_cnn", "training": 120, "held_out": 60, "synthetic": 500},
        }
        for seed in SEEDS
    ]
    quality += [dict(row, label=label, value=0.09) for row in quality for label in LABELS]
    return {
        "schema": 1,
        "name": "xray",
        "title": "Paediatric chest X-ray, normal vs pneumonia",
        "created": "2026-11-21T01:02:03Z",
        "dataset": {
            "labels": list(LABELS),
            "images": {"NORMAL": 800, "PNEUMONIA": 1600},
            "patients": {"NORMAL": 410, "PNEUMONIA": 820},
            "grouping": "column patient_id",
            "caveats": ["One hospital, children aged one to five; labels by two readers."],
        },
        "recipe": {
            "preprocessing": {"size": 64, "channels": 1, "fit": "letterbox", "windows": []},
            "gan": {"family": "dcgan", "max_epochs": 40},
            "classifier": {"network_name": "small_cnn", "total_steps": 600},
            "metric": "auc",
        },
        "seeds": [_seed(seed) for seed in SEEDS],
        "arms": [_arm(*arm) for arm in ARMS],
        "comparisons": comparisons,
        "verdict": {
            "word": "no evidence",
            "sentence": "Adding synthetic images changed the AUC by +0.012 [-0.006, +0.030]: "
            "these data do not show that they help.",
            "arm": "real_plus_synthetic",
            "controls": ["classical", "classical_twice"],
            "metric": "auc",
            "relevant_effect": 0.02,
            "minimum_detectable_effect": 0.026,
        },
        "curves": {
            "roc": {name: _roc(value) for name, value in auc.items()},
            "gan": [_gan(seed) for seed in SEEDS],
            "classifier": [
                {
                    "seed": seed,
                    "arm": name,
                    "step": list(range(0, 600, 10)),
                    "loss": [0.2 + 0.5 * math.exp(-i / (12 + n)) for i in range(60)],
                }
                for seed in SEEDS
                for n, name in enumerate(auc)
            ],
        },
        "quality": quality,
        "screening": [_screening(seed) for seed in SEEDS],
        "grids": [
            {
                "seed": 0,
                "label": label,
                "real": f"figures/real_0_{label}.png",
                "synthetic": f"figures/synthetic_0_{label}.png",
            }
            for label in LABELS
        ],
        "provenance": {
            "package": "0.1.0",
            "versions": {"torch": "2.8.0", "monai": "1.6.0"},
            "machine": "2 x Intel Xeon, no GPU",
            "key_fingerprint": "5f0e3c",
        },
        "timing": {
            "stages": [{"name": "gan", "seconds": 754.2}, {"name": "classifiers", "seconds": 310}],
            "total_seconds": 1064.2,
        },
    }


def _more(comparison: dict[str, Any], control_size: int) -> dict[str, Any]:
    """A comparison as records of this version write it."""
    gap = abs(comparison["difference"])
    return comparison | {
        "p_value": max(0.002, round(math.exp(-180 * gap), 4)),
        "minimum_detectable_effect": 0.026,
        "patients_needed": 180 if control_size % 2 else None,
        "single_splits": [
            {"seed": seed, "delong": 0.1 + 0.2 * seed, "mcnemar": 0.9 - 0.2 * seed}
            for seed in SEEDS
        ],
    }


def _sweep_point(study: dict[str, Any], patients: int, loss: float) -> dict[str, Any]:
    arms = [
        _arm(name, title, role, steps, auc - loss * (0.6 if role == "candidate" else 1))
        for name, title, role, steps, auc in ARMS
    ]
    comparisons = [
        c | {"difference": c["difference"] + loss / 4, "upper": c["upper"] + loss / 3}
        for c in study["comparisons"]
    ]
    verdict = study["verdict"] | {"word": "underpowered" if loss > 0.1 else "no evidence"}
    return {
        "training_patients_per_class": patients,
        "arms": arms,
        "comparisons": comparisons,
        "verdict": verdict,
        "external": [_external(study, name, loss + more, word) for name, more, word in PLACES],
    }


def _calibration(shift: float) -> dict[str, Any]:
    predicted = [0.04, 0.15, 0.26, 0.34, 0.45, 0.56, 0.65, 0.74, 0.86, 0.96]
    observed = [min(1.0, max(0.0, p + shift * math.sin(6 * p))) for p in predicted]
    return {
        "predicted": predicted,
        "observed": observed,
        "count": [90, 40, 22, 15, 9, 12, 18, 30, 60, 160],
    }


def _external(study: dict[str, Any], name: str, loss: float, word: str) -> dict[str, Any]:
    """A set of another place: values lower by ``loss``, differences half of those at home."""
    arms = [_arm(*arm[:4], arm[4] - loss) for arm in ARMS]
    comparisons = []
    for c in study["comparisons"]:
        half = c["difference"] / 2
        width = abs(half) * 0.8 if word == "helps" else 0.031
        ends = {"difference": half, "lower": half - width, "upper": half + width}
        comparisons.append(c | ends)
    return {
        "name": name,
        "images": {"NORMAL": 150, "PNEUMONIA": 210},
        "patients": {"NORMAL": 70, "PNEUMONIA": 66},
        "grouping": "column patient_id",
        "caveats": [f"{name}: adults; labels by a text search of reports."],
        "arms": [{"name": arm["name"], "metrics": arm["metrics"]} for arm in arms],
        "comparisons": comparisons,
        "verdict": study["verdict"]
        | {
            "word": word,
            "sentence": f"On {name}, the difference is half of that at home.",
            "minimum_detectable_effect": 0.041,
        },
    }


def build_full_study() -> dict[str, Any]:
    """A study of this version: p-values, claims, other sets, a sweep, all curves, alarms."""
    study = build_study()
    study["comparisons"] = [_more(c, i) for i, c in enumerate(study["comparisons"])]
    candidates = [name for name, _, role, *_ in ARMS if role == "candidate"]
    for c in study["comparisons"]:
        if c["arm"] in candidates and c["control"] == "classical":
            c["p_holm"] = min(1.0, 2 * c["p_value"])
    controls = ["classical", "classical_twice"]
    study["corrected"] = {
        "method": "Intersection-union tests with Holm's correction.",
        "metric": "auc",
        "verdict_controls": [
            {"arm": "real_plus_synthetic", "controls": controls, "p_value": 0.012, "holm": 0.024},
            {"arm": "warm_start", "controls": controls, "p_value": 0.3, "holm": 0.3},
        ],
        "every_control": [
            {"arm": name, "controls": [*controls], "p_value": 1.0, "holm": 1.0}
            for name in candidates
        ],
    }
    study["exchange"] = [
        {
            "arm": "real_plus_synthetic",
            "where": "inside",
            "patients": 171.4,
            "lower": None,
            "upper": 412.0,
            "measured": [120, 480],
        },
        {
            "arm": "warm_start",
            "where": "below",
            "patients": None,
            "lower": None,
            "upper": 151.0,
            "measured": [120, 480],
        },
    ]
    study["external"] = [_external(study, name, loss, word) for name, loss, word in PLACES]
    study["sweep"] = [
        _sweep_point(study, patients, loss)
        for patients, loss in ((10, 0.14), (25, 0.06), (60, 0.0))
    ]
    three = ("classical", "classical_twice", "real_plus_synthetic")
    recall = [i / 50 for i in range(51)]
    study["curves"]["precision_recall"] = {
        name: {"recall": recall, "precision": [1 - (0.25 + i / 30) * r**3 for r in recall]}
        for i, name in enumerate(three)
    }
    study["curves"]["calibration"] = {
        name: _calibration(0.05 + 0.04 * i) for i, name in enumerate(three)
    }
    for arm in study["arms"]:
        arm["metrics"]["ece"] = dict(arm["metrics"]["brier"], mean=0.05, lower=0.03, upper=0.08)
    first, second, third = study["curves"]["gan"]
    first["events"] = []
    second["events"] = [
        {"kind": "one_sided", "step": 480, "back_to": None},
        {"kind": "collapsed", "step": 1100, "back_to": None},
        {"kind": "gradient_exploded", "step": 1400, "back_to": None},
        {"kind": "rolled_back", "step": 1400, "back_to": 1200},
    ]
    third["events"] = None
    return study


def draw_picture(path: Path, seed: int = 0) -> None:
    """A grid of noisy discs, 4 x 3 tiles of 32 pixels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :128] % 32 - 15.5
    pixels = 200 - 8 * np.hypot(x, y) + rng.normal(0, 15, (96, 128))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


def put_study(folder: Path, content: dict[str, Any]) -> Path:
    """Write ``content`` as ``study.json`` with a picture for each grid; return its path."""
    folder.mkdir(exist_ok=True)
    for seed, grid in enumerate(content.get("grids", [])):
        draw_picture(folder / grid["synthetic"], seed)
        if grid.get("real"):
            draw_picture(folder / grid["real"], seed + 100)
    path = folder / "study.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def study() -> dict[str, Any]:
    """The content of a valid ``study.json``, to be changed freely."""
    return build_study()


@pytest.fixture
def full_study() -> dict[str, Any]:
    """The content of a ``study.json`` with every part this version writes."""
    return build_full_study()


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[[Any], Path]:
    """Write a study and its pictures into a fresh folder."""

    return lambda content: put_study(tmp_path / "study", content)


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the unchanged study, written once: look, do not touch."""
    return StudyReport(put_study(tmp_path_factory.mktemp("study"), build_study())).write()


@pytest.fixture(scope="session")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the study with every part, written once: look, do not touch."""
    return StudyReport(put_study(tmp_path_factory.mktemp("full"), build_full_study())).write()
