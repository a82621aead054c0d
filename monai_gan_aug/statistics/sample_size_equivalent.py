"""How many more real patients a gain is worth, read off a curve of arms with more patients."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from monai_gan_aug.records.results import SampleSizeEquivalent

__all__ = ["equivalent_patients", "sample_size_equivalent"]

Array = NDArray[np.float64]


def equivalent_patients(patients: Sequence[int], curve: Array, values: Array) -> Array:
    """Training patients at which a learning curve reaches a value.

    Between two measured numbers of patients the curve is a line in the logarithm of their number.
    A curve that falls somewhere is first replaced by the nearest one that does not; where it is
    flat, the fewest patients count.

    Args:
        patients: Numbers of patients, increasing, at least two.
        curve: Values there, shape ``(..., P)``, higher is better.
        values: Values to look up, shape ``(...,)``.

    Returns:
        Numbers of patients, shape ``(...,)``: minus infinity below the curve, infinity above it.

    Raises:
        ValueError: If the numbers of patients do not increase.

    Example:
        >>> equivalent_patients([10, 40], np.array([0.7, 0.9]), np.array(0.8))
        array(20.)
    """
    numbers = np.asarray(patients, np.float64)
    if len(numbers) < 2 or numbers[0] <= 0 or (np.diff(numbers) <= 0).any():
        raise ValueError(f"`patients` must be two or more increasing numbers, got {patients}.")
    rows = np.asarray(curve, np.float64).reshape(-1, len(numbers))
    wanted = np.broadcast_to(values, np.shape(curve)[:-1]).astype(np.float64).ravel()
    equivalents = [
        _look_up(numbers, isotonic_regression(row), value)
        for row, value in zip(rows, wanted, strict=True)
    ]
    return np.array(equivalents).reshape(np.shape(curve)[:-1])


def _look_up(numbers: Array, curve: Array, value: float) -> float:
    if value < curve[0]:
        return -np.inf
    if value > curve[-1]:
        return np.inf
    right = int(np.searchsorted(curve, value, side="left"))
    if right == 0:
        return float(numbers[0])
    share = (value - curve[right - 1]) / (curve[right] - curve[right - 1])
    return float(numbers[right - 1] * (numbers[right] / numbers[right - 1]) ** share)


def sample_size_equivalent(
    arm: str,
    patients: Sequence[int],
    curve: Array,
    value: float,
    curve_draws: Array,
    value_draws: Array,
    confidence: float = 0.95,
) -> SampleSizeEquivalent:
    """How many training patients an arm's value is worth, with a percentile interval.

    The draws should resample seeds and patients together, the same for curve and arm.

    Args:
        arm: Name of the arm.
        patients: Training patients of the arms of the curve, increasing.
        curve: Their values, shape ``(P,)``.
        value: The value of the arm.
        curve_draws: Values of the curve under resampling, shape ``(R, P)``.
        value_draws: Values of the arm under the same draws, shape ``(R,)``.
        confidence: Nominal coverage.

    Returns:
        The equivalent; an end that lies outside the measured curve is nothing, never extrapolated.
    """
    point = float(equivalent_patients(patients, curve, np.array(value)))
    defined = np.isfinite(curve_draws).all(axis=1) & np.isfinite(value_draws)
    draws = np.sort(equivalent_patients(patients, curve_draws[defined], value_draws[defined]))
    tail = (1 - confidence) / 2
    last = len(draws) - 1
    lower, upper = draws[int(np.floor(tail * last))], draws[int(np.ceil((1 - tail) * last))]
    where: Literal["inside", "below", "above"] = "inside"
    if not np.isfinite(point):
        where = "above" if point > 0 else "below"
    ends = [float(round(end, 1)) if np.isfinite(end) else None for end in (point, lower, upper)]
    measured = patients[0], patients[-1]
    return SampleSizeEquivalent(arm, where, ends[0], ends[1], ends[2], measured)
