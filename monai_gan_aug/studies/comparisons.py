"""Every comparison of a study with its interval, p-values and what it would take to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.classification import LOWER_IS_BETTER
from monai_gan_aug.metrics.weighted import METRICS
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.results import (
    Claim,
    Comparison,
    Corrected,
    Difference,
    SampleSizeEquivalent,
    Verdict,
)
from monai_gan_aug.statistics.arm_statistics import ArmStatistics
from monai_gan_aug.statistics.paired import claims, patients_needed, single_splits, two_sided_p
from monai_gan_aug.statistics.sample_size_equivalent import sample_size_equivalent
from monai_gan_aug.statistics.significance import holm
from monai_gan_aug.statistics.verdict import verdict
from monai_gan_aug.studies.arms import Arm

__all__ = [
    "PlannedComparison",
    "comparison_rows",
    "conclusion",
    "corrected_claims",
    "sample_size_equivalents",
]

METHOD = (
    "Two-sided p-values dual to the intervals (crossed bootstrap over seeds and patients); that of "
    "an arm is the largest against its controls, Holm-corrected over the candidate arms."
)


@dataclass(frozen=True)
class PlannedComparison:
    """What the verdict is about, named before the study runs.

    Args:
        arm: The arm judged.
        controls: What it must beat, the baseline first.
        metric: Name of the metric.
        relevant_effect: Smallest difference that would matter.

    Raises:
        DataError: If there is no control, one is named twice, the arm is among them, or the metric
            is unknown.
    """

    arm: str = "real_plus_synthetic"
    controls: Sequence[str] = ("classical", "classical_twice")
    metric: str = "auc"
    relevant_effect: float = 0.02

    def __post_init__(self) -> None:
        if not self.controls or len(set(self.names)) != len(self.names):
            raise DataError(
                "`comparison` must name one arm and one or more others as its controls, each once; "
                f"got `arm: {self.arm}`, `controls: {list(self.controls)}`."
            )
        if self.metric not in METRICS:
            raise DataError(f"`metric` must be one of {sorted(METRICS)}, got {self.metric!r}.")

    @property
    def names(self) -> tuple[str, ...]:
        """Every arm it needs."""
        return (self.arm, *self.controls)


def conclusion(
    statistics: ArmStatistics, arms: Sequence[Arm], planned: PlannedComparison
) -> Verdict:
    """The verdict of ``planned``, in the titles of ``arms``."""
    return verdict(
        statistics,
        planned.arm,
        tuple(planned.controls),
        metric=planned.metric,
        relevant_effect=planned.relevant_effect,
        titles={arm.name: arm.title for arm in arms},
    )


def comparison_rows(
    statistics: ArmStatistics, arms: Sequence[Arm], planned: PlannedComparison
) -> tuple[Comparison, ...]:
    """Every comparison of a study.

    Every arm is compared with the baseline, the arm of the verdict with its other controls, and an
    arm with its matched control.

    Args:
        statistics: Intervals of the study.
        arms: Arms that were trained.
        planned: What the verdict is about.
    """
    names, controls = {arm.name for arm in arms}, planned.controls
    pairs = [(arm.name, controls[0]) for arm in arms if arm.name != controls[0]]
    pairs += [(planned.arm, control) for control in controls[1:]]
    pairs += [(arm.name, arm.matched_control) for arm in arms if arm.matched_control in names]
    rows = [_row(statistics, *pair, planned) for pair in dict.fromkeys(pairs)]
    candidates = {arm.name for arm in arms if arm.role == "candidate"}
    p_values = {
        row.arm: row.p_value for row in rows if row.control == controls[0] and row.arm in candidates
    }
    corrected = holm(p_values)
    return tuple(
        replace(row, p_holm=corrected[row.arm])
        if row.control == controls[0] and row.arm in corrected
        else row
        for row in rows
    )


def _row(
    statistics: ArmStatistics, arm: str, control: str, planned: PlannedComparison
) -> Comparison:
    draws = statistics.draws(arm, control, planned.metric)
    return Comparison(
        arm=arm,
        control=control,
        metric=planned.metric,
        difference=statistics.difference(arm, control, planned.metric),
        primary=arm == planned.arm,
        p_value=two_sided_p(draws),
        patients_needed=patients_needed(draws, planned.relevant_effect),
        single_splits=single_splits(
            statistics.predictions(arm), statistics.predictions(control), statistics.positive
        ),
    )


def corrected_claims(
    statistics: ArmStatistics, arms: Sequence[Arm], controls: Sequence[str], metric: str
) -> Corrected:
    """Which candidate arms beat the verdict's controls, and which beat every control there is."""
    every = [arm.name for arm in arms if arm.role == "control"]
    candidates = [arm.name for arm in arms if arm.role == "candidate"]
    worse = metric in LOWER_IS_BETTER

    def judged(against: Sequence[str]) -> tuple[Claim, ...]:
        gains: dict[str, Mapping[str, tuple[Difference, float]]] = {}
        for arm in candidates:
            by_control = {}
            for control in against:
                pair = (control, arm) if worse else (arm, control)
                draws = statistics.draws(*pair, metric)
                by_control[control] = (draws.interval(), two_sided_p(draws))
            gains[arm] = by_control
        return tuple(claims(gains))

    return Corrected(METHOD, metric, judged(controls), judged(every))


def sample_size_equivalents(
    statistics: ArmStatistics,
    arms: Sequence[Arm],
    baseline: str,
    metric: str,
    datalists: Mapping[int, Datalist],
) -> tuple[SampleSizeEquivalent, ...]:
    """What every candidate arm is worth in real patients, if arms with more patients were trained.

    Args:
        statistics: Intervals of the study.
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
    drawn = [statistics.draws(name, name=metric) for name in (baseline, *(n for _, n in more))]
    curve = sign * np.array([draws.per_seed.mean() for draws in drawn])
    curve_draws = sign * np.stack([draws.crossed for draws in drawn], axis=1)
    rows = []
    for arm in arms:
        if arm.role == "candidate":
            own = statistics.draws(arm.name, name=metric)
            value, draws = sign * float(own.per_seed.mean()), sign * own.crossed
            rows.append(
                sample_size_equivalent(arm.name, patients, curve, value, curve_draws, draws)
            )
    return tuple(rows)
