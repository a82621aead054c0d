"""Every comparison of a study with its interval, p-values and what it would take to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.classification import LOWER_IS_BETTER
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.results import (
    Claim,
    Comparison,
    Corrected,
    SampleSizeEquivalent,
    Verdict,
)
from monai_gan_aug.statistics.advice import advise
from monai_gan_aug.statistics.bootstrap import CrossedBootstrap
from monai_gan_aug.statistics.conclusion import Question, conclude
from monai_gan_aug.statistics.decision import Gain, Part
from monai_gan_aug.statistics.estimates import as_difference, spent_p_value
from monai_gan_aug.statistics.looks import tail_of_look
from monai_gan_aug.statistics.paired import claims, single_splits
from monai_gan_aug.statistics.sample_size_equivalent import sample_size_equivalent
from monai_gan_aug.statistics.significance import holm
from monai_gan_aug.statistics.study_statistics import StudyStatistics
from monai_gan_aug.studies.arms import BASELINE, Arm

__all__ = [
    "Asked",
    "PlannedComparison",
    "comparison_rows",
    "conclusion",
    "corrected_claims",
    "sample_size_equivalents",
]

Array = NDArray[np.float64]

METHOD = (
    "Two-sided p-values dual to the intervals; that of an arm is the largest against its controls, "
    "Holm-corrected over the candidate arms."
)


@dataclass(frozen=True)
class PlannedComparison:
    """What the verdict is about, named before the study runs.

    The baseline and the matched control of the arm count whenever they are trained, whether they
    are among ``controls`` or not.

    Args:
        arm: The arm judged; it uses a GAN.
        controls: What it must beat, in any order.
        metric: Name of the metric.
        relevant_effect: Smallest difference that would matter.

    Raises:
        DataError: If a control is named twice, or the arm is among them.
    """

    arm: str = "real_plus_synthetic"
    controls: Sequence[str] = ("classical", "classical_twice")
    metric: str = "auc"
    relevant_effect: float = 0.02

    def __post_init__(self) -> None:
        names = (self.arm, *self.controls)
        if not self.controls or len(set(names)) != len(names):
            raise DataError(
                "`comparison` must name one arm and one or more others as its controls, each once; "
                f"got `arm: {self.arm}`, `controls: {list(self.controls)}`."
            )
        if not self.relevant_effect > 0:
            raise DataError(f"`relevant_effect` must be positive, got {self.relevant_effect}.")

    def question(self, arms: Sequence[Arm]) -> Question:
        """The question to the arms of a study, its controls by the part that their role gives them.

        Args:
            arms: Every arm of the study.

        Raises:
            DataError: If an arm is not run, the arm judged uses no GAN, or a control is none by
                its role.
        """
        roles = {arm.name: arm for arm in arms}
        if missing := {self.arm, BASELINE, *self.controls} - set(roles):
            raise DataError(
                f"The comparison needs arms that are not run: {sorted(missing)} (the baseline "
                f"{BASELINE} always counts): add them to `arms`."
            )
        if roles[self.arm].role != "candidate":
            raise DataError(
                f"`comparison` asks about {self.arm}, which uses no GAN: name one of "
                f"{[arm.name for arm in arms if arm.role == 'candidate']} as its `arm`."
            )
        unfit = [name for name in self.controls if roles[name].role != "control"]
        if unfit:
            raise DataError(
                f"`comparison` has {unfit} as controls, which are no controls by their role: "
                "leave them out of `controls`; they may stay among the arms."
            )
        return Question(
            arm=self.arm,
            baseline=BASELINE,
            matched=_matched(roles[self.arm], arms),
            planned=tuple(name for name in self.controls if name != BASELINE),
            others=tuple(arm.name for arm in arms if arm.rivals_every_candidate),
            metric=self.metric,
            relevant_effect=self.relevant_effect,
        )


def _matched(arm: Arm, arms: Sequence[Arm]) -> tuple[str, ...]:
    """The matched control of an arm, if it is run."""
    return tuple(other.name for other in arms if other.name == arm.matched_control)


@dataclass(frozen=True)
class Asked:
    """A question, and what the answer has to be read with.

    Args:
        question: The question.
        look: Number of this look at results.
        changes: What was changed after results were seen.
        unused_seeds: Seeds with results on disk that do not take part.
    """

    question: Question
    look: int = 1
    changes: tuple[str, ...] = ()
    unused_seeds: tuple[int, ...] = ()

    @property
    def tail(self) -> float:
        """What this look may spend of the error budget, on either side."""
        return tail_of_look(self.look)

    @property
    def controls(self) -> tuple[str, ...]:
        """What the arm must beat, the baseline first."""
        return tuple(name for name, part in self.question.parts.items() if part is not Part.OTHER)


def conclusion(statistics: StudyStatistics, arms: Sequence[Arm], asked: Asked) -> Verdict:
    """The verdict, in the titles of ``arms``."""
    question = asked.question
    found = conclude(
        statistics, question, titles={arm.name: arm.title for arm in arms}, look=asked.look
    )
    return Verdict(
        word=found.word,
        sentence=found.sentence,
        next_step=found.next_step,
        arm=question.arm,
        controls=asked.controls,
        better=tuple(gain.control for gain in found.decision.better),
        metric=question.metric,
        relevant_effect=question.relevant_effect,
        minimum_detectable_effect=found.minimum_detectable_effect,
        confidence=round(found.confidence, 9),
        look=asked.look,
        overlap=statistics.overlap,
        changes=asked.changes,
        unused_seeds=asked.unused_seeds,
    )


def comparison_rows(
    statistics: StudyStatistics, arms: Sequence[Arm], asked: Asked
) -> tuple[Comparison, ...]:
    """Every comparison of a study.

    Every arm is compared with the baseline, the arm of the verdict with every control that has a
    part in it, and an arm with its matched control.

    Args:
        statistics: The arms of the study.
        arms: Arms that were trained.
        asked: What the verdict is about.
    """
    question = asked.question
    names, baseline = {arm.name for arm in arms}, question.baseline
    pairs = [(arm.name, baseline) for arm in arms if arm.name != baseline]
    pairs += [(question.arm, control) for control in question.parts]
    pairs += [(arm.name, arm.matched_control) for arm in arms if arm.matched_control in names]
    rows = [_row(statistics, *pair, asked) for pair in dict.fromkeys(pairs)]
    candidates = {arm.name for arm in arms if arm.role == "candidate"}
    p_values = {
        row.arm: row.p_value
        for row in rows
        if row.control == baseline and row.arm in candidates and row.p_value is not None
    }
    corrected = holm(p_values)
    return tuple(
        replace(row, p_holm=corrected[row.arm])
        if row.control == baseline and row.arm in corrected
        else row
        for row in rows
    )


def _row(statistics: StudyStatistics, arm: str, control: str, asked: Asked) -> Comparison:
    metric = asked.question.metric
    mean = statistics.difference(arm, control, metric)
    part = Gain(control, control, Part.PLANNED, statistics.gain(arm, control, metric))
    advice = advise([part], asked.question.relevant_effect, tail_of_look(asked.look + 1))
    times = advice.times_patients
    return Comparison(
        arm=arm,
        control=control,
        metric=metric,
        difference=as_difference(mean, asked.tail),
        primary=arm == asked.question.arm and control in asked.controls,
        p_value=spent_p_value(mean, asked.tail),
        seeds_needed=advice.seeds,
        patients_needed=None if times is None else times.times(statistics.patients),
        single_splits=single_splits(
            statistics.predictions(arm), statistics.predictions(control), statistics.positive
        ),
    )


def corrected_claims(statistics: StudyStatistics, arms: Sequence[Arm], asked: Asked) -> Corrected:
    """Which candidate arms beat the controls planned for the verdict, and which beat every control.

    The matched control of a candidate counts in both.
    """
    metric = asked.question.metric
    planned = {asked.question.baseline, *asked.question.planned}
    every = {arm.name for arm in arms if arm.rivals_every_candidate}

    def judged(against: set[str]) -> tuple[Claim, ...]:
        return claims(
            {
                arm.name: {
                    control.name: statistics.gain(arm.name, control.name, metric)
                    for control in arms
                    if control.name in against | {arm.matched_control}
                }
                for arm in arms
                if arm.role == "candidate"
            },
            asked.tail,
        )

    return Corrected(METHOD, metric, judged(planned), judged(planned | every))


def sample_size_equivalents(
    statistics: StudyStatistics,
    arms: Sequence[Arm],
    baseline: str,
    metric: str,
    datalists: Mapping[int, Datalist],
) -> tuple[SampleSizeEquivalent, ...]:
    """What every candidate arm is worth in real patients, if arms with more patients were trained.

    Args:
        statistics: The arms of the study.
        arms: Arms that were trained.
        baseline: The arm that the arms with more patients repeat.
        metric: Name of the metric.
        datalists: Split of every seed; training patients of all classes are averaged.

    Returns:
        One per candidate arm; empty without arms of more patients.
    """
    more = sorted((arm.patients, arm.name) for arm in arms if arm.patients > 1)
    if not more:
        return ()
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    has = np.mean([len(datalist.groups("training")) for datalist in datalists.values()])
    patients = [round(has), *(round(has * factor) for factor, _ in more)]
    bootstrap = CrossedBootstrap([item.groups for item in statistics.predictions(baseline)])

    def measured(name: str) -> tuple[float, Array]:
        means = bootstrap.means(statistics.predictions(name), metric, positive=statistics.positive)
        return sign * statistics.metric(name, metric).value, sign * means

    values, draws = zip(
        *(measured(name) for name in (baseline, *(n for _, n in more))), strict=True
    )
    curve, curve_draws = np.array(values), np.stack(draws, axis=1)
    return tuple(
        sample_size_equivalent(arm.name, patients, curve, value, curve_draws, value_draws)
        for arm in arms
        if arm.role == "candidate"
        for value, value_draws in [measured(arm.name)]
    )
