"""How often the corrected claims of a study are wrong, and how often they find what is there.

Run ``python scripts/benchmark/claims_honesty.py --studies 400``. The simulated studies are those of
``verdict_honesty.py``, with several candidates and several controls. Three questions:

- All arms are alike. How often does any candidate come out with a corrected p-value of at most 0.05
  against the baseline alone, in ``verdict_controls``, or in ``every_control``? At most in 5 % of
  studies, if the correction does what it says.
- One candidate is better than every other arm by what the study's own ``minimum_detectable_effect``
  calls detectable with a chance of 80 %. How often does the plain interval against one control find
  it, and how often do the corrected claims?
- That candidate aside, how often is one of the others, which are worthless, claimed?
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq
from verdict_honesty import World

from monai_gan_aug.statistics.arm_statistics import ArmStatistics
from monai_gan_aug.statistics.paired import claims, two_sided_p
from monai_gan_aug.studies.arms import Arm

ALPHA = 0.05
CLAIMS = ("baseline", "verdict_controls", "every_control")


def study_arms(candidates: int, controls: int) -> tuple[Arm, ...]:
    """The baseline and other controls, then ``candidate`` and others of its kind."""
    names = ["classical", *(f"control_{number}" for number in range(1, controls))]
    others = ["candidate", *(f"candidate_{number}" for number in range(1, candidates))]
    return tuple(
        Arm(name, name, "control" if name in names else "candidate") for name in (*names, *others)
    )


def claimed(statistics: ArmStatistics, arms: Sequence[Arm]) -> dict[str, set[str]]:
    """The candidates that are called better, corrected, at 5 %, as in ``corrected_claims``.

    Every pair is looked at once for all three sets of controls, and an arm that is not better than
    a control needs no p-value, since it can claim nothing.
    """
    controls = [one.name for one in arms if one.role == "control"]
    against = {
        "baseline": controls[:1],
        "verdict_controls": controls[:2],
        "every_control": controls,
    }
    gains = {}
    for arm in (one.name for one in arms if one.role == "candidate"):
        gains[arm] = {}
        for control in controls:
            draws = statistics.draws(arm, control)
            found = draws.interval()
            gains[arm][control] = (found, two_sided_p(draws) if found.mean > 0 else 1.0)
    chosen = {
        part: {arm: {name: found[name] for name in names} for arm, found in gains.items()}
        for part, names in against.items()
    }
    return {
        part: {claim.arm for claim in claims(chosen[part]) if claim.holm <= ALPHA}
        for part in CLAIMS
    }


def simulate(
    world: World, arms: Sequence[Arm], studies: int, replicates: int, seed: int
) -> dict[str, float]:
    """Rates over many studies; ``any`` of the worthless arms, ``the`` one that is better."""
    generator = np.random.default_rng(seed)
    rates = {f"{who}, {part}": 0.0 for who in ("any", "the") for part in CLAIMS}
    rates |= {"the, one control": 0.0, "detectable": 0.0}
    for number in range(studies):
        drawn = world.study(generator, [one.name for one in arms])
        statistics = ArmStatistics(drawn, replicates=replicates, seed=number)
        for part, names in claimed(statistics, arms).items():
            worthless = names - {"candidate"} if world.effect else names
            rates[f"any, {part}"] += bool(worthless) / studies
            rates[f"the, {part}"] += ("candidate" in names) / studies
        gain = statistics.difference("candidate", "classical")
        rates["the, one control"] += (gain.lower > 0) / studies
        rates["detectable"] += gain.minimum_detectable_effect / studies
    return rates


def detectable_world(world: World, replicates: int, studies: int = 40) -> World:
    """The world in which the candidate gains what its studies call detectable, on average."""
    generator = np.random.default_rng(0)
    wanted = np.mean(
        [
            ArmStatistics(world.study(generator), replicates=replicates)
            .difference("candidate", "classical")
            .minimum_detectable_effect
            for _ in range(studies)
        ]
    )
    effect = brentq(lambda effect: replace(world, effect=effect).gain - wanted, 0, 5)
    return replace(world, effect=effect)


def main() -> None:
    """Print one line per world, without and with an effect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--candidates", type=int, default=6)
    parser.add_argument("--controls", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worlds", nargs="*", default=[], help="names to run; all if not given")
    arguments = parser.parse_args()
    arms = study_arms(arguments.candidates, arguments.controls)
    worlds = {
        "3 seeds": World(seeds=3),
        "5 seeds": World(),
        "5 seeds, little luck": World(luck=0.03),
        "5 seeds, 40 patients": World(patients=40),
    }
    for name, world in worlds.items():
        if arguments.worlds and name not in arguments.worlds:
            continue
        with_effect = detectable_world(world, arguments.replicates)
        for title, one in ((name, world), (f"{name}, with an effect", with_effect)):
            rates = simulate(one, arms, arguments.studies, arguments.replicates, arguments.seed)
            print(f"{title}: true gain {one.gain:.4f}", flush=True)
            for what, rate in rates.items():
                print(f"  {what:24s}{rate:.3f}", flush=True)


if __name__ == "__main__":
    main()
