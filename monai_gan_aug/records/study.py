"""``study.json``: what a benefit study found, refused when its parts do not fit together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.files import FileRecord
from monai_gan_aug.records.plan import PlanRecord
from monai_gan_aug.records.quality import QualityRow
from monai_gan_aug.records.results import (
    ArmMetrics,
    ArmResult,
    Comparison,
    Corrected,
    Estimate,
    ExternalResults,
    Results,
    SampleSizeEquivalent,
)
from monai_gan_aug.records.study_parts import (
    Cohort,
    Curves,
    Grid,
    PublishedTable,
    Recipe,
    SeedQuality,
    SeedRecord,
    SeedScreening,
    SeedSelection,
    StudyProvenance,
    SweepPoint,
    Timing,
)

__all__ = ["StudyRecord"]


@dataclass(frozen=True)
class StudyRecord(Results, FileRecord):
    """``study.json``.

    Args:
        arms: Every way the classifier was trained.
        comparisons: Paired differences.
        verdict: The answer.
        name: Short name.
        title: What the images and classes are.
        created: When, in ISO 8601.
        dataset: The whole pool.
        recipe: What was chosen before the first run.
        seeds: The repeats.
        plan: What was asked before anything was trained, later changes, and every look.
        corrected: What may be claimed after correction for looking often.
        provenance: What computed it.
        timing: Where the time went.
        curves: Everything drawn as a line.
        sample_size_equivalent: What arms are worth in real patients.
        quality: Image quality.
        screening: The copy screen.
        selection: What a choice among generated images kept and cost.
        grids: Pictures.
        sweep: The study repeated with fewer training patients.
        external: Test sets of other places.
        published: Numbers of a publication.
    """

    KIND = "the record of a study"
    SCHEMA = 3
    REMEDY = "run the study again: finished jobs are not repeated"
    MISSING = "run the study first, or name its study.json"

    arms: tuple[ArmResult, ...]
    name: str
    title: str
    created: str
    dataset: Cohort
    recipe: Recipe
    seeds: tuple[SeedRecord, ...]
    plan: PlanRecord
    corrected: Corrected
    provenance: StudyProvenance
    timing: Timing
    curves: Curves = field(default_factory=Curves)
    sample_size_equivalent: tuple[SampleSizeEquivalent, ...] = ()
    quality: tuple[SeedQuality, ...] = ()
    screening: tuple[SeedScreening, ...] = ()
    selection: tuple[SeedSelection, ...] = ()
    grids: tuple[Grid, ...] = ()
    sweep: tuple[SweepPoint, ...] = ()
    external: tuple[ExternalResults, ...] = ()
    published: PublishedTable | None = None

    @property
    def titles(self) -> dict[str, str]:
        """Title of every arm by its name."""
        return {arm.name: arm.title for arm in self.arms}

    @property
    def baseline(self) -> str:
        """Name of the control that every arm is read against, the first of the verdict's."""
        return self.verdict.controls[0]

    @property
    def has_patients(self) -> bool:
        """Whether patients could be told apart."""
        return self.dataset.grouping.strip().lower() != "none"

    @property
    def quality_rows(self) -> tuple[QualityRow, ...]:
        """Image quality of all repeats, one repeat after the other."""
        return tuple(row for part in self.quality for row in part.rows)

    def decisive(self) -> tuple[Comparison, ...]:
        """The comparisons the verdict rests on, one for each of its controls, in their order."""
        pairs = (self.difference(self.verdict.arm, control) for control in self.verdict.controls)
        return tuple(c for c in pairs if c is not None)

    def check(self) -> None:
        """Refuse parts that contradict each other, or quality numbers of different recipes.

        Raises:
            DataError: With what contradicts what.
        """
        _check_classes(self)
        _check_names(self)
        _check_intervals(self.arms, self.comparisons)
        _check_sweep(self)
        _check_external(self)
        _check_seeds(self)
        _check_curves(self)
        _check_recipes(self)


def _check_classes(study: StudyRecord) -> None:
    labels = study.dataset.labels
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise DataError(f"dataset.labels must be two or more different classes, got {labels}.")
    counts: dict[str, Mapping[str, int]] = {
        "dataset.images": study.dataset.images,
        "dataset.patients": study.dataset.patients,
    }
    for record in study.seeds:
        for what in ("images", "patients"):
            for split in ("training", "validation", "test"):
                place = f"seed {record.seed} {what}.{split}"
                counts[place] = (record.images if what == "images" else record.patients).of(split)
    for place, count in counts.items():
        _check_count(place, count, study)
    for arm in study.arms:
        shape = [len(row) for row in arm.confusion]
        if shape != [len(labels)] * len(labels):
            raise DataError(f"the confusion matrix of {arm.name} must have a row per class.")


def _check_count(place: str, count: Mapping[str, int], study: StudyRecord) -> None:
    labels = study.dataset.labels
    if set(count) != set(labels):
        raise DataError(f"{place} counts {sorted(count)}, the classes are {sorted(labels)}.")


def _check_names(study: StudyRecord) -> None:
    names = [arm.name for arm in study.arms]
    _refuse_repeated("arms", names)
    _refuse_repeated("comparisons", [(c.arm, c.control, c.metric) for c in study.comparisons])
    if not study.verdict.controls:
        raise DataError("verdict.controls is empty: name the control the verdict is against.")
    curves = study.curves
    used = {study.verdict.arm, *study.verdict.controls, *study.verdict.better}
    used.update(curves.roc, curves.precision_recall, curves.calibration)
    used.update(name for c in study.comparisons for name in (c.arm, c.control))
    used.update(curve.arm for curve in curves.classifier)
    used.update(row.arm for row in study.sample_size_equivalent)
    claims = (*study.corrected.verdict_controls, *study.corrected.every_control)
    used.update(name for claim in claims for name in (claim.arm, *claim.controls))
    if unknown := used - set(names):
        raise DataError(f"{sorted(unknown)} are not among the arms {names}.")
    shown = {grid.label for grid in study.grids}
    shown |= {row.label for row in study.quality_rows if row.label}
    shown |= {row.label for part in study.selection for row in part.classes}
    if foreign := shown - set(study.dataset.labels):
        raise DataError(
            f"pictures, quality or a selection of {sorted(foreign)}, which are not classes."
        )
    for arm in study.arms:
        if arm.metrics.get(study.verdict.metric) is None:
            raise DataError(f"{arm.name} has no {study.verdict.metric}, the metric of the verdict.")
    if len(study.decisive()) < len(study.verdict.controls):
        raise DataError("the verdict needs a comparison with an interval for each of its controls.")


def _refuse_repeated(what: str, items: Sequence[object]) -> None:
    if repeated := sorted({str(item) for item in items if items.count(item) > 1}):
        raise DataError(f"{what} {repeated} appear more than once.")


def _check_intervals(arms: Iterable[ArmMetrics], comparisons: Iterable[Comparison]) -> None:
    for arm in arms:
        for name, value in arm.metrics.items():
            if _upside_down(value):
                raise DataError(f"the interval of {arm.name} {name} is upside down.")
    for c in comparisons:
        if _upside_down(c.difference):
            raise DataError(f"the interval of {c.arm} against {c.control} is upside down.")


def _upside_down(value: Estimate) -> bool:
    """Whether the ends are in the wrong order, or there is only one."""
    if value.ends is None:
        return (value.lower, value.upper) != (None, None)
    lower, upper = value.ends
    return lower > upper


def _check_sweep(study: StudyRecord) -> None:
    _refuse_repeated("sizes of sweep", [p.training_patients_per_class for p in study.sweep])
    for point in study.sweep:
        place = f"sweep with {point.training_patients_per_class} patients"
        if point.training_patients_per_class < 1:
            raise DataError(f"{place}: a class needs at least one training patient.")
        _check_results(place, point, study)


def _check_results(place: str, results: Results, study: StudyRecord) -> None:
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
    if foreign := set(verdict.better) - names:
        raise DataError(f"{place}: {sorted(foreign)} are better, but not among the arms.")
    if any(results.difference(verdict.arm, c) is None for c in verdict.controls):
        raise DataError(f"{place} misses a comparison of its verdict.")
    if any(results.value(name) is None for name in names):
        raise DataError(f"{place} has an arm without {verdict.metric}.")
    _check_intervals(results.arms, results.comparisons)


def _check_external(study: StudyRecord) -> None:
    _check_external_sets("", study.external, study)
    sets = {place.name: (place.images, place.patients) for place in study.external}
    for point in study.sweep:
        place = f"sweep with {point.training_patients_per_class} patients"
        here = {other.name: (other.images, other.patients) for other in point.external}
        if here != sets:
            raise DataError(f"{place} has other external sets than the study.")
        _check_external_sets(f"{place}, ", point.external, study)


def _check_external_sets(prefix: str, sets: Iterable[ExternalResults], study: StudyRecord) -> None:
    sets = list(sets)
    _refuse_repeated(f"{prefix}external sets", [external.name for external in sets])
    for external in sets:
        place = f"{prefix}external {external.name}"
        images, patients = external.images, external.patients
        _check_count(f"{place} images", images, study)
        _check_count(f"{place} patients", patients, study)
        if any(not 1 <= patients[label] <= images[label] for label in images):
            raise DataError(f"{place} needs patients of every class, and no more than images.")
        _check_results(place, external, study)
        _check_repeats(external, len(study.seeds))


def _check_seeds(study: StudyRecord) -> None:
    seeds = [record.seed for record in study.seeds]
    if not seeds:
        raise DataError("seeds is empty: a study needs at least one repeat.")
    _refuse_repeated("seeds", seeds)
    used = {gan.seed for gan in study.curves.gan}
    used |= {classifier.seed for classifier in study.curves.classifier}
    used |= {part.seed for part in study.quality} | {part.seed for part in study.screening}
    used |= {part.seed for part in study.selection} | {grid.seed for grid in study.grids}
    if unknown := used - set(seeds):
        raise DataError(f"seeds {sorted(unknown)} have results but are not in seeds {seeds}.")
    _check_repeats(study, len(seeds))


def _check_repeats(results: Results, seeds: int) -> None:
    estimates = [value for arm in results.arms for value in arm.metrics.values()]
    for item in (*estimates, *(c.difference for c in results.comparisons)):
        if len(item.per_seed) != seeds:
            raise DataError(f"per_seed has {len(item.per_seed)} values for {seeds} seeds.")


def _check_curves(study: StudyRecord) -> None:
    curves = study.curves
    pairs = [(f"ROC curve of {arm}", curve.fpr, curve.tpr) for arm, curve in curves.roc.items()]
    pairs += [
        (f"precision-recall curve of {arm}", curve.recall, curve.precision)
        for arm, curve in curves.precision_recall.items()
    ]
    pairs += [
        (f"calibration curve of {arm}", curve.predicted, curve.observed)
        for arm, curve in curves.calibration.items()
    ]
    for what, across, up in pairs:
        if len(across) != len(up) or not all(0 <= value <= 1 for value in across + up):
            raise DataError(f"the {what} must pair values between 0 and 1.")
    for arm, bins in curves.calibration.items():
        if len(bins.count) != len(bins.predicted) or min(bins.count, default=1) < 1:
            raise DataError(f"the calibration curve of {arm} must count what is in each bin.")


def _check_recipes(study: StudyRecord) -> None:
    recipes: dict[str, dict[str, object]] = {}
    for row in study.quality_rows:
        recipe = {**row.method, "lower_is_better": row.lower_is_better}
        first = recipes.setdefault(row.metric, recipe)
        if recipe != first:
            differing = sorted(k for k in recipe | first if recipe.get(k) != first.get(k))
            raise DataError(
                f"quality rows of {row.metric} have different recipes ({', '.join(differing)}) "
                "and cannot stand in one table: measure all seeds again with one recipe."
            )
