"""From the predictions of a study to its verdict: the word, the sentence and what they rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.weighted import METRICS
from monai_gan_aug.records.results import Word
from monai_gan_aug.statistics.advice import Advice, advise
from monai_gan_aug.statistics.decision import Decision, Gain, Part, decide
from monai_gan_aug.statistics.intervals import POWER
from monai_gan_aug.statistics.looks import tail_of_look
from monai_gan_aug.statistics.study_statistics import StudyStatistics
from monai_gan_aug.statistics.words import next_step, sentence

__all__ = ["Conclusion", "Question", "conclude"]


@dataclass(frozen=True)
class Question:
    """What a study is asked, with the controls by the part they play.

    Args:
        arm: The one arm judged; it uses a GAN.
        baseline: The arm that everything is read against.
        matched: What shares everything with the arm but the GAN; it always counts.
        planned: Other controls that must be beaten.
        others: Whatever other controls were trained with no more labels: none may be clearly
            better.
        metric: A key of :data:`~monai_gan_aug.metrics.weighted.METRICS`.
        relevant_effect: Smallest difference that would matter, positive.

    Raises:
        DataError: If the metric is unknown, the arm is one of its controls, or the baseline is not
            the baseline alone.
    """

    arm: str
    baseline: str
    matched: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    metric: str = "auc"
    relevant_effect: float = 0.02

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise DataError(f"`metric` must be one of {sorted(METRICS)}, got {self.metric!r}.")
        if self.arm in self.parts:
            raise DataError(
                f"{self.arm} is asked about and one of its own controls: leave it out of one."
            )

    @property
    def parts(self) -> dict[str, Part]:
        """The part of every control; one that is in several lists plays the first."""
        parts: dict[str, Part] = {self.baseline: Part.BASELINE}
        for names, part in (
            (self.matched, Part.MATCHED),
            (self.planned, Part.PLANNED),
            (self.others, Part.OTHER),
        ):
            for name in sorted(names):
                parts.setdefault(name, part)
        return parts


@dataclass(frozen=True)
class Conclusion:
    """A verdict with what it rests on.

    Args:
        question: What was asked.
        decision: The word, and the controls that decided it.
        sentence: The conclusion in at most thirty words.
        gains: Gain over every control.
        seeds: Number of seeds.
        patients: Number of test patients.
        look: Number of this look.
        tail: What it spent of the error budget, on either side.
        minimum_detectable_effect: Smallest true gain that such a study would tell from zero,
            against every control it must beat, with a chance of 80 %; none for two seeds.
    """

    question: Question
    decision: Decision
    sentence: str
    gains: tuple[Gain, ...]
    seeds: int
    patients: int
    look: int
    tail: float
    minimum_detectable_effect: float | None

    @property
    def word(self) -> Word:
        """The conclusion as one word (or three)."""
        return self.decision.word.value

    @cached_property
    def advice(self) -> Advice:
        """What it would take to see the relevant effect in the next look."""
        return advise(self.gains, self.question.relevant_effect, tail_of_look(self.look + 1))

    @cached_property
    def next_step(self) -> str:
        """What to do now, in at most thirty words."""
        return next_step(self.decision, self.advice, self.seeds, self.patients)

    @property
    def confidence(self) -> float:
        """Nominal coverage of the intervals that decided."""
        return 1 - 2 * self.tail


def conclude(
    statistics: StudyStatistics,
    question: Question,
    *,
    titles: Mapping[str, str] | None = None,
    look: int = 1,
) -> Conclusion:
    """Judge the arm of ``question``.

    Args:
        statistics: The arms of the study.
        question: Named before the study; see :mod:`monai_gan_aug.records.plan`.
        titles: Words for arms in the sentence; the names if not given.
        look: How many different looks were taken at these results, this one included.
    """
    called = titles or {}
    metric = question.metric
    gains = tuple(
        Gain(
            control,
            called.get(control, control),
            part,
            statistics.gain(question.arm, control, metric),
            statistics.headroom(control, metric),
        )
        for control, part in question.parts.items()
    )
    tail = tail_of_look(look)
    decision = decide(gains, question.relevant_effect, tail)
    overlap = statistics.overlap
    return Conclusion(
        question=question,
        decision=decision,
        sentence=sentence(
            decision,
            gains,
            called.get(question.arm, question.arm),
            metric,
            look=look,
            fixed_patients=overlap.patients if overlap.fixed else None,
        ),
        gains=gains,
        seeds=len(statistics.seeds),
        patients=statistics.patients,
        look=look,
        tail=tail,
        minimum_detectable_effect=_detectable(gains, tail),
    )


def _detectable(gains: Sequence[Gain], tail: float) -> float | None:
    needed = [gain.gain.detectable(tail, POWER) for gain in gains if gain.part is not Part.OTHER]
    values = [value for value in needed if value is not None]
    return max(values) if values else None
