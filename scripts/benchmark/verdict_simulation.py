"""What a verdict keeps of its promises: simulated studies whose truth is known.

Run ``python scripts/benchmark/verdict_simulation.py --out runs/verdict_simulation`` (hours on one
core for 2,000 studies a row). It runs 500 studies of every row, then 500 more, and so on; each part
is a JSON file and is not run again, so it may be stopped at any time. At the end it prints a
Markdown table; ``--table`` prints what is there so far.

Every study is simulated down to the score of every test image. Rows of several images a patient,
of three classes or of another metric than AUC go through all that a real study goes through:
:func:`training_overlap` of the training sets that were drawn, :class:`StudyStatistics` of the
predictions, :func:`conclude`. In the other rows the areas under the curve and what each patient
adds to their error are computed for many studies at once, and the rest is the code of a study; the
first study of every part goes both ways, and the row stops if they differ by more than 1e-9.

Sources of luck, each with a size of its own: the training sample (a sum over its patients, so that
training sets that share patients share luck; a part common to all arms, a part of each arm), the
training (arm x seed), the patient, the patient in an arm (the same at every seed), the image, the
image in an arm and seed. Any of those of arms may have heavy tails; a training may collapse. Test
patients are what the training leaves over of the pool, drawn anew at each seed, or the same ones at
every seed.
"""

import argparse
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, softmax
from scipy.stats import norm

from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.results import TrainingOverlap
from monai_gan_aug.statistics.conclusion import Question, conclude
from monai_gan_aug.statistics.decision import Gain, Part, decide
from monai_gan_aug.statistics.intervals import TAIL, MeanOverSeeds, mean_over_seeds
from monai_gan_aug.statistics.looks import tail_of_look
from monai_gan_aug.statistics.overlap import training_overlap
from monai_gan_aug.statistics.study_statistics import StudyStatistics

Array = NDArray[np.float64]

ARM, BASELINE = "candidate", "classical"
WORDS = ("helps", "harms", "no relevant gain", "underpowered")
PART = 500


@dataclass(frozen=True)
class World:
    """What the simulated studies of a row have in common; all sizes are in units of the score.

    Args:
        seeds: Repetitions.
        pool: Patients of each class to draw training sets from.
        fraction: Share of the pool that is trained on.
        tested: Test patients of each class who are the same at every seed; if not given, those of
            the pool that are not trained on.
        images: Images of a patient, on average.
        training: Luck of the training sample, of each arm.
        common_training: Luck of the training sample that all arms share.
        luck: Luck of arm and seed.
        patient: How much easier a patient is than another, for all arms.
        patient_arm: The same for one arm, at every seed.
        image: The same for an image, for all arms.
        image_arm: The same for an image, one arm and one seed.
        tails: Degrees of freedom of Student's t for the luck of arms; 0 for normal.
        collapse: Chance that a training learns nothing.
        quality: Distance of the classes.
        effect: What it gains in the candidate.
        controls: Number of controls, all alike.
    """

    seeds: int = 5
    pool: tuple[int, ...] = (100, 100)
    fraction: float = 0.4
    tested: tuple[int, ...] | None = None
    images: int = 1
    training: float = 0.3
    common_training: float = 0.3
    luck: float = 0.0
    patient: float = 1.0
    patient_arm: float = 0.3
    image: float = 0.5
    image_arm: float = 0.5
    tails: float = 0.0
    collapse: float = 0.0
    quality: float = 2.2
    effect: float = 0.0
    controls: int = 1

    @property
    def arms(self) -> tuple[str, ...]:
        """The candidate, the baseline, and further controls."""
        return (ARM, BASELINE, *(f"control_{number}" for number in range(1, self.controls)))

    @property
    def gain(self) -> float:
        """The true gain in AUC, over pools, of two classes and normal luck without collapse."""
        if self.effect == 0:
            return 0.0
        noise = self.patient**2 + self.patient_arm**2 + self.image**2 + self.image_arm**2
        luck = self.training**2 + self.common_training**2 + self.luck**2
        reach = math.sqrt(2 * noise + luck)
        with_effect, without = (self.quality + self.effect) / reach, self.quality / reach
        return float(norm.cdf(with_effect) - norm.cdf(without))


@dataclass(frozen=True)
class SimulatedStudy:
    """The predictions of a study and the training patients of every seed, by class."""

    predictions: list[Predictions]
    training: list[dict[str, set[str]]]

    def first(self, seeds: int) -> "SimulatedStudy":
        """The same study after its first seeds."""
        kept = [item for item in self.predictions if item.seed < seeds]
        return SimulatedStudy(kept, self.training[:seeds])

    def statistics(self) -> StudyStatistics:
        """As a study computes them."""
        return StudyStatistics(self.predictions, training_overlap(self.training))


class Simulator:
    """Draws studies of a world.

    Args:
        world: What they have in common.
        seed: Seed of all draws.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.generator = np.random.default_rng(seed)
        classes = len(world.pool)
        self.names = tuple(f"class {label}" for label in range(classes))
        tested = world.tested or (0,) * classes
        sizes = (*world.pool, *tested)
        self.labels = np.repeat([*range(classes), *range(classes)], sizes)
        self.pool = np.arange(len(self.labels)) < sum(world.pool)
        self.patients = [f"{number:05d}" for number in range(len(self.labels))]
        self.images = list(map(str, range(len(self.labels) * 10 * world.images)))

    def studies(self, count: int) -> Iterator[SimulatedStudy]:
        """``count`` independent studies, each with a pool of its own."""
        for _ in range(count):
            yield self.study()

    def study(self) -> SimulatedStudy:
        """One study."""
        world, draw = self.world, self.generator
        arms, dimensions = len(world.arms), 1 if len(world.pool) == 2 else len(world.pool)
        images = np.ones(len(self.labels), int)
        if world.images > 1:
            images += draw.poisson(world.images - 1, len(self.labels))
        owner = np.repeat(np.arange(len(self.labels)), images)
        taught = self._noise(arms, len(self.labels)), self._noise(len(self.labels))
        easy = world.patient * draw.normal(size=(len(self.labels), dimensions))
        easy_arm = world.patient_arm * self._noise(arms, len(self.labels), dimensions)
        easy_image = world.image * draw.normal(size=(len(owner), dimensions))
        fixed = easy[owner] + easy_image + easy_arm[:, owner]
        target = self._target(dimensions)[owner]
        predictions, training = [], []
        for seed in range(world.seeds):
            sets = self._training_sets()
            quality = self._qualities(taught, sets)
            rows = self._test_rows(owner, sets)
            own = world.image_arm * draw.normal(size=(arms, len(rows), dimensions))
            scores = quality[:, None, None] * target[rows] + fixed[:, rows] + own
            predictions += self._predictions(seed, owner[rows], rows, scores)
            training.append(
                {
                    name: set(map(self.patients.__getitem__, members.tolist()))
                    for name, members in zip(self.names, sets, strict=True)
                }
            )
        return SimulatedStudy(predictions, training)

    def _noise(self, *shape: int) -> Array:
        """Of unit variance."""
        freedom = self.world.tails
        if not freedom:
            return self.generator.normal(size=shape)
        scaled: Array = self.generator.standard_t(freedom, shape) / math.sqrt(
            freedom / (freedom - 2)
        )
        return scaled

    def _target(self, dimensions: int) -> Array:
        """What a score should be: half a unit up or down, or one unit in the place of the class."""
        if dimensions == 1:
            return self.labels[:, None] - 0.5
        return np.eye(dimensions)[self.labels]

    def _training_sets(self) -> list[NDArray[np.int64]]:
        sets = []
        for label, size in enumerate(self.world.pool):
            members = self.generator.permutation(np.flatnonzero(self.pool & (self.labels == label)))
            sets.append(members[: max(2, round(self.world.fraction * size))])
        return sets

    def _qualities(self, taught: tuple[Array, Array], sets: list[NDArray[np.int64]]) -> Array:
        """Of every arm, after one training on these patients."""
        world = self.world
        by_arm, common = taught
        luck = sum(
            math.sqrt(len(members))
            * (
                world.training * by_arm[:, members].mean(axis=1)
                + world.common_training * common[members].mean()
            )
            for members in sets
        ) / math.sqrt(len(sets))
        quality = world.quality + luck + world.luck * self._noise(len(world.arms))
        quality[0] += world.effect
        collapsed = self.generator.random(len(world.arms)) < world.collapse
        return np.where(collapsed, 0.0, quality)

    def _test_rows(
        self, owner: NDArray[np.int64], sets: list[NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        tested = ~self.pool
        if self.world.tested is None:
            tested = np.ones(len(self.labels), bool)
            tested[np.concatenate(sets)] = False
        return np.flatnonzero(tested[owner])

    def _predictions(
        self, seed: int, owner: NDArray[np.int64], rows: NDArray[np.int64], scores: Array
    ) -> Iterable[Predictions]:
        ids = tuple(map(self.images.__getitem__, rows.tolist()))
        groups = tuple(map(self.patients.__getitem__, owner.tolist()))
        labels = self.labels[owner]
        for arm, score in zip(self.world.arms, scores, strict=True):
            if score.shape[1] == 1:
                positive = expit(score)
                probabilities = np.concatenate([1 - positive, positive], axis=1)
            else:
                probabilities = softmax(score, axis=1)
            yield Predictions(
                arm=arm,
                seed=seed,
                class_names=self.names,
                split="test",
                split_sha256=str(seed),
                ids=ids,
                groups=groups,
                labels=labels,
                probabilities=probabilities,
            )


class FastStudies:
    """Many studies at once, of two classes and one image a patient, judged by AUC.

    Drawing scores, areas and influences is done for all studies together; from there on every
    study goes its usual way (:func:`mean_over_seeds`, :func:`decide`). :meth:`predictions` gives
    one of the studies as predictions, so that both ways can be compared.

    Args:
        world: What the studies have in common.
        studies: How many.
        seed: Seed of all draws.
    """

    def __init__(self, world: World, studies: int, seed: int) -> None:
        self.world, self.studies = world, studies
        self.simulator = Simulator(world, seed)
        self.generator = self.simulator.generator
        self.labels, people = self.simulator.labels, len(self.simulator.labels)
        arms = len(world.arms)
        noise = self.simulator._noise
        self.taught = noise(studies, arms, people), noise(studies, people)
        spread = math.hypot(world.patient, world.image)
        easy = spread * self.generator.normal(size=(studies, 1, people))
        self.easy = easy + world.patient_arm * noise(studies, arms, people)
        self.areas = np.empty((studies, arms, world.seeds))
        self.influence = np.zeros((studies, arms, world.seeds, people))
        self.trained = np.zeros((studies, world.seeds, people), bool)
        self.scores = np.full((studies, arms, world.seeds, people), np.nan)
        for seed_number in range(world.seeds):
            self._repeat(seed_number)

    def _repeat(self, number: int) -> None:
        """One split and one training of every arm, in all studies."""
        world, rows = self.world, np.arange(self.studies)[:, None]
        luck = np.zeros((self.studies, len(world.arms)))
        tested = []
        by_arm, common = self.taught
        for label, size in enumerate(world.pool):
            members = np.flatnonzero(self.simulator.pool & (self.labels == label))
            order = members[self.generator.random((self.studies, size)).argsort(axis=1)]
            count = max(2, round(world.fraction * size))
            drawn, rest = order[:, :count], order[:, count:]
            self.trained[rows, number, drawn] = True
            own = np.take_along_axis(by_arm, drawn[:, None], axis=2).mean(axis=2)
            shared = common[rows, drawn].mean(axis=1, keepdims=True)
            luck += math.sqrt(count / len(world.pool)) * (
                world.training * own + world.common_training * shared
            )
            if world.tested is not None:
                fixed = np.flatnonzero(~self.simulator.pool & (self.labels == label))
                rest = np.broadcast_to(fixed, (self.studies, len(fixed)))
            tested.append(rest)
        quality = world.quality + luck + world.luck * self.simulator._noise(*luck.shape)
        quality[:, 0] += world.effect
        quality[self.generator.random(luck.shape) < world.collapse] = 0.0
        self._judge(number, tested, quality)

    def _judge(self, number: int, tested: list[NDArray[np.int64]], quality: Array) -> None:
        """Scores, areas and influences of one seed; scores are never equal."""
        test = np.concatenate(tested, axis=1)[:, None]
        negatives, positives = (part.shape[1] for part in tested)
        scores = quality[:, :, None] * (self.labels[test] - 0.5)
        scores = scores + np.take_along_axis(self.easy, test, axis=2)
        scores += self.world.image_arm * self.generator.normal(size=scores.shape)
        rank = scores.argsort(axis=2).argsort(axis=2)
        own = [
            part.argsort(axis=2).argsort(axis=2)
            for part in (scores[:, :, :negatives], scores[:, :, negatives:])
        ]
        above = 1 - (rank[:, :, :negatives] - own[0]) / positives
        below = (rank[:, :, negatives:] - own[1]) / negatives
        self.areas[:, :, number] = below.mean(axis=2)
        moves = [
            (part - part.mean(axis=2, keepdims=True)) / math.sqrt(count * (count - 1))
            for part, count in ((above, negatives), (below, positives))
        ]
        where = np.broadcast_to(test, scores.shape)
        np.put_along_axis(
            self.influence[:, :, number], where, np.concatenate(moves, axis=2), axis=2
        )
        np.put_along_axis(self.scores[:, :, number], where, scores, axis=2)

    def gains(self, study: int, seeds: int) -> tuple[Gain, ...]:
        """What :func:`conclude` would make of the first seeds of a study."""
        tested = ~np.isnan(self.scores[study, 0, :seeds]).all(axis=0)
        patients = np.bincount(self.labels[tested])
        overlap = self.overlap(study, seeds)
        gains = []
        for place, control in enumerate(self.world.arms[1:], start=1):
            areas = self.areas[study, :, :seeds]
            moves = self.influence[study, :, :seeds]
            mean = mean_over_seeds(
                areas[0] - areas[place],
                moves[0] - moves[place],
                self.labels,
                patients,
                overlap=overlap,
                lowest=-1.0,
                highest=1.0,
            )
            part = Part.BASELINE if control == BASELINE else Part.PLANNED
            gains.append(Gain(control, control, part, mean, 1 - float(areas[place].mean())))
        return tuple(gains)

    def overlap(self, study: int, seeds: int) -> TrainingOverlap:
        """As :func:`training_overlap` measures it."""
        shares = []
        for label in (0, 1):
            drawn = self.trained[study, :seeds, self.labels == label].T.astype(float)
            common = drawn @ drawn.T / drawn.sum(axis=1)
            shares.append(float(common[np.triu_indices(seeds, 1)].mean()))
        return TrainingOverlap(max(shares))

    def predictions(self, study: int) -> SimulatedStudy:
        """A study down to its probabilities."""
        simulator, items, training = self.simulator, [], []
        for number in range(self.world.seeds):
            rows = np.flatnonzero(~np.isnan(self.scores[study, 0, number]))
            items += simulator._predictions(
                number, rows, rows, self.scores[study, :, number, rows].T[:, :, None]
            )
            sets = {
                name: {
                    simulator.patients[patient]
                    for patient in np.flatnonzero(
                        self.trained[study, number] & (self.labels == label)
                    )
                }
                for label, name in enumerate(simulator.names)
            }
            training.append(sets)
        return SimulatedStudy(items, training)


def question(world: World, metric: str, relevant_effect: float) -> Question:
    """The candidate against all controls."""
    return Question(
        ARM, BASELINE, planned=world.arms[2:], metric=metric, relevant_effect=relevant_effect
    )


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Args:
        title: What is special about it.
        world: Of its studies.
        metric: The metric judged.
        relevant_effect: Smallest difference that matters.
        looks: Numbers of seeds at which somebody looks, until a firm word falls; none for one look.
        powered: Whether the effect is set to what such studies call detectable.
        gained: True gain to be set, instead.
    """

    title: str
    world: World
    metric: str = "auc"
    relevant_effect: float = 0.02
    looks: tuple[int, ...] = ()
    powered: bool = False
    gained: float = 0.0


def with_gain(world: World, gain: float) -> World:
    """The same world with an effect that gains so much AUC."""
    if gain == 0:
        return world
    effect = brentq(lambda effect: replace(world, effect=effect).gain - gain, 0, 30)
    return replace(world, effect=float(effect))


def stated_effect(row: Row, studies: int, seed: int) -> World:
    """The world in which the candidate gains what its studies call detectable, on average.

    What is detectable depends on the effect (near the ceiling everything varies less), so it is
    looked up again where it was found.
    """
    room = replace(row.world, effect=30.0).gain
    gain = 0.0
    for attempt in range(4):
        part = run_part(row, with_gain(row.world, gain), studies, seed + attempt)
        mean = float(np.mean(part["detectable"]))
        gain = min(mean if attempt == 0 else (gain + mean) / 2, 0.95 * room)
    return with_gain(row.world, gain)


@dataclass(frozen=True)
class Outcome:
    """What is kept of a study: its word, the gain over the baseline, the detectable gain."""

    word: str
    gain: MeanOverSeeds
    detectable: float


def run_part(row: Row, world: World, studies: int, seed: int) -> dict[str, list]:
    """Simulate some studies of a row; one entry per study in every list."""
    fast = row.metric == "auc" and len(world.pool) == 2 and world.images == 1
    found = fast_outcomes if fast else slow_outcomes
    outcomes = list(found(row, world, studies, seed))
    return {
        "words": [outcome.word for outcome in outcomes],
        "values": [outcome.gain.value for outcome in outcomes],
        "halves": [outcome.gain.half_width(TAIL) for outcome in outcomes],
        "detectable": [outcome.detectable for outcome in outcomes],
    }


def slow_outcomes(row: Row, world: World, studies: int, seed: int) -> Iterator[Outcome]:
    """Every study on its own, from its predictions."""
    for study in Simulator(world, seed).studies(studies):
        yield concluded(study, row)


def concluded(study: SimulatedStudy, row: Row, seeds: int | None = None, look: int = 1) -> Outcome:
    """What a real study would conclude from these predictions."""
    found = conclude(
        study.first(seeds or row.world.seeds).statistics(),
        question(row.world, row.metric, row.relevant_effect),
        look=look,
    )
    stated = found.minimum_detectable_effect
    return Outcome(found.word, found.gains[0].gain, math.nan if stated is None else stated)


def fast_outcomes(
    row: Row, world: World, studies: int, seed: int, at_once: int = 25
) -> Iterator[Outcome]:
    """All studies together; the first goes the whole way as well, and must agree."""
    for start in range(0, studies, at_once):
        batch = FastStudies(world, min(at_once, studies - start), seed + start)
        for study in range(batch.studies):
            for look, seeds in enumerate(row.looks or (world.seeds,), start=1):
                outcome = fast_outcome(batch.gains(study, seeds), row.relevant_effect, look)
                if start == study == 0:
                    require_same(outcome, concluded(batch.predictions(0), row, seeds, look))
                if outcome.word in ("helps", "harms"):
                    break
            yield outcome


def fast_outcome(gains: tuple[Gain, ...], relevant_effect: float, look: int) -> Outcome:
    """As :func:`conclude` goes on from the gains."""
    tail = tail_of_look(look)
    word = decide(gains, relevant_effect, tail).word.value
    stated = [gain.gain.detectable(tail) for gain in gains]
    return Outcome(word, gains[0].gain, max(math.nan if one is None else one for one in stated))


def require_same(fast: Outcome, slow: Outcome) -> None:
    """Raise an error if both ways differ."""
    pairs = (
        (fast.gain.value, slow.gain.value),
        (fast.gain.half_width(), slow.gain.half_width()),
        (fast.detectable, slow.detectable),
    )
    if fast.word != slow.word or any(abs(one - other) > 1e-9 for one, other in pairs):
        raise RuntimeError(f"The fast way differs from that of a study: {fast}, {slow}.")


def summary(row: Row, world: World, parts: list[dict[str, list]]) -> dict[str, object]:
    """Rates of words, and of the truth beyond either end of the 95 % interval."""
    words, values, halves, stated = (
        np.concatenate([part[key] for part in parts])
        for key in ("words", "values", "halves", "detectable")
    )
    error = values - world.gain
    nothing = 1e-12  # a study without any variance has an interval of no width, not a miss
    return {
        "title": row.title,
        "seeds": world.seeds,
        "truth": world.gain,
        "studies": len(values),
        "below": float((error > halves + nothing).mean()),
        "above": float((error < -halves - nothing).mean()),
        "words": {word: float((words == word).mean()) for word in WORDS},
        "width": float(np.median(halves) / (norm.isf(TAIL) * values.std(ddof=1))),
        "detectable": float(stated.astype(float).mean()),
    }


def rows() -> list[Row]:
    """The table."""
    world = World()
    sample = replace(world, training=0.4, patient_arm=0.1, image_arm=0.2)
    mixed = replace(world, luck=0.2)
    weights = replace(world, training=0.0, common_training=0.0, luck=0.3)
    stable = replace(world, fraction=0.2, training=0.1, patient_arm=0.6, image_arm=0.2)
    fixed = replace(stable, tested=(300, 5))
    alone = [
        Row(f"training sample, {share:.0%} of the pool", replace(sample, seeds=n, fraction=share))
        for share, numbers in ((0.2, (3, 10, 30)), (0.4, (5, 10)), (0.7, (3, 5, 10, 30)))
        for n in numbers
    ]
    by_seeds = [
        Row(title, replace(luck, seeds=n))
        for title, luck, numbers in (
            ("all kinds of luck", mixed, (3, 5, 10, 30)),
            ("weights", weights, (3,)),
            ("same test patients, 30 + 30", replace(stable, tested=(30, 30)), (3,)),
            ("same test patients, 5 + 300", fixed, (3, 5, 10, 30)),
            ("heavy tails (t, 2.5)", replace(mixed, tails=2.5), (3, 10)),
            ("one training in ten collapses", replace(mixed, collapse=0.1), (3, 10)),
        )
        for n in numbers
    ]
    special = [
        Row("same test patients, 5 + 300, heavy tails", replace(fixed, tails=2.5)),
        Row("same test patients, 5 + 5", replace(stable, tested=(5, 5), quality=1.5)),
        Row("same test patients, 300 + 300", replace(stable, tested=(300, 300))),
        Row("drawn anew, pool of 10 + 300", replace(mixed, pool=(300, 10), fraction=0.5)),
        Row("drawn anew, pool of 10 + 10", replace(mixed, pool=(10, 10), fraction=0.5)),
        Row("six images a patient", replace(mixed, pool=(50, 50), images=6, patient_arm=0.6)),
        Row(
            "heavy tails of 7 + 7 training patients",
            replace(sample, seeds=3, pool=(10, 10), fraction=0.7, tested=(100, 100), tails=2.5),
        ),
        Row("at the ceiling (AUC 0.99)", replace(mixed, quality=4.5)),
        Row("three classes", replace(mixed, pool=(60, 60, 60))),
        Row("three controls", replace(mixed, controls=3)),
        Row("balanced accuracy", replace(mixed, pool=(60, 60)), "balanced_accuracy"),
        Row("average precision, 20 + 100", replace(mixed, pool=(100, 20)), "average_precision"),
        Row("Brier score", replace(mixed, pool=(60, 60)), "brier"),
        Row("calibration error", replace(mixed, pool=(60, 60)), "ece"),
        Row(
            "gain = relevant effect: all kinds, 20%",
            replace(mixed, seeds=10, fraction=0.2),
            gained=0.02,
        ),
        Row(
            "gain = relevant effect: same 300 + 300",
            replace(stable, seeds=10, tested=(300, 300)),
            gained=0.02,
        ),
    ]
    return [*alone, *by_seeds, *special, *powered_rows(), *stopped_rows()]


def powered_rows() -> list[Row]:
    """The candidate gains what is stated as detectable: "helps" should fall in 80 %."""
    world = World(pool=(200, 200), fraction=0.2, quality=1.4, training=0.1, common_training=0.1)
    sample = replace(world, training=0.15, patient_arm=0.1, image_arm=0.1)
    weights = replace(world, training=0.0, luck=0.15)
    patients = replace(world, training=0.05, patient_arm=0.6, image_arm=0.2, tested=(60, 60))
    return [
        Row(f"gain = stated effect: {title}", replace(luck, seeds=n), powered=True)
        for title, luck, numbers in (
            ("training sample", sample, (3, 5, 10)),
            ("all kinds of luck", replace(world, luck=0.1), (5, 10, 30)),
            ("weights", weights, (5,)),
            ("patients", patients, (5,)),
        )
        for n in numbers
    ]


def stopped_rows() -> list[Row]:
    """Nine looks, until one says something firm."""
    nine = (3, 5, 7, 9, 11, 13, 15, 17, 20)
    world = World(seeds=20, pool=(60, 60), fraction=0.2)
    return [
        Row(
            "looks at 3, 5, …, 20 seeds: training sample", replace(world, training=0.4), looks=nine
        ),
        Row(
            "looks at 3, 5, …, 20 seeds: weights",
            replace(world, training=0.0, common_training=0.0, luck=0.3),
            looks=nine,
        ),
    ]


def markdown(results: Iterable[dict[str, object]]) -> str:
    """The table, rates in per cent."""
    lines = [
        "| luck | seeds | studies | true gain | truth below, above the 95 % interval | helps "
        "| harms | no relevant gain | width | detectable |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        rates = [f"{100 * result['words'][word]:.1f}" for word in WORDS[:3]]
        lines.append(
            f"| {result['title']} | {result['seeds']} | {result['studies']} "
            f"| {result['truth']:.3f} | {100 * result['below']:.1f}, {100 * result['above']:.1f} "
            f"| {' | '.join(rates)} | {result['width']:.2f} | {result['detectable']:.3f} |"
        )
    return "\n".join(lines)


def world_of(row: Row, path: Path, seed: int) -> World:
    """The world of a row, with its effect; kept in a file, since it may take long to find."""
    if not path.exists():
        world = stated_effect(row, 500, seed) if row.powered else with_gain(row.world, row.gained)
        path.write_text(json.dumps({"effect": world.effect}), encoding="utf-8")
    return replace(row.world, **json.loads(path.read_text(encoding="utf-8")))


def main() -> None:
    """Run what is not finished, 500 studies of every row in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000, help="a multiple of 500")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/verdict_simulation"))
    parser.add_argument("--only", default="", help="rows whose title holds this")
    parser.add_argument("--table", action="store_true", help="print what is there, run nothing")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept: dict[int, list[dict[str, list]]] = {}
    worlds: dict[int, World] = {}
    for part in range(math.ceil(arguments.studies / PART)):
        for number, row in enumerate(rows()):
            path = arguments.out / f"row-{number:02d}-part-{part}.json"
            seed = arguments.seed + 1_000_000 * number + 1_000 * part
            wanted = arguments.only in row.title and not arguments.table
            if wanted or path.exists():
                named = arguments.out / f"row-{number:02d}-effect.json"
                worlds[number] = world_of(row, named, seed + 500_000)
            if wanted and not path.exists():
                result = run_part(row, worlds[number], min(PART, arguments.studies), seed)
                path.write_text(json.dumps(result), encoding="utf-8")
                print(f"{path.name}: {row.title}", flush=True)
            if path.exists():
                kept.setdefault(number, []).append(json.loads(path.read_text(encoding="utf-8")))
    rest = ((rows()[number], worlds[number], parts) for number, parts in sorted(kept.items()))
    print(markdown(summary(*one) for one in rest))


if __name__ == "__main__":
    main()
