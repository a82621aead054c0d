"""The sentence a study ends with, and what to do next; the exact numbers stand in tables."""

from collections.abc import Callable, Sequence

from monai_gan_aug.statistics.advice import SEEDS_OF_A_POOL, Advice
from monai_gan_aug.statistics.decision import Decision, Gain, Part, VerdictWord
from monai_gan_aug.statistics.intervals import FEWEST_SEEDS

__all__ = ["MOST_WORDS", "next_step", "sentence"]

METRIC_WORDS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "f1": "F1 score",
    "brier": "Brier score",
    "ece": "calibration error",
}
MOST_WORDS = 30
LONGEST_TITLE = 10
FIRM = {
    VerdictWord.HELPS: "Next: confirm it on patients of another place.",
    VerdictWord.HARMS: "Next: leave it out, or ask about another GAN with fresh seeds.",
    VerdictWord.NO_RELEVANT_GAIN: "Next: nothing; the simpler arm does as well.",
}


def sentence(
    decision: Decision,
    gains: Sequence[Gain],
    title: str,
    metric: str,
    *,
    look: int = 1,
    fixed_patients: int | None = None,
) -> str:
    """The conclusion in at most thirty words, without numbers that a table says better.

    Args:
        decision: What :func:`decide` returned for ``gains``.
        gains: One per control.
        title: What to call the arm.
        metric: Name of the metric.
        look: Number of this look; a later one begins the sentence by saying so.
        fixed_patients: Number of training patients, if they were nearly the same at every seed.

    Example:
        >>> from monai_gan_aug.statistics.intervals import MeanOverSeeds
        >>> gain = Gain("classical", "Real", Part.BASELINE, MeanOverSeeds((0.1, 0.1, 0.1)))
        >>> sentence(Decision(VerdictWord.HELPS), [gain], "Real + synthetic", "auc")
        '“Real + synthetic” helps: better AUC than “Real”.'
    """
    for longest in range(LONGEST_TITLE, 0, -1):
        statement = _statement(
            decision, gains, METRIC_WORDS.get(metric, metric), _quote(longest), title
        )
        text = _prefix(look, fixed_patients) + statement
        if len(text.split()) <= MOST_WORDS:
            break
    return text[0].upper() + text[1:]


def _prefix(look: int, fixed_patients: int | None) -> str:
    changed = f"changed after results were seen (look {look}): " if look > 1 else ""
    if fixed_patients is None:
        return changed
    return f"{changed}trained on samples of these {fixed_patients} patients, "


def _quote(longest: int) -> Callable[[str], str]:
    """Titles in quotation marks, of at most ``longest`` words."""

    def quote(title: str) -> str:
        words = title.split()
        short = words if len(words) <= longest else [*words[:longest], "\N{HORIZONTAL ELLIPSIS}"]
        return f"“{' '.join(short)}”".replace(" \N{HORIZONTAL ELLIPSIS}", "\N{HORIZONTAL ELLIPSIS}")

    return quote


def _statement(
    decision: Decision,
    gains: Sequence[Gain],
    metric: str,
    quote: Callable[[str], str],
    title: str,
) -> str:
    arm = quote(title)
    baseline = next(quote(gain.title) for gain in gains if gain.part is Part.BASELINE)
    if decision.word is VerdictWord.HELPS:
        needed = sum(gain.part is not Part.OTHER for gain in gains)
        over = baseline if needed == 1 else f"each of {needed} controls"
        added = {
            "surely": ", by less than would matter",
            "perhaps": ", perhaps too little to matter",
        }
        return f"{arm} helps: better {metric} than {over}{added.get(decision.smaller, '')}."
    if decision.word is VerdictWord.HARMS:
        also = f" and {quote(decision.better[0].title)}" if decision.better else ""
        return f"{arm} harms: worse {metric} than {baseline}{also}."
    if decision.word is VerdictWord.NO_RELEVANT_GAIN:
        if decision.better:
            return f"{arm} brings no relevant gain: {quote(decision.better[0].title)} is better."
        over = baseline if decision.excluded is None else quote(decision.excluded.title)
        return f"{arm} brings no relevant gain in {metric} over {over}."
    seeds = gains[0].gain.seeds
    if seeds < FEWEST_SEEDS:
        return f"{seeds} repetitions allow no interval for {arm} (underpowered)."
    if decision.no_room is not None:
        over = quote(decision.no_room.title)
        return f"{over} leaves no room for a gain that matters by {arm} (underpowered)."
    return f"these data cannot tell whether {arm} helps (underpowered)."


def next_step(decision: Decision, advice: Advice, seeds: int, patients: int) -> str:
    """What to do now, in one sentence of at most thirty words.

    Args:
        decision: What was concluded.
        advice: What it would take to see the relevant effect.
        seeds: Seeds of this study.
        patients: Its test patients.
    """
    if decision.word is not VerdictWord.UNDERPOWERED:
        return FIRM[decision.word]
    if seeds < FEWEST_SEEDS:
        return f"Next: at least {FEWEST_SEEDS} seeds, better five or more."
    if decision.no_room is not None:
        return "Next: nothing with these data; ask where the baseline still fails."
    if advice.seeds is not None and advice.seeds.likely > seeds:
        return (
            f"Next: {advice.seeds} seeds in all would show a gain that matters, as estimated from "
            f"these {seeds}."
        )
    if advice.seeds is not None:  # enough for a gain that matters, and this one lies at the edge
        return f"Next: {2 * seeds} seeds in all; the gain lies close to one end of what matters."
    if advice.times_patients is not None:
        return (
            f"Next: {advice.times_patients.times(patients)} test patients would show a gain that "
            f"matters, as estimated from these {patients}."
        )
    if advice.times_pool is not None:
        return (
            f"Next: {advice.times_pool} times as many patients and "
            f"{max(SEEDS_OF_A_POOL, seeds)} seeds; neither alone would show a gain that matters."
        )
    return "Next: nothing within reach; a gain that matters would need far more patients and seeds."
