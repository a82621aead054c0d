"""The one word and the one sentence a study ends with."""

from collections.abc import Mapping, Sequence

from monai_gan_aug.metrics.classification import LOWER_IS_BETTER
from monai_gan_aug.records.results import Difference, Verdict, Word
from monai_gan_aug.statistics.arm_statistics import ArmStatistics

__all__ = ["decide", "verdict"]

METRIC_WORDS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1 score",
    "brier": "Brier score",
    "ece": "calibration error",
}


def decide(differences: Sequence[Difference], relevant_effect: float) -> Word:
    """The word for the gain of an arm over each of its controls, the baseline first.

    ``helps`` needs every interval above zero, so that neither luck nor longer training explains
    the gain. ``harms`` needs the interval against the baseline below zero. Otherwise the study is
    ``underpowered`` if it could easily miss a relevant difference, and says ``no evidence`` if
    it could not.

    Args:
        differences: Gains (positive is better) with intervals, at least one.
        relevant_effect: Smallest difference that would matter, positive.

    Raises:
        ValueError: If there is no difference or no positive relevant effect.

    Example:
        >>> gain = Difference(0.03, 0.01, 0.05, (0.02, 0.04), minimum_detectable_effect=0.03)
        >>> decide([gain], relevant_effect=0.02)
        'helps'
    """
    if not differences:
        raise ValueError("`differences` needs at least the one against the baseline.")
    if relevant_effect <= 0:
        raise ValueError(f"`relevant_effect` must be positive, got {relevant_effect}.")
    if all(gain.lower > 0 for gain in differences):
        return "helps"
    if differences[0].upper < 0:
        return "harms"
    if max(gain.minimum_detectable_effect for gain in differences) > relevant_effect:
        return "underpowered"
    return "no evidence"


def verdict(
    statistics: ArmStatistics,
    arm: str,
    controls: Sequence[str] = ("classical", "classical_twice"),
    *,
    metric: str = "auc",
    relevant_effect: float = 0.02,
    titles: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge ``arm`` against its controls.

    Args:
        statistics: Intervals of the study.
        arm: The one arm named before the study; choosing the best of several afterwards would
            break the promise of the interval.
        controls: Arms it must beat, the baseline first.
        metric: A key of :data:`~monai_gan_aug.metrics.weighted.METRICS`.
        relevant_effect: Smallest difference that would matter to a user.
        titles: Words for arms in the sentence; the names if not given.

    Returns:
        The word, the sentence and what they rest on.
    """
    worse = metric in LOWER_IS_BETTER
    gains = [
        statistics.difference(control, arm, metric)
        if worse
        else statistics.difference(arm, control, metric)
        for control in controls
    ]
    word = decide(gains, relevant_effect)
    detectable = max(gain.minimum_detectable_effect for gain in gains)
    called = {name: (titles or {}).get(name, name) for name in (arm, *controls)}
    sentence = _conclusion(
        word,
        called[arm],
        [called[name] for name in controls],
        gains,
        METRIC_WORDS.get(metric, metric),
        (relevant_effect, detectable),
    )
    return Verdict(
        word=word,
        sentence=f"{sentence} ({_basis(statistics)})",
        arm=arm,
        controls=tuple(controls),
        metric=metric,
        relevant_effect=relevant_effect,
        minimum_detectable_effect=detectable,
        confidence=statistics.confidence,
    )


def _conclusion(
    word: Word,
    arm: str,
    controls: list[str],
    gains: list[Difference],
    metric: str,
    effects: tuple[float, float],
) -> str:
    parts = [
        f"{_signed(gain)} against “{name}”" for gain, name in zip(gains, controls, strict=True)
    ]
    relevant, detectable = effects
    if word == "helps":
        return f"“{arm}” improved the {metric} by {_listed(parts)}: the GAN helped."
    if word == "harms":
        return f"“{arm}” changed the {metric} by {parts[0]}: the GAN did harm."
    clear = [part for part, gain in zip(parts, gains, strict=True) if gain.lower > 0]
    rest = [part for part, gain in zip(parts, gains, strict=True) if gain.lower <= 0]
    changes = f"changed the {metric} by {_listed(rest)}"
    if clear:
        changes = f"improved the {metric} by {_listed(clear)}, but changed it by {_listed(rest)}"
    if word == "underpowered":
        return (
            f"These data cannot tell whether the GAN helps: “{arm}” {changes}, and "
            f"{_seen(detectable)}, while {relevant:.3f} would already matter."
        )
    return (
        f"There is no evidence that the GAN helps: “{arm}” {changes}, and a true difference of "
        f"about {detectable:.3f} would have been seen reliably."
    )


def _seen(detectable: float) -> str:
    if detectable >= 1:
        return "no true difference, however large, would have been seen reliably"
    return f"only a true difference of about {detectable:.3f} or more would have been seen reliably"


def _listed(parts: Sequence[str]) -> str:
    """The parts with commas, and "and" before the last."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def _signed(gain: Difference) -> str:
    text = f"{gain.mean:+.3f} (95 % interval {gain.lower:+.3f} to {gain.upper:+.3f})"
    return text.replace("-", "\N{MINUS SIGN}")


def _basis(statistics: ArmStatistics) -> str:
    return (
        f"{statistics.images} test images of {statistics.patients} patients, "
        f"{len(statistics.seeds)} repetitions"
    )
