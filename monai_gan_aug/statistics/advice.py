"""How many more seeds or patients a study would need, with how far that may be off."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from monai_gan_aug.records.results import Needed
from monai_gan_aug.statistics.decision import Gain, Part
from monai_gan_aug.statistics.intervals import FEWEST_SEEDS, ClassVariance, MeanOverSeeds

__all__ = ["SEEDS_OF_A_POOL", "Advice", "advise"]

MOST_SEEDS = 100
MOST_TIMES = 32
SEEDS_OF_A_POOL = 30
UNSURE = 0.1


@dataclass(frozen=True)
class Advice:
    """What would make the relevant effect visible in the next look, with a chance of 80 %.

    Args:
        seeds: Seeds in all; nothing if a hundred would not do.
        times_patients: Times the test patients, of every class; nothing if it would not do.
        times_pool: Times the pool, with training sets as large as now, all others tested and
            :data:`SEEDS_OF_A_POOL` seeds; looked for only if neither of the others would do.
    """

    seeds: Needed | None
    times_patients: Needed | None
    times_pool: Needed | None = None


def advise(gains: Sequence[Gain], relevant_effect: float, tail: float) -> Advice:
    r"""How many seeds, or test patients, such a study would need against its hardest control.

    The parts of the variance are carried over: that between seeds falls as one over the seeds down
    to what the overlap of training sets leaves, that of the test patients as one over their number.
    The variance between seeds is itself an estimate from few seeds, so the numbers come with those
    for its 10 % and 90 % limits, :math:`(S - 1) s^2 / \chi^2_{S-1}`.

    Args:
        gains: One per control; those that the arm need not beat are left out.
        relevant_effect: The gain to be seen.
        tail: What the next look may spend.
    """
    needed = [gain.gain for gain in gains if gain.part is not Part.OTHER and gain.gain.has_interval]
    if not needed:
        return Advice(Needed(FEWEST_SEEDS, FEWEST_SEEDS + 2, None), None)
    hardest = max(needed, key=lambda gain: gain.detectable(tail) or 0.0)

    def seeds(luck: float) -> int | None:
        return _first(
            range(hardest.seeds, MOST_SEEDS + 1),
            lambda number: _projected(hardest, tail, luck, seeds=number) <= relevant_effect,
        )

    def patients(luck: float) -> int | None:
        return _first(
            range(1, MOST_TIMES + 1),
            lambda times: _projected(hardest, tail, luck, times=times) <= relevant_effect,
        )

    def pool(luck: float) -> int | None:
        number = max(SEEDS_OF_A_POOL, hardest.seeds)
        return _first(
            range(1, MOST_TIMES + 1),
            lambda times: (
                _projected(hardest, tail, luck, seeds=number, times=times, pool=times)
                <= relevant_effect
            ),
        )

    more_seeds, more_patients = _range(seeds, hardest.seeds), _range(patients, hardest.seeds)
    if more_seeds or more_patients:
        return Advice(more_seeds, more_patients)
    return Advice(None, None, _range(pool, hardest.seeds))


def _projected(
    gain: MeanOverSeeds,
    tail: float,
    luck: float,
    *,
    seeds: int | None = None,
    times: int = 1,
    pool: int = 1,
) -> float:
    """The detectable effect with other seeds, patients and pool, and ``luck`` times the luck."""
    count = gain.seeds if seeds is None else seeds
    tested = math.fsum(row.own for row in gain.classes)
    of_tested = luck * min(1.0, gain.between_seeds / tested) / times if tested else 0.0
    classes = tuple(
        ClassVariance(row.patients * times, row.shared / times, row.own * of_tested)
        for row in gain.classes
    )
    between = luck * gain.training_and_weights + tested * of_tested
    per_seed = np.linspace(-1, 1, count)
    per_seed *= math.sqrt(between) / per_seed.std(ddof=1)
    overlap = replace(gain.overlap, share=gain.overlap.share / pool)
    found = MeanOverSeeds(tuple(per_seed.tolist()), classes, overlap).detectable(tail)
    return math.inf if found is None else found


def _first(numbers: range, enough: Callable[[int], bool]) -> int | None:
    """The first number that is enough, by halving: whatever follows it is enough as well."""
    low, high = numbers.start, numbers.stop
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low if low < numbers.stop else None


def _range(needed: Callable[[float], int | None], seeds: int) -> Needed | None:
    freedom = seeds - 1
    # Quantiles of chi-square: how far a variance known from few seeds may be off.
    lucky, unlucky = (
        freedom / (2 * special.gammaincinv(freedom / 2, q)) for q in (1 - UNSURE, UNSURE)
    )
    likely, low, high = needed(1.0), needed(float(lucky)), needed(float(unlucky))
    if likely is None:
        return None
    return Needed(likely if low is None else low, likely, high)
