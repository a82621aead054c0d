"""What may be claimed of several arms, and what tests of single splits say."""

from collections.abc import Mapping, Sequence

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.results import Claim, SingleSplit
from monai_gan_aug.statistics.estimates import spent_p_value
from monai_gan_aug.statistics.intervals import TAIL, MeanOverSeeds
from monai_gan_aug.statistics.significance import delong, holm, mcnemar

__all__ = ["claims", "single_splits"]


def claims(
    gains: Mapping[str, Mapping[str, MeanOverSeeds]], tail: float = TAIL
) -> tuple[Claim, ...]:
    """Holm's correction over arms, each of which must beat all of its controls.

    Being better than every control is an intersection-union test: the largest p-value needs no
    correction for the number of controls, only for the number of arms.

    Args:
        gains: By arm, then by control: the gain, positive is better. Two seeds claim nothing.
        tail: What this look may spend.

    References:
        Berger, "Multiparameter Hypothesis Testing and Acceptance Sampling", Technometrics 24
        (1982); Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    largest = {
        arm: max(_p_of_gain(gain, tail) for gain in by_control.values())
        for arm, by_control in gains.items()
        if by_control
    }
    corrected = holm(largest)
    return tuple(Claim(arm, tuple(gains[arm]), p, corrected[arm]) for arm, p in largest.items())


def _p_of_gain(gain: MeanOverSeeds, tail: float) -> float:
    p_value = spent_p_value(gain, tail)
    return 1.0 if p_value is None or gain.value <= 0 else p_value


def single_splits(
    arm: Sequence[Predictions], control: Sequence[Predictions], positive: int = 1
) -> tuple[SingleSplit, ...]:
    """DeLong's and McNemar's tests on every split, for orientation.

    They see one training each and take every image for a patient of its own.

    Args:
        arm: Predictions of one arm, one per seed, of two classes.
        control: Those of the other arm, in the same order.
        positive: The class that counts as disease.

    Returns:
        One row per seed; empty for more classes.
    """
    rows = []
    for first, second in zip(arm, control, strict=True):
        if len(first.class_names) != 2:
            return ()
        scores = [item.probabilities[:, positive] for item in (first, second)]
        areas = delong(first.labels == positive, *scores)
        right = mcnemar(first.labels, first.probabilities, second.probabilities)
        rows.append(SingleSplit(first.seed, areas.p_value, right.p_value))
    return tuple(rows)
