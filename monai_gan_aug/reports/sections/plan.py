"""What was planned before anything was trained, what was changed, and every look at results."""

from monai_gan_aug.records.results import TrainingOverlap, Verdict
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.table import Column, Table
from monai_gan_aug.reports.wording import listing

__all__ = ["changes", "looks_table", "overlap_sentence", "plan_table", "revisions_table"]


def plan_table(study: StudyRecord) -> Table:
    """The plan made before any result was there, beside what was done."""
    planned, done = study.plan.planned.in_words(), study.plan.plan.in_words()
    columns = (
        Column("Part of the question", "part"),
        Column("Planned", "planned"),
        Column("Done", "done"),
    )
    rows = tuple((part.removeprefix("the "), text, done[part]) for part, text in planned.items())
    when = "when results were there" if study.plan.after_results else "before results"
    return Table("plan", f"Planned {when}, {study.plan.created}, and done", columns, rows)


def revisions_table(study: StudyRecord) -> Table:
    """Every change of the plan, with its time; without rows if there was none."""
    columns = (
        Column("Time", "time"),
        Column("Change", "change"),
        Column("Results were there", "after_results"),
    )
    rows = []
    before = study.plan.first
    for revision in study.plan.revisions:
        seen = "yes" if revision.after_results else "no"
        rows += [(revision.time, change, seen) for change in before.changes(revision.plan)]
        before = revision.plan
    return Table("revisions", "Changes of the plan", columns, tuple(rows))


def looks_table(study: StudyRecord) -> Table:
    """Every look at results, with its time and word, this one included."""
    columns = (
        Column("Look", "look"),
        Column("Time", "time"),
        Column("Arm", "arm"),
        Column("Seeds", "seeds"),
        Column("Word", "word"),
        Column("Sentence", "sentence"),
    )
    rows = tuple(
        (
            str(look.number),
            look.time,
            study.titles.get(look.plan.arm, look.plan.arm),
            look.plan.in_words()["the seeds"],
            look.word,
            look.sentence,
        )
        for look in study.plan.looks
    )
    return Table("looks", "Looks at results, which share one error budget", columns, rows)


def changes(verdict: Verdict) -> tuple[str, ...]:
    """Sentences on what was changed after results were seen, and on seeds that are left out."""
    sentences = [f"Changed after results were seen: {change}." for change in verdict.changes]
    if verdict.unused_seeds:
        seeds = listing(str(seed) for seed in verdict.unused_seeds)
        plural = "s" * (len(verdict.unused_seeds) > 1)
        sentences.append(f"Seed{plural} {seeds} have results on disk that are not used here.")
    return tuple(sentences)


def overlap_sentence(overlap: TrainingOverlap) -> str:
    """How far the training sets of the repeats are the same patients, and what that means.

    Example:
        >>> overlap_sentence(TrainingOverlap(0.0, (), 60))
        'No two repeats share a training patient.'
    """
    varied = (
        f"Two repeats share {overlap.share:.0%} of their training patients on average; the "
        "intervals count that."
    )
    fixed = (
        f"The training patients of {listing(overlap.fixed)} are nearly the same at every repeat: "
        f"the luck of drawing these {overlap.patients} patients is in no interval."
        if overlap.fixed
        else ""
    )
    if not overlap.share:
        return fixed or "No two repeats share a training patient."
    return f"{varied} {fixed}".strip()
