"""Everything a report says, gathered once for every format it is written in."""

from dataclasses import dataclass
from pathlib import Path

from monai_gan_aug.records.results import Estimate
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections import (
    arms,
    curves,
    differences,
    external,
    forest,
    gan,
    plan,
    provenance,
    quality,
    scarcity,
)
from monai_gan_aug.reports.sections.caveats import reading_caveats
from monai_gan_aug.reports.sections.external import TestSet
from monai_gan_aug.reports.sections.pictures import GridPair, read_grid
from monai_gan_aug.reports.table import Table
from monai_gan_aug.reports.wording import (
    MANY_CLASSES,
    SCREEN_WARNING,
    count_range,
    interval,
    metric_title,
    number,
    percent,
)

__all__ = ["Contents", "Fact", "gather"]

LARGEST = 1.0  # no two arms can differ by more


@dataclass(frozen=True)
class Fact:
    """One number beside the verdict: what it is, the number, and what it depends on."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Contents:
    """The parts of a report.

    Args:
        study: The results.
        facts: Numbers beside the verdict.
        caveats: Sentences to read first, those of the data set before those of the results.
        tables: By name: cohort, plan, revisions, looks, arms, arms-more, comparisons, splits,
            claims, sweep, sweep-arms, sample-size-equivalent, external, external-arms,
            external-sweep, guards, quality, quality-by-class, screening, selection, published,
            confusion, seeds, recipe, software and timing; without rows when the study has none.
        drawings: SVG by name: forest, forest-compact, scarcity, roc, precision-recall,
            calibration, classifier, gan-0, gan-1, ...
        grids: Pictures of each class.
    """

    study: StudyRecord
    facts: tuple[Fact, ...]
    caveats: tuple[str, ...]
    tables: dict[str, Table]
    drawings: dict[str, str]
    grids: tuple[GridPair, ...]

    @property
    def overlap(self) -> str:
        """How far the training sets of the repeats are the same patients."""
        return plan.overlap_sentence(self.study.verdict.overlap)

    @property
    def changes(self) -> tuple[str, ...]:
        """What is other than it was planned before results were there."""
        return plan.changes(self.study.verdict)

    @property
    def claims(self) -> tuple[str, ...]:
        """What may be claimed after correction, in words."""
        return differences.claims_sentences(self.study)

    @property
    def comparisons_note(self) -> str:
        """What the columns of the table of differences mean."""
        return differences.comparisons_note(self.study)

    @property
    def claims_note(self) -> str:
        """How claims are corrected."""
        return differences.claims_note(self.study)

    @property
    def screen_caveat(self) -> str:
        """What a copy screen cannot say."""
        return self.study.screening[0].caveat if self.study.screening else SCREEN_WARNING

    @property
    def external(self) -> tuple[TestSet, ...]:
        """What stands in the report about every external test set."""
        return external.test_sets(self.study)

    @property
    def guards(self) -> str:
        """What the guards of GAN training said; empty without GAN runs."""
        return gan.guards_sentence(self.study)

    @property
    def shows_real(self) -> bool:
        """Whether any picture of real images is in the report."""
        return any(grid.real for grid in self.grids)


def gather(path: Path | str, *, include_real: bool = True) -> Contents:
    """Read a study and build every part of its report.

    Args:
        path: The ``study.json`` file; its pictures are looked up beside it.
        include_real: Whether real images of training patients may be shown.

    Raises:
        DataError: If the study or one of its pictures cannot be used.
    """
    study = StudyRecord.load(path)
    folder = Path(path).parent
    grids = tuple(read_grid(folder, grid, include_real=include_real) for grid in study.grids)
    shows_real = any(grid.real for grid in grids)
    built = (
        provenance.cohort_table(study),
        plan.plan_table(study),
        plan.revisions_table(study),
        plan.looks_table(study),
        arms.arms_table(study),
        arms.arms_table(study, more=True),
        differences.comparisons_table(study),
        differences.splits_table(study),
        differences.claims_table(study),
        scarcity.sweep_table(study),
        scarcity.sweep_arms_table(study),
        scarcity.equivalent_table(study),
        external.external_table(study),
        external.external_arms_table(study),
        external.external_sweep_table(study),
        gan.guards_table(study),
        quality.quality_table(study),
        quality.quality_table(study, by_class=True),
        quality.screening_table(study),
        quality.selection_table(study),
        arms.published_table(study),
        arms.confusion_table(study),
        provenance.seeds_table(study),
        provenance.recipe_table(study),
        provenance.software_table(study),
        provenance.timing_table(study),
    )
    return Contents(
        study=study,
        facts=_facts(study),
        caveats=study.dataset.caveats + reading_caveats(study, shows_real=shows_real),
        tables={table.name: table for table in built},
        drawings=_drawings(study),
        grids=grids,
    )


def _drawings(study: StudyRecord) -> dict[str, str]:
    drawings = {
        "forest": forest.forest_plot(study, forest.WIDE),
        "forest-compact": forest.forest_plot(study, forest.COMPACT),
    }
    if len(study.sweep) > 1:
        drawings["scarcity"] = scarcity.scarcity_figure(study)
    if study.curves.roc:
        drawings["roc"] = curves.roc_figure(study)
    if study.curves.precision_recall:
        drawings["precision-recall"] = curves.precision_recall_figure(study)
    if study.curves.calibration:
        drawings["calibration"] = curves.calibration_figure(study)
    if study.curves.classifier:
        drawings["classifier"] = arms.classifier_figure(study)
    for index, training in enumerate(study.curves.gan):
        drawings[f"gan-{index}"] = gan.gan_figure(training, index)
    return drawings


def _facts(study: StudyRecord) -> tuple[Fact, ...]:
    verdict = study.verdict
    facts = [
        Fact(
            f"{metric_title(verdict.metric)} against {study.titles[c.control]}",
            number(c.difference.mean, signed=True),
            _ends(c.difference, verdict.confidence),
        )
        for c in study.decisive()
    ]
    facts.append(_test_size(study))
    smallest = verdict.minimum_detectable_effect
    nothing = smallest is None or smallest >= LARGEST
    facts.append(
        Fact(
            "Smallest effect this study can see",
            "none, however large" if nothing else number(smallest),
            f"an effect of {number(verdict.relevant_effect)} or more would matter",
        )
    )
    return tuple(facts)


def _ends(difference: Estimate, confidence: float) -> str:
    if difference.ends is None:
        return "two repeats give no interval"
    return f"{percent(confidence)} interval {interval(*difference.ends, signed=True)}"


def _test_size(study: StudyRecord) -> Fact:
    unit = "patients" if study.has_patients else "images"
    tests = [
        (record.patients if study.has_patients else record.images).test for record in study.seeds
    ]
    per_class = {
        label: count_range(counts[label] for counts in tests) for label in study.dataset.labels
    }
    repeats = f"in each of {len(study.seeds)} repeats" if len(study.seeds) > 1 else "in one repeat"
    if len(per_class) <= MANY_CLASSES:
        value = " + ".join(per_class.values())
        return Fact(f"Test {unit}", value, f"{' + '.join(per_class)}, {repeats}")
    every = [counts[label] for counts in tests for label in per_class]
    detail = f"in each of {len(per_class)} classes, {repeats}"
    return Fact(f"Test {unit}", count_range(every), detail)
