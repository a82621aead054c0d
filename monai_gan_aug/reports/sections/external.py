"""External test sets: whether what the study found is found on patients of another place."""

from dataclasses import dataclass

from monai_gan_aug.records.results import ExternalResults, Results, Verdict, Word
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections.scarcity import size_cells, size_columns
from monai_gan_aug.reports.table import Cell, Column, Table, difference_cell, estimate_cell
from monai_gan_aug.reports.wording import (
    MANY_CLASSES,
    count_range,
    lower_is_better,
    metric_title,
    percent,
)

__all__ = [
    "EXTERNAL_NOTE",
    "TestSet",
    "external_arms_table",
    "external_sweep_table",
    "external_table",
    "reading",
    "test_sets",
]

EXTERNAL_NOTE = (
    "The finished classifiers on images of other places; nothing was trained or tuned there. Each "
    "set is one more look at the same question. One other place is one sample of places: intervals "
    "speak of its patients and of trainings. Two verdicts with different words do not show that "
    "two places differ: compare the intervals."
)
OWN = "own test patients"
TRAVELS: dict[Word, dict[Word, str]] = {
    "helps": {
        "helps": "The gain is seen here as well.",
        "harms": f"What is a gain on the {OWN} is harm here.",
        "no relevant gain": "The gain is not seen here: none that matters over every control.",
        "underpowered": "Whether the gain travels stays open: this set cannot tell.",
    },
    "harms": {
        "helps": f"What is harm on the {OWN} is a gain here.",
        "harms": "The harm is seen here as well.",
        "no relevant gain": "The harm is not seen here.",
        "underpowered": "Whether the harm travels stays open: this set cannot tell.",
    },
}
SURPRISES: dict[Word, str] = {"helps": "A gain", "harms": "Harm"}


@dataclass(frozen=True)
class TestSet:
    """What a report says about one external test set.

    Args:
        name: Name of the set.
        counts: Images and patients of each class, in words.
        reading: Whether the study's finding is found here, in words.
        verdict: By the rule of the study, about the same arms.
        caveats: What must be said about the set.
        table: The arms of the verdict here, beside the study's own test patients.
    """

    __test__ = False  # no test of pytest

    name: str
    counts: str
    reading: str
    verdict: Verdict
    caveats: tuple[str, ...]
    table: Table


def test_sets(study: StudyRecord) -> tuple[TestSet, ...]:
    """Every external test set of a study, in its order."""
    return tuple(
        TestSet(
            name=place.name,
            counts=_counts(place),
            reading=reading(study.verdict.word, place.verdict.word),
            verdict=place.verdict,
            caveats=place.caveats,
            table=_beside(study, place, f"external-{index}"),
        )
        for index, place in enumerate(study.external)
    )


def reading(own: Word, here: Word) -> str:
    """Whether a finding travels, from the verdicts on the own test patients and on this set.

    Example:
        >>> reading("helps", "helps")
        'The gain is seen here as well.'
    """
    if own in TRAVELS:
        return TRAVELS[own][here]
    if here in SURPRISES:
        return f"{SURPRISES[here]} is seen here, but not on the {OWN}: take it as a hint."
    return f"No gain was shown on the {OWN}, and none is shown here."


def _counts(place: ExternalResults) -> str:
    parts = {"images": place.images}
    if place.grouping.strip().lower() != "none":
        parts["patients"] = place.patients
    if len(place.images) > MANY_CLASSES:
        ranges = (f"{count_range(part.values())} {what}" for what, part in parts.items())
        counts = f"{' of '.join(ranges)} in each of {len(place.images)} classes"
    else:
        counts = "; ".join(
            f"{label} {' of '.join(f'{part[label]} {what}' for what, part in parts.items())}"
            for label in place.images
        )
    return f"{counts}. Patients were told apart by: {place.grouping}."


def _beside(study: StudyRecord, place: ExternalResults, name: str) -> Table:
    """Baseline, arm of the verdict and other controls, on the own test patients and on this set."""
    verdict = study.verdict
    metric, arm = metric_title(verdict.metric), study.titles[verdict.arm]
    columns = (
        Column("Arm", "arm"),
        Column(f"{metric}, {OWN}", "own"),
        Column(f"{metric}, {place.name}", "external"),
        Column(f"Difference to it, {OWN}", "difference_own", signed=True),
        Column(f"Difference to it, {place.name}", "difference_external", signed=True),
    )
    places: tuple[Results, ...] = (study, place)
    rows = tuple(
        (
            study.titles[shown],
            *(estimate_cell(results.value(shown)) for results in places),
            *(difference_cell(results.difference(verdict.arm, shown)) for results in places),
        )
        for shown in dict.fromkeys((study.baseline, verdict.arm, *verdict.controls))
    )
    better = " Lower is better." if lower_is_better(verdict.metric) else ""
    caption = (
        f"{metric} with {percent(verdict.confidence)} interval.{better} "
        f"Difference: “{arm}” minus the arm of the row"
    )
    return Table(name, caption, columns, rows)


def external_table(study: StudyRecord) -> Table:
    """Every difference on external sets beside that on the own test patients."""
    metric = metric_title(study.verdict.metric)
    columns = (
        Column("Set", "set"),
        Column("Arm", "arm"),
        Column("Against", "control"),
        Column("Metric", "metric"),
        Column(f"Arm, {OWN}", "arm_own"),
        Column("Arm, this set", "arm_external"),
        Column(f"Against, {OWN}", "control_own"),
        Column("Against, this set", "control_external"),
        Column(f"Difference, {OWN}", "difference_own", signed=True),
        Column("Difference, this set", "difference_external", signed=True),
        Column("p, this set", "p_value_external"),
        Column("Planned", "primary"),
        Column("Verdict, this set", "verdict_external"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            place.name,
            study.titles[c.arm],
            study.titles[c.control],
            metric,
            *(
                estimate_cell(results.value(name))
                for name in (c.arm, c.control)
                for results in (study, place)
            ),
            difference_cell(study.difference(c.arm, c.control)),
            difference_cell(c),
            c.p_value,
            "yes" if c.primary else "no",
            place.verdict.word if c.arm == place.verdict.arm else "",
        )
        for place in study.external
        for c in place.comparisons
        if c.metric == study.verdict.metric
    )
    return Table("external", "Differences on other test sets", columns, rows)


def external_arms_table(study: StudyRecord) -> Table:
    """All metrics of all arms on every external set; the metric of the verdict comes first."""
    every = (metric for place in study.external for arm in place.arms for metric in arm.metrics)
    metrics = tuple(dict.fromkeys((study.verdict.metric, *every)))
    columns = (
        Column("Set", "set"),
        Column("Arm", "arm"),
        *(Column(metric_title(metric), metric) for metric in metrics),
    )
    rows = tuple(
        (
            place.name,
            study.titles[arm.name],
            *(estimate_cell(arm.metrics.get(metric)) for metric in metrics),
        )
        for place in study.external
        for arm in place.arms
    )
    caption = "All arms on other test sets: mean over seeds, with interval"
    return Table("external-arms", caption, columns, rows)


def external_sweep_table(study: StudyRecord) -> Table:
    """Baseline, differences and word on every external set, by number of training patients."""
    rows = tuple(
        (place.name, *size_cells(study, point.training_patients_per_class, place))
        for name in (whole.name for whole in study.external)
        for point in study.sweep
        for place in point.external
        if place.name == name
    )
    caption = "Other test sets, with fewer training patients"
    columns = (Column("Set", "set"), *size_columns(study))
    return Table("external-sweep", caption, columns, rows)
