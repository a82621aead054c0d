"""What a reader must know before believing a number: the data's caveats and the study's own."""

from monai_gan_aug.records.results import Comparison
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.wording import (
    listing,
    lower_is_better,
    metric_title,
    with_interval,
)

__all__ = ["reading_caveats"]

FEW_SEEDS = 3


def reading_caveats(study: StudyRecord, *, shows_real: bool = False) -> tuple[str, ...]:
    """Sentences the results themselves call for, the gravest first.

    Args:
        study: The results.
        shows_real: Whether the report shows real images.
    """
    sentences = (
        _no_patients(study),
        _unfinished_baseline(study),
        _more_steps(study),
        _few_seeds(study),
        _many_comparisons(study),
        _real_images(shows_real),
        f"Research result {_where(study)}, not a medical device. Screening for copies lowers the "
        "risk that a synthetic image shows a patient; it does not prove privacy.",
    )
    return tuple(sentence for sentence in sentences if sentence)


def _where(study: StudyRecord) -> str:
    others = len(study.external)
    if others == 0:
        return "on one data set"
    plural = "s" * (others > 1)
    return f"with training on one data set and {others} other test set{plural}"


def _no_patients(study: StudyRecord) -> str:
    if study.has_patients:
        return ""
    return (
        "No patient ids were available: images of one patient may be in training and in test, so "
        "all values may be too high and all intervals too narrow."
    )


def _unfinished_baseline(study: StudyRecord) -> str:
    better = [
        c
        for c in study.comparisons
        if c.control == study.baseline
        and c.metric == study.verdict.metric
        and _role(study, c.arm) == "control"
        and _improves(c)
    ]
    if not better:
        return ""
    shown = listing(
        f"{study.titles[c.arm]} ({with_interval(c.difference, signed=True)})" for c in better
    )
    return (
        f"The baseline can still be improved without synthetic images: {shown}. "
        "Read a benefit against that control, not against the baseline alone."
    )


def _improves(c: Comparison) -> bool:
    if c.difference.ends is None:
        return False
    lower, upper = c.difference.ends
    return upper < 0 if lower_is_better(c.metric) else lower > 0


def _role(study: StudyRecord, name: str) -> str:
    return next(arm.role for arm in study.arms if arm.name == name)


def _more_steps(study: StudyRecord) -> str:
    steps = {arm.name: arm.steps for arm in study.arms}
    most = max(steps[name] for name in study.verdict.controls)
    if steps[study.verdict.arm] <= most:
        return ""
    return (
        f"{study.titles[study.verdict.arm]} was trained for {steps[study.verdict.arm]} steps, its "
        f"controls for {most} at most: some of the difference may be training time."
    )


def _few_seeds(study: StudyRecord) -> str:
    count = len(study.seeds)
    if count >= FEW_SEEDS:
        return ""
    repeats = "one repeat (seed)" if count == 1 else f"{count} repeats (seeds)"
    return (
        f"Only {repeats}: how much the result depends on the split and on the training "
        f"run is not known, so there are no intervals. Use {FEW_SEEDS} or more."
    )


def _many_comparisons(study: StudyRecord) -> str:
    extra = sum(
        c.metric == study.verdict.metric and c not in study.decisive() for c in study.comparisons
    )
    if extra == 0:
        return ""
    verb = "comparison was" if extra == 1 else "comparisons were"
    return (
        f"Besides the verdict's, {extra} more {verb} made in {metric_title(study.verdict.metric)}. "
        "Their intervals are not corrected for looking often; take them as hints."
    )


def _real_images(shows_real: bool) -> str:
    if not shows_real:
        return ""
    return (
        "This file shows real images of training patients: pass it on only where those images "
        "may go. The setting include_real: false writes a report without them."
    )
