"""How often a verdict is wrong: simulated studies in which the truth is known.

Run ``python scripts/benchmark/verdict_honesty.py --studies 1000``. Each study has its own pool of
patients; each seed tests on a random part of it, so patients are shared between seeds as in a
real study. Scores are ``quality * label + patient + image``, where the quality of an arm varies
from seed to seed (training luck), the difficulty of a patient is common to all arms, and the rest
is specific to arm, seed and image.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.statistics.arm_statistics import ArmStatistics
from monai_gan_aug.statistics.verdict import verdict

OWN = 0.5
ARMS = ("candidate", "classical", "classical_twice")


@dataclass(frozen=True)
class World:
    """What the simulated studies have in common.

    Args:
        seeds: Repetitions per study.
        patients: Patients in the pool.
        tested: Share of the pool in each test set.
        images: Images per patient.
        luck: Standard deviation of an arm's quality between seeds.
        effect: What the candidate's quality gains.
    """

    seeds: int = 5
    patients: int = 200
    tested: float = 0.5
    images: int = 2
    luck: float = 0.15
    effect: float = 0.0
    quality: float = 2.2

    @property
    def gain(self) -> float:
        """The expected difference in AUC between the candidate and any other arm.

        Scores of two images of different patients differ by a normal number.
        """
        reach = np.sqrt(2 * (1 + 2 * OWN**2) + self.luck**2)
        return float(
            norm.cdf((self.quality + self.effect) / reach) - norm.cdf(self.quality / reach)
        )

    def study(
        self, generator: np.random.Generator, arms: Sequence[str] = ARMS
    ) -> list[Predictions]:
        """Draw the predictions of one study; only ``candidate`` has the effect."""
        labels = np.arange(self.patients) % 2
        difficulty = generator.normal(size=self.patients)
        found = []
        for seed in range(self.seeds):
            count = round(self.patients * self.tested)
            patients = np.repeat(generator.permutation(self.patients)[:count], self.images)
            shared = generator.normal(size=len(patients)) * OWN
            for arm in arms:
                gain = self.effect if arm == "candidate" else 0.0
                quality = self.quality + gain + self.luck * generator.normal()
                own = generator.normal(size=len(patients)) * OWN
                score = quality * (labels[patients] - 0.5) + difficulty[patients] + shared + own
                found.append(_predictions(arm, seed, patients, labels[patients], score))
        return found


def _predictions(
    arm: str, seed: int, patients: np.ndarray, labels: np.ndarray, score: np.ndarray
) -> Predictions:
    positive = expit(score)
    return Predictions(
        arm=arm,
        seed=seed,
        class_names=("healthy", "ill"),
        split="test",
        split_sha256=str(seed),
        ids=tuple(f"{patient}/{row}" for row, patient in enumerate(patients)),
        groups=tuple(map(str, patients)),
        labels=labels,
        probabilities=np.stack([1 - positive, positive], axis=1),
    )


def simulate(world: World, studies: int, replicates: int, seed: int = 0) -> dict[str, float]:
    """Rates of every verdict and coverage of the interval over many studies."""
    generator = np.random.default_rng(seed)
    truth = world.gain
    words: dict[str, float] = dict.fromkeys(["helps", "harms", "no evidence", "underpowered"], 0.0)
    covered, detectable, width, spread = 0, 0.0, 0.0, []
    for number in range(studies):
        statistics = ArmStatistics(world.study(generator), replicates=replicates, seed=number)
        gain = statistics.difference("candidate", "classical")
        found = verdict(statistics, "candidate")
        words[found.word] += 1 / studies
        covered += gain.lower <= truth <= gain.upper
        width += (gain.upper - gain.lower) / studies
        detectable += found.minimum_detectable_effect / studies
        spread.append(gain.mean)
    return {
        "true gain": truth,
        **words,
        "coverage": covered / studies,
        "width": width,
        "detectable": detectable,
        "true SE": float(np.std(spread)),
    }


def main() -> None:
    """Print one row per world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=1000)
    arguments = parser.parse_args()
    worlds = {
        "2 seeds": World(seeds=2),
        "3 seeds": World(seeds=3),
        "5 seeds": World(),
        "10 seeds": World(seeds=10),
        "5 seeds, little luck": World(luck=0.03),
        "5 seeds, 40 patients": World(patients=40),
        "5 seeds, 1000 patients": World(patients=1000, images=1, luck=0.2),
        "5 seeds, gain": World(effect=0.3),
        "5 seeds, large gain": World(effect=0.6),
        "10 seeds, gain": World(seeds=10, effect=0.3),
        "5 seeds, loss": World(effect=-0.6),
    }
    for name, world in worlds.items():
        rates = simulate(world, arguments.studies, arguments.replicates)
        print(f"{name:24s}", "  ".join(f"{key} {value:.3f}" for key, value in rates.items()))


if __name__ == "__main__":
    main()
