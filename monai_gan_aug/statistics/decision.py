"""The one word a study ends with: a pure function of the gains of an arm over its controls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from monai_gan_aug.statistics.intervals import MeanOverSeeds

__all__ = ["Decision", "Gain", "Part", "VerdictWord", "decide"]


class VerdictWord(str, Enum):
    """What a study may conclude."""

    HELPS = "helps"
    HARMS = "harms"
    NO_RELEVANT_GAIN = "no relevant gain"
    UNDERPOWERED = "underpowered"


class Part(str, Enum):
    """The part a control plays in the verdict, whatever its place in a list.

    The arm must beat ``BASELINE``, ``MATCHED`` (shares everything with it but the GAN) and
    ``PLANNED`` controls. ``OTHER`` ones were trained too, with no more labels: none of them may be
    clearly better.
    """

    BASELINE = "baseline"
    MATCHED = "matched"
    PLANNED = "planned"
    OTHER = "other"


@dataclass(frozen=True)
class Gain:
    """How much better the arm is than one control.

    Args:
        control: Name of the control.
        title: What the sentence calls it.
        part: Its part in the verdict.
        gain: Positive is better, in any metric.
        headroom: How much better than this control a perfect arm would be.
    """

    control: str
    title: str
    part: Part
    gain: MeanOverSeeds
    headroom: float = math.inf

    def lower(self, tail: float) -> float:
        """Lower end of the interval; nothing is known below it."""
        found = self.gain.interval(tail)
        return -math.inf if found is None else found.lower

    def upper(self, tail: float) -> float:
        """Upper end of the interval."""
        found = self.gain.interval(tail)
        return math.inf if found is None else found.upper


@dataclass(frozen=True)
class Decision:
    """The word, and what it rests on.

    Args:
        word: The conclusion.
        better: Controls that are clearly better than the arm, the best first.
        excluded: The control over which a relevant gain is excluded most clearly, if one is.
        no_room: The control that leaves no room for a relevant gain, if that is why the study is
            underpowered.
        smaller: For ``helps``: whether a relevant gain over some control is excluded (``"surely"``)
            or the estimated gain is below the relevant one (``"perhaps"``).
    """

    word: VerdictWord
    better: tuple[Gain, ...] = ()
    excluded: Gain | None = None
    no_room: Gain | None = None
    smaller: str = ""


def decide(gains: Sequence[Gain], relevant_effect: float, tail: float) -> Decision:
    r"""The word for the gains of an arm over all controls, in whatever order they come.

    - ``harms``: clearly worse than the baseline.
    - ``helps``: clearly better than the baseline, every matched and every planned control, and no
      other control is clearly better than the arm.
    - ``no relevant gain``: a control is clearly better than the arm, or the interval over a control
      excludes a gain of ``relevant_effect``. A control so good that there is no room for such a
      gain excludes nothing.
    - ``underpowered``: none of these.

    "Clearly" is one end of the interval with the chance ``tail`` beyond it. To beat *all* needed
    controls no correction is due (intersection-union). To be worse than *any* of :math:`K`, or to
    exclude a gain over *any*, each gets ``tail / K``: the needed controls and the others are
    counted apart.

    Args:
        gains: One per control, exactly one of them the baseline.
        relevant_effect: Smallest difference that would matter, positive.
        tail: What this look may spend; see :func:`~monai_gan_aug.statistics.looks.tail_of_look`.

    Raises:
        ValueError: If there is not exactly one baseline, or no positive relevant effect.

    References:
        Berger, "Multiparameter Hypothesis Testing and Acceptance Sampling", Technometrics 24
        (1982).

    Example:
        >>> def over(name, part, *values):
        ...     return Gain(name, name, part, MeanOverSeeds(values))
        >>> baseline = over("classical", Part.BASELINE, 0.03, 0.031, 0.032, 0.029)
        >>> mixup = over("mixup", Part.OTHER, -0.01, -0.011, -0.012, -0.011)
        >>> decide([baseline], 0.02, 0.025).word.value
        'helps'
        >>> decide([baseline, mixup], 0.02, 0.025).word.value
        'no relevant gain'
    """
    if [gain.part for gain in gains].count(Part.BASELINE) != 1:
        raise ValueError(
            f"`gains` needs one baseline, got {[(g.control, g.part.value) for g in gains]}."
        )
    if relevant_effect <= 0:
        raise ValueError(f"`relevant_effect` must be positive, got {relevant_effect}.")
    needed = [gain for gain in gains if gain.part is not Part.OTHER]
    others = [gain for gain in gains if gain.part is Part.OTHER]
    better = [
        gain for group in (needed, others) for gain in group if gain.upper(tail / len(group)) < 0
    ]
    better.sort(key=lambda gain: (gain.gain.value, gain.control))
    excluded, no_room = _excluded(needed, relevant_effect, tail / len(needed))
    baseline = next(gain for gain in gains if gain.part is Part.BASELINE)
    if baseline.upper(tail) < 0:
        return Decision(VerdictWord.HARMS, tuple(gain for gain in better if gain != baseline))
    if all(gain.lower(tail) > 0 for gain in needed) and not better:
        below = any(gain.gain.value < relevant_effect for gain in needed)
        surely = any(gain.upper(tail / len(needed)) < relevant_effect for gain in needed)
        smaller = "surely" if surely else "perhaps" if below else ""
        return Decision(VerdictWord.HELPS, smaller=smaller)
    if better or excluded:
        return Decision(VerdictWord.NO_RELEVANT_GAIN, tuple(better), excluded)
    return Decision(VerdictWord.UNDERPOWERED, no_room=no_room)


def _excluded(
    needed: Sequence[Gain], relevant_effect: float, tail: float
) -> tuple[Gain | None, Gain | None]:
    """The control over which a relevant gain is excluded, and one that leaves no room for it."""
    lowest = sorted(needed, key=lambda gain: (gain.upper(tail), gain.control))
    room = [gain for gain in lowest if gain.headroom >= relevant_effect]
    full = [gain for gain in lowest if gain.headroom < relevant_effect]
    excluded = room[0] if room and room[0].upper(tail) < relevant_effect else None
    return excluded, full[0] if full else None
