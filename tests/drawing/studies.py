"""Whole studies as records, and as a folder with the pictures they name."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from monai_gan_aug.records.curves import ClassifierCurves, GanCurves, GuardEvent
from monai_gan_aug.records.plan import Plan, PlanRecord
from monai_gan_aug.records.quality import ClassSelection, QualityRow, SelectionCost
from monai_gan_aug.records.results import (
    ArmMetrics,
    ArmResult,
    Claim,
    Comparison,
    Corrected,
    Difference,
    Estimate,
    ExternalResults,
    Needed,
    SampleSizeEquivalent,
    SingleSplit,
    TrainingOverlap,
    Verdict,
)
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.records.study_parts import (
    Calibration,
    ClassifierTraining,
    Cohort,
    Curves,
    GanHashes,
    GanTraining,
    Grid,
    PrecisionRecall,
    Recipe,
    Roc,
    SeedQuality,
    SeedRecord,
    SeedScreening,
    SeedSelection,
    Splits,
    Stage,
    StudyProvenance,
    SweepPoint,
    Timing,
)
from tests.drawing.pictures import draw_grid

LABELS = ("NORMAL", "PNEUMONIA")
ARMS = (
    ("classical", "Real + classical augmentation", "control", 600, 0.905),
    ("classical_twice", "Real + classical, twice the steps", "control", 1200, 0.908),
    ("real", "Real without augmentation", "reference", 600, 0.872),
    ("real_plus_synthetic", "Real + synthetic, half of each batch", "candidate", 600, 0.917),
    ("warm_start", "Warm start on synthetic", "candidate", 600, 0.911),
    ("synthetic_only", "Synthetic only", "reference", 600, 0.861),
)
AREAS = {name: auc for name, *_, auc in ARMS}
CANDIDATES = tuple(name for name, _, role, *_ in ARMS if role == "candidate")
CONTROLS = ("classical", "classical_twice")
SEEDS = (0, 1, 2)
METRICS = ("auc", "average_precision", "balanced_accuracy", "sensitivity", "specificity", "brier")
PLACES = (("other_hospital", 0.06, "underpowered"), ("other_country", 0.11, "helps"))
METHOD = "Intersection-union tests with Holm's correction."


def draw_study() -> StudyRecord:
    """A study with the verdict "no relevant gain", without external sets, sweep or oracle arms."""
    comparisons = [
        draw_comparison(name, "classical", AREAS[name] - AREAS["classical"], 0.018)
        for name in AREAS
        if name != "classical"
    ]
    comparisons.append(draw_comparison("real_plus_synthetic", "classical_twice", 0.009, 0.02))
    return StudyRecord(
        name="xray",
        title="Paediatric chest X-ray, normal vs pneumonia",
        created="2026-11-21T01:02:03Z",
        dataset=Cohort(
            labels=LABELS,
            images={"NORMAL": 800, "PNEUMONIA": 1600},
            patients={"NORMAL": 410, "PNEUMONIA": 820},
            grouping="column patient_id",
            caveats=("One hospital, children aged one to five; labels by two readers.",),
        ),
        recipe=Recipe(
            preprocessing={"size": 64, "channels": 1, "fit": "letterbox", "windows": []},
            split={"training_patients_per_class": 60, "test_patients_per_class": 40},
            gan={"family": "dcgan", "max_epochs": 40},
            classifier={"network_name": "small_cnn", "total_steps": 600},
            metric="auc",
        ),
        seeds=tuple(draw_seed(seed) for seed in SEEDS),
        arms=tuple(draw_arm(name, auc) for name, auc in AREAS.items()),
        comparisons=tuple(comparisons),
        corrected=Corrected(METHOD, "auc", (), ()),
        verdict=Verdict(
            word="no relevant gain",
            sentence="“Real + synthetic” brings no relevant gain in AUC over “Real + classical”.",
            next_step="Next: nothing; the simpler arm does as well.",
            arm="real_plus_synthetic",
            controls=CONTROLS,
            better=(),
            metric="auc",
            relevant_effect=0.02,
            minimum_detectable_effect=0.026,
            confidence=0.9625,
            look=1,
            overlap=TrainingOverlap(0.15, (), 310),
        ),
        plan=draw_plan(),
        curves=Curves(
            roc={name: draw_roc(auc) for name, auc in AREAS.items()},
            gan=tuple(draw_gan(seed) for seed in SEEDS),
            classifier=tuple(
                draw_training(seed, name, 12 + position)
                for seed in SEEDS
                for position, name in enumerate(AREAS)
            ),
        ),
        quality=tuple(SeedQuality(seed, draw_quality(seed)) for seed in SEEDS),
        screening=tuple(draw_screening(seed) for seed in SEEDS),
        grids=tuple(
            Grid(0, label, f"figures/synthetic_0_{label}.png", f"figures/real_0_{label}.png")
            for label in LABELS
        ),
        provenance=StudyProvenance(
            package="0.1.0",
            versions={"torch": "2.8.0", "monai": "1.6.0"},
            machine="2 x Intel Xeon, no GPU",
            key_fingerprint="5f0e3c",
        ),
        timing=Timing((Stage("gan", 754.2), Stage("classifiers", 310.0)), 1064.2),
    )


def draw_full_study() -> StudyRecord:
    """A study with every part: claims, other sets, a sweep, all curves, alarms, a selection."""
    study = draw_study()
    study = replace(
        study,
        seeds=tuple(
            replace(record, gans=(*record.gans, draw_hashes("with unlabelled images", "e")))
            for record in study.seeds
        ),
        comparisons=tuple(_tested(c, i) for i, c in enumerate(study.comparisons)),
        arms=tuple(
            replace(arm, metrics={**arm.metrics, "ece": draw_estimate(0.05)}) for arm in study.arms
        ),
    )
    first, second, third = study.curves.gan
    unlabelled = replace(draw_gan(0), name="all classes, with unlabelled images", alarms=())
    recall = tuple(i / 50 for i in range(51))
    three = (*CONTROLS, "real_plus_synthetic")
    return replace(
        study,
        corrected=Corrected(
            METHOD,
            "auc",
            (
                Claim("real_plus_synthetic", CONTROLS, 0.012, 0.024),
                Claim("warm_start", CONTROLS, 0.3, 0.3),
            ),
            tuple(Claim(name, CONTROLS, 1.0, 1.0) for name in CANDIDATES),
        ),
        sample_size_equivalent=(
            SampleSizeEquivalent("real_plus_synthetic", "inside", 171.4, None, 412.0, (120, 480)),
            SampleSizeEquivalent("warm_start", "below", None, None, 151.0, (120, 480)),
        ),
        external=tuple(draw_external(study, *place) for place in PLACES),
        sweep=tuple(draw_sweep_point(study, *size) for size in ((10, 0.14), (25, 0.06), (60, 0.0))),
        selection=tuple(draw_selection(seed) for seed in SEEDS),
        curves=replace(
            study.curves,
            precision_recall={
                name: PrecisionRecall(
                    recall, tuple(1 - (0.25 + i / 30) * value**3 for value in recall)
                )
                for i, name in enumerate(three)
            },
            calibration={name: draw_calibration(0.05 + 0.04 * i) for i, name in enumerate(three)},
            gan=(
                replace(first, alarms=()),
                replace(
                    second,
                    alarms=(
                        GuardEvent("one_sided", 480),
                        GuardEvent("collapsed", 1100),
                        GuardEvent("gradient_exploded", 1400),
                        GuardEvent("rolled_back", 1400, 1200),
                    ),
                ),
                third,
                unlabelled,
            ),
        ),
    )


def draw_plan() -> PlanRecord:
    """A plan that was kept, with one look."""
    plan = Plan(
        "real_plus_synthetic", "classical", (), ("classical_twice",), "auc", 0.02, SEEDS, (60,)
    )
    look = "no relevant gain", "“Real + synthetic” brings no relevant gain."
    return PlanRecord("2026-11-20T01:02:03Z", plan).looked("a" * 64, "2026-11-21T01:02:03Z", *look)


def draw_estimate(mean: float) -> Estimate:
    """A mean over three seeds."""
    return Estimate(mean, mean - 0.03, mean + 0.025, (mean - 0.01, mean, mean + 0.01))


def draw_arm(name: str, auc: float) -> ArmResult:
    """One of :data:`ARMS` with this AUC and worse values in the other metrics."""
    title, role, steps = next((row[1], row[2], row[3]) for row in ARMS if row[0] == name)
    metrics = {metric: draw_estimate(auc - 0.02 * i) for i, metric in enumerate(METRICS)}
    return ArmResult(name, metrics, title, role, steps, ((101, 19), (22, 218)))


def draw_comparison(arm: str, control: str, mean: float, width: float) -> Comparison:
    """A paired difference in AUC; that of the verdict is the planned one."""
    per_seed = (mean - 0.006, mean + 0.001, mean + 0.005)
    return Comparison(
        arm=arm,
        control=control,
        metric="auc",
        difference=Difference(mean, mean - width, mean + width, per_seed, 0.026),
        primary=arm == "real_plus_synthetic",
        p_value=max(0.002, round(math.exp(-180 * abs(mean)), 4)),
        seeds_needed=None,
        patients_needed=None,
    )


def _tested(comparison: Comparison, position: int) -> Comparison:
    """A comparison with the tests of every split and a correction."""
    corrected = comparison.arm in CANDIDATES and comparison.control == "classical"
    return replace(
        comparison,
        seeds_needed=Needed(6, 9, None) if position % 2 else None,
        patients_needed=Needed(120, 180, 900) if position % 2 else None,
        p_holm=min(1.0, 2 * comparison.p_value) if corrected else None,
        single_splits=tuple(SingleSplit(s, 0.1 + 0.2 * s, 0.9 - 0.2 * s) for s in SEEDS),
    )


def draw_hashes(name: str, digit: str) -> GanHashes:
    """Hashes of one GAN, all of one digit."""
    return GanHashes(name, digit * 64, "c" * 64, "d" * 64)


def draw_seed(seed: int) -> SeedRecord:
    """Sixty training patients of each class, and some more test patients with every seed."""
    splits = Splits(
        training=dict.fromkeys(LABELS, 60),
        validation=dict.fromkeys(LABELS, 20),
        test={"NORMAL": 40, "PNEUMONIA": 80 + seed},
    )
    gans = (draw_hashes("all classes", str(seed)),)
    return SeedRecord(seed, str(seed) * 64, splits, splits, gans)


def draw_gan(seed: int) -> GanTraining:
    """A GAN that trains well; whether a guard spoke is not known."""
    steps = tuple(range(0, 2000, 4))
    noise = np.random.default_rng(seed).normal(0, 0.08, (4, len(steps)))
    decay = np.exp(-np.array(steps) / 500)
    curves = GanCurves(
        step=steps,
        g_loss=tuple((0.9 + 0.5 * (1 - decay) + noise[0]).tolist()),
        d_loss=tuple((1.1 + 0.3 * decay + noise[1]).tolist()),
        d_real=tuple((0.62 + 0.2 * decay + noise[2] / 2).tolist()),
        d_fake=tuple((0.38 - 0.2 * decay + noise[3] / 2).tolist()),
    )
    return GanTraining(seed, "all classes", curves)


def draw_training(seed: int, arm: str, pace: float) -> ClassifierTraining:
    """A loss that falls and a validation AUC that rises to a plateau."""
    fall = [math.exp(-i / pace) for i in range(60)]
    curves = ClassifierCurves(
        step=tuple(range(0, 600, 10)),
        loss=tuple(0.2 + 0.5 * part for part in fall),
        validation_auc=tuple(0.9 - 0.4 * part for part in fall),
    )
    return ClassifierTraining(seed, arm, curves)


def draw_roc(auc: float) -> Roc:
    """The curve of a power law with this area."""
    fpr = tuple(i / 60 for i in range(61))
    return Roc(fpr, tuple(x ** (1 / auc - 1) for x in fpr))


def draw_calibration(shift: float) -> Calibration:
    """Bins that promise too much here and too little there."""
    predicted = (0.04, 0.15, 0.26, 0.34, 0.45, 0.56, 0.65, 0.74, 0.86, 0.96)
    observed = tuple(min(1.0, max(0.0, p + shift * math.sin(6 * p))) for p in predicted)
    return Calibration(predicted, observed, (90, 40, 22, 15, 9, 12, 18, 30, 60, 160))


def draw_quality(seed: int) -> tuple[QualityRow, ...]:
    """KID of all classes together, and of each."""
    sizes = {"training": 120, "held_out": 60, "synthetic": 500}
    recipe: Mapping[str, object] = {"extractor": "small_cnn", **sizes}
    whole = QualityRow("kid", 0.061 + 0.01 * seed, 0.004, True, recipe)
    return (whole, *(replace(whole, label=label, value=0.09) for label in LABELS))


def draw_screening(seed: int) -> SeedScreening:
    """A screen that found nothing."""
    row = QualityRow(
        "membership_by_distance_pixels", 0.55, 0.5, True, {"space": "pixels"}, (0.46, 0.64)
    )
    return SeedScreening(
        seed=seed,
        caveat="A screen finds copies it knows how to look for; a clean result is no proof of "
        "privacy.",
        conclusion="no near copies among 500 images.",
        near_copies=0,
        images=500,
        recipe={"copy_ratio": 0.5},
        rows=(row,),
    )


def draw_selection(seed: int) -> SeedSelection:
    """Half of the images kept; with the second class there were too few to tell the cost."""
    cost = {
        "coverage": SelectionCost(0.55, 0.7, 0.15),
        "recall": SelectionCost(0.4, 0.5, 0.1),
    }
    return SeedSelection(
        seed,
        tuple(
            ClassSelection(label, 500, 260, 0.52, {"confidence": 260}, 0.91, 250, costs)
            for label, costs in zip(LABELS, (cost, {}), strict=True)
        ),
    )


def draw_sweep_point(study: StudyRecord, patients: int, loss: float) -> SweepPoint:
    """The study with fewer patients: values lower by ``loss``, those of candidates by less."""
    arms = tuple(
        draw_arm(name, auc - loss * (0.6 if name in CANDIDATES else 1))
        for name, auc in AREAS.items()
    )
    comparisons = tuple(
        _moved(c, c.difference.mean + loss / 4, upper=c.difference.upper + loss / 3)
        for c in study.comparisons
    )
    own = loss == 0.0
    return SweepPoint(
        arms=arms,
        comparisons=comparisons,
        verdict=replace(study.verdict, word="underpowered" if loss > 0.1 else "no relevant gain"),
        training_patients_per_class=patients,
        seeds=tuple(
            record
            if own
            else replace(record, split_sha256=f"{patients}{record.seed}".ljust(64, "0"))
            for record in study.seeds
        ),
        external=tuple(
            draw_external(study, name, loss + more, word) for name, more, word in PLACES
        ),
    )


def draw_external(study: StudyRecord, name: str, loss: float, word: Any) -> ExternalResults:
    """A set of another place: values lower by ``loss``, differences half of those at home."""
    comparisons = []
    for c in study.comparisons:
        half = c.difference.mean / 2
        width = abs(half) * 0.8 if word == "helps" else 0.031
        comparisons.append(_moved(c, half, half - width, half + width))
    return ExternalResults(
        name=name,
        images={"NORMAL": 150, "PNEUMONIA": 210},
        patients={"NORMAL": 70, "PNEUMONIA": 66},
        grouping="column patient_id",
        caveats=(f"{name}: adults; labels by a text search of reports.",),
        arms=tuple(ArmMetrics(n, draw_arm(n, auc - loss).metrics) for n, auc in AREAS.items()),
        comparisons=tuple(comparisons),
        verdict=replace(
            study.verdict,
            word=word,
            sentence=f"On {name}, the difference is half of that at home.",
            minimum_detectable_effect=0.041,
        ),
    )


def _moved(
    c: Comparison, mean: float, lower: float | None = None, upper: float | None = None
) -> Comparison:
    difference = replace(
        c.difference,
        mean=mean,
        lower=c.difference.lower if lower is None else lower,
        upper=c.difference.upper if upper is None else upper,
    )
    return replace(c, difference=difference)


def plain_study(study: StudyRecord) -> dict[str, Any]:
    """What stands in ``study.json``, as values that may be changed freely."""
    content: dict[str, Any] = json.loads(
        json.dumps({"schema": StudyRecord.SCHEMA, **study.to_dict()})
    )
    return content


def put_study(folder: Path, content: Mapping[str, Any]) -> Path:
    """Write ``content`` as ``study.json`` with a picture for each grid; return its path."""
    folder.mkdir(exist_ok=True)
    for seed, grid in enumerate(content.get("grids", [])):
        draw_grid(folder / grid["synthetic"], seed)
        if grid.get("real"):
            draw_grid(folder / grid["real"], seed + 100)
    path = folder / "study.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
