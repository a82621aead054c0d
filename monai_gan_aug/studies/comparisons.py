"""Every comparison of a study with its interval, p-values and what it would take to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monai_gan_aug.errors import DataError
from monai_gan_aug.metrics.classification import LOWER_IS_BETTER
from monai_gan_aug.metrics.weighted import METRICS
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.statistics.arm_statistics import ArmStatistics
from monai_gan_aug.statistics.paired import (
    Claim,
    claims,
    patients_needed,
    single_splits,
    two_sided_p,
)
from monai_gan_aug.statistics.sample_size_equivalent import exchange_rate
from monai_gan_aug.statistics.significance import holm
from monai_gan_aug.statistics.verdict import Verdict, verdict
from monai_gan_aug.studies.arms import Arm

__all__ = ["Comparison", "comparison_rows", "conclusion", "corrected_claims", "exchanges"]

METHOD = (
    "Two-sided p-values dual to the intervals (crossed bootstrap over seeds and patients); that of "
    "an arm is the largest against its controls, Holm-corrected over the candidate arms."
)


@dataclass(frozen=True)
class Comparison:
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


def conclusion(statistics: ArmStatistics, arms: Sequence[Arm], chosen: Comparison) -> Verdict:
    """The verdict of ``chosen``, in the titles of ``arms``."""
    return verdict(
        statistics,
        chosen.arm,
        tuple(chosen.controls),
        metric=chosen.metric,
        relevant_effect=chosen.relevant_effect,
        titles={one.name: one.title for one in arms},
    )


def comparison_rows(
    statistics: ArmStatistics,
    arms: Sequence[Arm],
    chosen: Comparison,
) -> list[dict[str, Any]]:
    """Rows of ``comparisons`` in ``study.json``.

    Every arm is compared with the baseline, the arm of the verdict with its other controls, and an
    arm with its matched control.

    Args:
        statistics: Intervals of the study.
        arms: Arms that were trained.
        chosen: What the verdict is about.
    """
    names, controls = {one.name for one in arms}, chosen.controls
    pairs = [(one.name, controls[0]) for one in arms if one.name != controls[0]]
    pairs += [(chosen.arm, control) for control in controls[1:]]
    pairs += [(one.name, one.matched_control) for one in arms if one.matched_control in names]
    rows = [
        _row(statistics, arm, control, chosen.metric, chosen.relevant_effect)
        | {"primary": arm == chosen.arm}
        for arm, control in dict.fromkeys(pairs)
    ]
    candidates = {one.name for one in arms if one.role == "candidate"}
    against_baseline = {
        row["arm"]: row
        for row in rows
        if row["control"] == controls[0] and row["arm"] in candidates
    }
    corrected = holm({name: row["p_value"] for name, row in against_baseline.items()})
    for name, row in against_baseline.items():
        row["p_holm"] = corrected[name]
    return rows


def _row(
    statistics: ArmStatistics, arm: str, control: str, metric: str, relevant_effect: float
) -> dict[str, Any]:
    draws = statistics.draws(arm, control, metric)
    found = statistics.difference(arm, control, metric)
    content = found.to_dict()
    return {
        "arm": arm,
        "control": control,
        "metric": metric,
        "difference": content.pop("mean"),
        **content,
        "p_value": two_sided_p(draws),
        "minimum_detectable_effect": found.minimum_detectable,
        "patients_needed": patients_needed(draws, relevant_effect),
        "single_splits": single_splits(
            statistics.predictions(arm), statistics.predictions(control), statistics.positive
        ),
    }


def corrected_claims(
    statistics: ArmStatistics, arms: Sequence[Arm], controls: Sequence[str], metric: str
) -> dict[str, Any]:
    """Which candidate arms beat the verdict's controls, and which beat every control there is.

    Returns:
        ``method``, and lists ``verdict_controls`` and ``every_control`` of claims.
    """
    every = [one.name for one in arms if one.role == "control"]
    candidates = [one.name for one in arms if one.role == "candidate"]
    worse = metric in LOWER_IS_BETTER

    def judged(against: Sequence[str]) -> list[dict[str, Any]]:
        gains: dict[str, Mapping[str, Any]] = {}
        for arm in candidates:
            by_control = {}
            for control in against:
                pair = (control, arm) if worse else (arm, control)
                draws = statistics.draws(*pair, metric)
                by_control[control] = (draws.interval(), two_sided_p(draws))
            gains[arm] = by_control
        return [_plain(claim) for claim in claims(gains)]

    return {
        "method": METHOD,
        "metric": metric,
        "verdict_controls": judged(controls),
        "every_control": judged(every),
    }


def _plain(claim: Claim) -> dict[str, Any]:
    return {
        "arm": claim.arm,
        "controls": list(claim.controls),
        "p_value": claim.p_value,
        "holm": claim.holm,
    }


def exchanges(
    statistics: ArmStatistics,
    arms: Sequence[Arm],
    baseline: str,
    metric: str,
    datalists: Mapping[int, Datalist],
) -> list[dict[str, Any]]:
    """What every candidate arm is worth in real patients, if arms with more patients were trained.

    Args:
        statistics: Intervals of the study.
        arms: Arms that were trained.
        baseline: The arm that the arms with more patients repeat.
        metric: Name of the metric.
        datalists: Split of every seed; training patients of all classes are averaged.

    Returns:
        Plain content of :class:`~monai_gan_aug.statistics.sample_size_equivalent.Exchange`;
        empty without such arms.
    """
    more = sorted((one.patients, one.name) for one in arms if one.patients > 1)
    if not more:
        return []
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    has = np.mean([len(one.groups("training")) for one in datalists.values()])
    patients = [round(has), *(round(has * factor) for factor, _ in more)]
    drawn = [statistics.draws(name, name=metric) for name in (baseline, *(n for _, n in more))]
    curve = sign * np.array([one.per_seed.mean() for one in drawn])
    curve_draws = sign * np.stack([one.crossed for one in drawn], axis=1)
    rows = []
    for one in arms:
        if one.role == "candidate":
            own = statistics.draws(one.name, name=metric)
            value, draws = sign * float(own.per_seed.mean()), sign * own.crossed
            rows.append(
                exchange_rate(one.name, patients, curve, value, curve_draws, draws).to_dict()
            )
    return rows
