"""``study.json`` read, and refused when its parts do not fit together."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.parsing import parse
from monai_gan_aug.records.results import Comparison, ExternalSet, Measured, Results
from monai_gan_aug.records.study import SCHEMA, Study

__all__ = ["read_study"]


def read_study(path: Path | str) -> Study:
    """Read and check the results of a study.

    Args:
        path: The ``study.json`` file.

    Raises:
        DataError: If the file is missing, is not JSON, breaks the schema, contradicts itself, or
            holds quality numbers of different recipes under one metric.
    """
    path = Path(path)
    content = _load(path)
    version = content.get("schema") if isinstance(content, dict) else None
    if version != SCHEMA:
        raise DataError(
            f"{path.name} has schema {version!r}, this version reads {SCHEMA}: "
            "run the study again, or report it with the version that wrote it."
        )
    study: Study = parse(Study, content, path.name)
    try:
        _check_classes(study)
        _check_names(study)
        _check_intervals(study.arms, study.comparisons)
        _check_sweep(study)
        _check_external(study)
        _check_seeds(study)
        _check_curves(study)
        _check_recipes(study)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    return study


def _load(path: Path) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number in JSON")

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except FileNotFoundError:
        reason = "does not exist: run the study first, or name its study.json"
    except IsADirectoryError:
        reason = "is a folder: name the study.json in it"
    except OSError as error:
        reason = f"cannot be read ({error.strerror}): check its permissions"
    except (ValueError, RecursionError) as error:
        reason = f"is not a JSON file ({error}): run the study again to rewrite it"
    raise DataError(f"{path.name} {reason}.")


def _check_classes(study: Study) -> None:
    labels = study.dataset.labels
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise DataError(f"dataset.labels must be two or more different classes, got {labels}.")
    counts = {"dataset.images": study.dataset.images, "dataset.patients": study.dataset.patients}
    for record in study.seeds:
        for what in ("images", "patients"):
            for split in ("training", "validation", "test"):
                place = f"seed {record.seed} {what}.{split}"
                counts[place] = getattr(getattr(record, what), split)
    for place, count in counts.items():
        _check_count(place, count, study)
    for arm in study.arms:
        shape = [len(row) for row in arm.confusion or ()]
        if arm.confusion is not None and shape != [len(labels)] * len(labels):
            raise DataError(f"the confusion matrix of {arm.name} must have a row per class.")


def _check_count(place: str, count: dict[str, int], study: Study) -> None:
    labels = study.dataset.labels
    if set(count) != set(labels):
        raise DataError(f"{place} counts {sorted(count)}, the classes are {sorted(labels)}.")


def _check_names(study: Study) -> None:
    names = [arm.name for arm in study.arms]
    _refuse_repeated("arms", names)
    _refuse_repeated("comparisons", [(c.arm, c.control, c.metric) for c in study.comparisons])
    if not study.verdict.controls:
        raise DataError("verdict.controls is empty: name the control the verdict is against.")
    curves = study.curves
    used = {study.verdict.arm, *study.verdict.controls}
    used.update(curves.roc, curves.precision_recall, curves.calibration)
    used.update(name for c in study.comparisons for name in (c.arm, c.control))
    used.update(curve.arm for curve in curves.classifier)
    used.update(row.arm for row in study.exchange)
    if study.corrected is not None:
        claims = (*study.corrected.verdict_controls, *study.corrected.every_control)
        used.update(name for claim in claims for name in (claim.arm, *claim.controls))
    if unknown := used - set(names):
        raise DataError(f"{sorted(unknown)} are not among the arms {names}.")
    shown = {grid.label for grid in study.grids} | {row.label for row in study.quality if row.label}
    if foreign := shown - set(study.dataset.labels):
        raise DataError(f"pictures or quality of {sorted(foreign)}, which are not classes.")
    for arm in study.arms:
        if arm.metrics.get(study.verdict.metric) is None:
            raise DataError(f"{arm.name} has no {study.verdict.metric}, the metric of the verdict.")
    if len(study.decisive()) < len(study.verdict.controls):
        raise DataError("the verdict needs a comparison with an interval for each of its controls.")


def _refuse_repeated(what: str, items: list[Any]) -> None:
    if repeated := sorted({str(item) for item in items if items.count(item) > 1}):
        raise DataError(f"{what} {repeated} appear more than once.")


def _check_intervals(arms: Iterable[Measured], comparisons: Iterable[Comparison]) -> None:
    for arm in arms:
        for name, value in arm.metrics.items():
            if value is not None and value.lower > value.upper:
                raise DataError(f"the interval of {arm.name} {name} is upside down.")
    for c in comparisons:
        if c.lower > c.upper:
            raise DataError(f"the interval of {c.arm} against {c.control} is upside down.")


def _check_sweep(study: Study) -> None:
    _refuse_repeated("sizes of sweep", [p.training_patients_per_class for p in study.sweep])
    for point in study.sweep:
        place = f"sweep with {point.training_patients_per_class} patients"
        if point.training_patients_per_class < 1:
            raise DataError(f"{place}: a class needs at least one training patient.")
        _check_results(place, point, study)


def _check_results(place: str, results: Results, study: Study) -> None:
    """Refuse results of the arms of ``study`` that do not answer its question."""
    names = {arm.name for arm in study.arms}
    asked = (study.verdict.arm, study.verdict.controls, study.verdict.metric)
    verdict = results.verdict
    _refuse_repeated(f"{place}: arms", [arm.name for arm in results.arms])
    if foreign := {arm.name for arm in results.arms} ^ names:
        raise DataError(f"{place} has other arms than the study: {sorted(foreign)}.")
    if unknown := {name for c in results.comparisons for name in (c.arm, c.control)} - names:
        raise DataError(f"{place}: {sorted(unknown)} are not among the arms {sorted(names)}.")
    if (verdict.arm, verdict.controls, verdict.metric) != asked:
        raise DataError(f"{place} has a verdict about something else than the study's.")
    if any(results.difference(verdict.arm, c) is None for c in verdict.controls):
        raise DataError(f"{place} misses a comparison of its verdict.")
    if any(results.value(name) is None for name in names):
        raise DataError(f"{place} has an arm without {verdict.metric}.")
    _check_intervals(results.arms, results.comparisons)


def _check_external(study: Study) -> None:
    _check_external_sets("", study.external, study)
    sets = {one.name: (one.images, one.patients) for one in study.external}
    for point in study.sweep:
        place = f"sweep with {point.training_patients_per_class} patients"
        if {one.name: (one.images, one.patients) for one in point.external} != sets:
            raise DataError(f"{place} has other external sets than the study.")
        _check_external_sets(f"{place}, ", point.external, study)


def _check_external_sets(prefix: str, sets: Iterable[ExternalSet], study: Study) -> None:
    sets = list(sets)
    _refuse_repeated(f"{prefix}external sets", [one.name for one in sets])
    for one in sets:
        place = f"{prefix}external {one.name}"
        _check_count(f"{place} images", one.images, study)
        _check_count(f"{place} patients", one.patients, study)
        if any(not 1 <= one.patients[label] <= one.images[label] for label in one.images):
            raise DataError(f"{place} needs patients of every class, and no more than images.")
        _check_results(place, one, study)
        _check_repeats(one, len(study.seeds))


def _check_seeds(study: Study) -> None:
    seeds = [record.seed for record in study.seeds]
    if not seeds:
        raise DataError("seeds is empty: a study needs at least one repeat.")
    _refuse_repeated("seeds", seeds)
    parts: Iterable[Any] = (
        *study.curves.gan,
        *study.curves.classifier,
        *study.quality,
        *study.grids,
    )
    if unknown := {part.seed for part in parts} - set(seeds):
        raise DataError(f"seeds {sorted(unknown)} have results but are not in seeds {seeds}.")
    _check_repeats(study, len(seeds))


def _check_repeats(results: Results, seeds: int) -> None:
    estimates = [value for arm in results.arms for value in arm.metrics.values() if value]
    repeats = [item.per_seed for item in estimates] + [c.per_seed for c in results.comparisons]
    for values in repeats:
        if values and len(values) != seeds:
            raise DataError(f"per_seed has {len(values)} values for {seeds} seeds.")


def _check_curves(study: Study) -> None:
    curves = study.curves
    pairs = [(f"ROC curve of {name}", one.fpr, one.tpr) for name, one in curves.roc.items()]
    pairs += [
        (f"precision-recall curve of {name}", one.recall, one.precision)
        for name, one in curves.precision_recall.items()
    ]
    pairs += [
        (f"calibration curve of {name}", one.predicted, one.observed)
        for name, one in curves.calibration.items()
    ]
    for what, across, up in pairs:
        if len(across) != len(up) or not all(0 <= value <= 1 for value in across + up):
            raise DataError(f"the {what} must pair values between 0 and 1.")
    for name, one in curves.calibration.items():
        if len(one.count) != len(one.predicted) or min(one.count, default=1) < 1:
            raise DataError(f"the calibration curve of {name} must count what is in each bin.")
    for gan in study.curves.gan:
        lengths = {len(s) for s in (gan.step, gan.g_loss, gan.d_loss, gan.d_real, gan.d_fake)}
        if len(lengths) > 1:
            raise DataError(f"the GAN curves of {gan.name}, seed {gan.seed}, differ in length.")
    for curve in study.curves.classifier:
        if len(curve.step) != len(curve.loss):
            raise DataError(f"the loss curve of {curve.arm}, seed {curve.seed}, misses values.")


def _check_recipes(study: Study) -> None:
    recipes: dict[str, dict[str, Any]] = {}
    for row in study.quality:
        recipe = {**row.method, "lower_is_better": row.lower_is_better}
        first = recipes.setdefault(row.metric, recipe)
        if recipe != first:
            differing = sorted(k for k in recipe | first if recipe.get(k) != first.get(k))
            raise DataError(
                f"quality rows of {row.metric} have different recipes ({', '.join(differing)}) "
                "and cannot stand in one table: measure all seeds again with one recipe."
            )
