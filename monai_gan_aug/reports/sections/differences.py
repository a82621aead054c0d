"""Tables of paired differences: with p-values, split by split, and as claims after correction."""

from collections.abc import Sequence

from monai_gan_aug.records.results import Claim, Needed
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.table import Cell, Column, IntervalCell, Table, difference_cell
from monai_gan_aug.reports.wording import NO_VALUE, listing, metric_title, number

__all__ = [
    "NO_NUMBER",
    "claims_note",
    "claims_sentences",
    "claims_table",
    "comparisons_note",
    "comparisons_table",
    "splits_table",
]

NO_NUMBER = "no number would do"
SIGNIFICANT = 0.05


def comparisons_table(study: StudyRecord) -> Table:
    """Every paired difference with its interval, p-values and what it would take to know."""
    columns = (
        Column("Arm", "arm"),
        Column("Against", "control"),
        Column("Metric", "metric"),
        Column("Difference", "difference", signed=True),
        Column("p", "p_value"),
        Column("p, Holm", "p_holm"),
        Column("Smallest effect it could see", "minimum_detectable_effect"),
        Column("Seeds needed", "seeds_needed", digits=0),
        Column("Patients needed", "patients_needed", digits=0),
        Column("Planned", "primary"),
    )
    rows = tuple(
        (
            study.titles[c.arm],
            study.titles[c.control],
            metric_title(c.metric),
            difference_cell(c),
            c.p_value,
            c.p_holm,
            c.difference.minimum_detectable_effect,
            _needed(c.seeds_needed),
            _needed(c.patients_needed),
            "yes" if c.primary else "no",
        )
        for c in study.comparisons
    )
    return Table("comparisons", "Paired differences, arm minus control", columns, rows)


def comparisons_note(study: StudyRecord) -> str:
    """What the columns of :func:`comparisons_table` mean."""
    effect = number(study.verdict.relevant_effect)
    return (
        "p is two-sided and of one comparison alone; it is below 0.05 when the interval leaves out "
        "zero, and two repeats give none. Holm: corrected for the number of candidate arms, "
        "against the baseline. Seeds needed, or patients needed with these seeds: with so many an "
        f"effect of {effect} would be seen reliably in the next look, with how far the estimate "
        f"may be off; “{NO_NUMBER}” where none would do."
    )


def _needed(needed: Needed | None) -> Cell:
    return NO_NUMBER if needed is None else IntervalCell(needed.likely, needed.low, needed.high)


def splits_table(study: StudyRecord) -> Table:
    """The difference of every seed, with the p-values of tests that see this one split."""
    columns = (
        Column("Arm", "arm"),
        Column("Against", "control"),
        Column("Seed", "seed"),
        Column("Difference", "difference", signed=True),
        Column("p, DeLong (AUC)", "p_delong"),
        Column("p, McNemar (accuracy)", "p_mcnemar"),
    )
    rows: list[tuple[Cell, ...]] = []
    for c in study.comparisons:
        tests = {split.seed: (split.delong, split.mcnemar) for split in c.single_splits}
        for record, difference in zip(study.seeds, c.difference.per_seed, strict=True):
            names = (study.titles[c.arm], study.titles[c.control], str(record.seed))
            rows.append((*names, difference, *tests.get(record.seed, (None, None))))
    caption = "Differences of single splits; their tests take every image for a patient"
    return Table("splits", caption, columns, tuple(rows))


def claims_table(study: StudyRecord) -> Table:
    """What every candidate arm may claim after correction; without rows if there is none."""
    narrow = {claim.arm: claim for claim in study.corrected.verdict_controls}
    wide = {claim.arm: claim for claim in study.corrected.every_control}
    columns = (
        Column("Candidate", "arm"),
        Column(_heading("Beats the verdict\u2019s controls", narrow), "verdict_controls"),
        Column("p, Holm", "verdict_controls_holm"),
        Column(_heading("Beats every control", wide), "every_control"),
        Column("p, Holm", "every_control_holm"),
    )
    rows: list[tuple[Cell, ...]] = []
    for arm in dict.fromkeys((*narrow, *wide)):
        cells: list[Cell] = [study.titles[arm]]
        for claim in (narrow.get(arm), wide.get(arm)):
            cells += [NO_VALUE, None] if claim is None else [_word(claim), claim.holm]
        rows.append(tuple(cells))
    metric = metric_title(study.corrected.metric)
    return Table("claims", f"Claims in {metric} after correction", columns, tuple(rows))


def _heading(text: str, claims: dict[str, Claim]) -> str:
    count = max((len(claim.controls) for claim in claims.values()), default=0)
    return f"{text} ({count})"


def _word(claim: Claim) -> str:
    return "yes" if _holds(claim) else "not shown"


def _holds(claim: Claim) -> bool:
    return claim.holm < SIGNIFICANT


def claims_sentences(study: StudyRecord) -> tuple[str, ...]:
    """What may be claimed, in words: against the verdict's controls, and against every one."""
    if not study.corrected.verdict_controls:
        return ()
    groups: tuple[tuple[str, Sequence[Claim]], ...] = (
        ("every control of the verdict", study.corrected.verdict_controls),
        ("every control", study.corrected.every_control),
    )
    sentences = []
    for what, claims in groups:
        winners = [study.titles[claim.arm] for claim in claims if _holds(claim)]
        who = listing(f"“{name}”" for name in winners) if winners else "No candidate"
        verb = "beat" if len(winners) > 1 else "beats"
        sentences.append(f"{who} {verb} {what} after correction.")
    return tuple(sentences)


def claims_note(study: StudyRecord) -> str:
    """How claims are corrected."""
    return (
        "An arm beats several controls when it beats each of them. "
        f"Method: {study.corrected.method}"
    )
