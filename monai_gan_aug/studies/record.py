"""``study.json``: what every job of a study left behind, with intervals and the verdict."""

import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from monai_gan_aug import __version__
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.metrics.weighted import METRICS, confusion
from monai_gan_aug.records.checkpoints import CheckpointIndex
from monai_gan_aug.records.curves import Alarms, GanCurves
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.plan import PlanRecord
from monai_gan_aug.records.predictions import Predictions
from monai_gan_aug.records.provenance import SyntheticDatalist
from monai_gan_aug.records.quality import QualityFile, ScreeningFile, SelectionFile
from monai_gan_aug.records.results import ArmResult, ExternalResults, TrainingOverlap
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.records.study_parts import (
    ClassifierTraining,
    Cohort,
    Curves,
    GanHashes,
    GanTraining,
    Grid,
    PublishedTable,
    Recipe,
    SeedQuality,
    SeedRecord,
    SeedScreening,
    SeedSelection,
    Splits,
    Stage,
    StudyProvenance,
    SweepPoint,
    Timing,
)
from monai_gan_aug.statistics.conclusion import Question
from monai_gan_aug.statistics.derived_arms import ArmOutcome
from monai_gan_aug.statistics.estimates import as_estimate
from monai_gan_aug.statistics.overlap import training_overlap
from monai_gan_aug.statistics.study_statistics import StudyStatistics
from monai_gan_aug.studies.arms import Arm, arms_needed_by
from monai_gan_aug.studies.comparisons import (
    Asked,
    comparison_rows,
    conclusion,
    corrected_claims,
    sample_size_equivalents,
)
from monai_gan_aug.studies.curves import (
    calibration_curves,
    precision_recall_curves,
    roc_curves,
)
from monai_gan_aug.studies.external_results import external_results
from monai_gan_aug.studies.layout import GanLayout, SeedLayout, StudyLayout
from monai_gan_aug.studies.outcomes import arm_outcome, require_split

logger = logging.getLogger(__name__)

__all__ = ["FinishedStudy", "now", "write_record"]

LIBRARIES = ("torch", "monai", "pytorch-ignite", "pydicom", "numpy", "scikit-learn")
UNSCREENED = "Too few patients for a copy screen: nobody looked for copies of training images."


@dataclass(frozen=True)
class TrainedGan:
    """One GAN of one seed: of all classes or of one, with unlabelled images or without.

    Args:
        seed: Where the seed lies.
        place: Where the GANs of its recipe lie.
        part: The position of its class, or nothing for one GAN for all classes.
    """

    seed: SeedLayout
    place: GanLayout
    part: int | None

    @property
    def saw_unlabelled(self) -> bool:
        """Whether it learned from images without a class as well."""
        return self.place == self.seed.unlabelled_gan

    @property
    def datalist(self) -> Path:
        """Datalist it learned from."""
        return self.seed.guesses.enlarged if self.saw_unlabelled else self.seed.datalist

    @property
    def synthetic(self) -> Path:
        """Datalist of its images; missing if none were drawn."""
        return self.place.synthetic(self.part)

    def name(self, labels: Sequence[str]) -> str:
        """Which GAN it is, in words."""
        of = "all classes" if self.part is None else labels[self.part]
        return f"{of}, with unlabelled images" if self.saw_unlabelled else of

    def checkpoint_sha256(self) -> str:
        """Hash of the newest checkpoint, of the best ones if those are kept."""
        best = self.place.checkpoint(self.part, best=True)
        index = CheckpointIndex.load(best if best.is_file() else self.place.checkpoint(self.part))
        return index.checkpoints[0].sha256


@dataclass(frozen=True)
class FinishedStudy:
    """Where the results of a finished study lie, and what they are called.

    Args:
        layout: Where everything of it lies.
        name: Short name.
        title: What the images and classes are.
        datalists: Split of every seed.
        arms: Arms that were trained.
        question: What the verdict is about.
        recipe: Settings that shaped the result.
        grids: Pictures of every class, from :func:`monai_gan_aug.studies.pictures.draw_grids`.
        stages: Seconds by stage.
        seconds: Seconds of this run.
        published: Numbers of a publication.
        external: External test sets by name, all images in the test split.
    """

    layout: StudyLayout
    name: str
    title: str
    datalists: Mapping[int, Datalist]
    arms: Sequence[Arm]
    question: Question
    recipe: Recipe
    grids: Sequence[Grid]
    stages: Mapping[str, float]
    seconds: float
    published: PublishedTable | None = None
    external: Mapping[str, Datalist] = field(default_factory=dict)

    def gans(self, seed: int) -> list[TrainedGan]:
        """The GANs of one seed, that of the labelled images first, then by class; often one."""
        place, labels = self.layout.seed(seed), self.datalists[seed].labels
        return [
            TrainedGan(place, gan, part)
            for gan in (place.gan(), place.unlabelled_gan)
            for part in gan.parts(labels)
        ]

    @property
    def split(self) -> Datalist:
        """The split of the first seed."""
        return next(iter(self.datalists.values()))

    @cached_property
    def outcomes(self) -> dict[tuple[int, str], ArmOutcome]:
        """What every arm of every seed says, by seed and name of the arm.

        Raises:
            DataError: If predictions are missing, or belong to another split.
        """
        outcomes = {}
        for seed, datalist in self.datalists.items():
            place = self.layout.seed(seed)
            for arm in self.arms:
                outcome = arm_outcome(place, arm)
                enlarged = place.more_patients(arm.name)
                learned = Datalist.load(enlarged) if arm.patients > 1 else datalist
                require_split(outcome.predictions, learned)
                outcomes[seed, arm.name] = outcome
        return outcomes

    @property
    def predictions(self) -> list[Predictions]:
        """One per seed and arm."""
        return [outcome.predictions for outcome in self.outcomes.values()]

    @cached_property
    def statistics(self) -> StudyStatistics:
        """Metrics and differences over seeds and patients."""
        return StudyStatistics(self.predictions, self.overlap)

    @cached_property
    def overlap(self) -> TrainingOverlap:
        """How far the training sets of the seeds are the same patients.

        Parts are the classes, and the unlabelled images if an arm of the question learns from them.
        """
        asked = {self.question.arm, *self.question.parts}
        unlabelled = any(
            arm.unlabelled for arm in arms_needed_by(a for a in self.arms if a.name in asked)
        )
        training: list[dict[str, set[str]]] = []
        for seed, datalist in self.datalists.items():
            parts: dict[str, set[str]] = {label: set() for label in datalist.labels}
            for entry in datalist.training:
                parts[datalist.labels[entry.known_label]].add(entry.group)
            if unlabelled:
                images = Datalist.load(self.layout.seed(seed).unlabelled)
                parts["unlabelled images"] = set(images.groups("training"))
            training.append(parts)
        return training_overlap(training)

    @property
    def evidence_sha256(self) -> str:
        """Hash of the predictions that the verdict rests on."""
        names = (self.question.arm, *self.question.parts)
        rows = {
            f"{seed} {name}": self.outcomes[seed, name].predictions
            for seed in self.datalists
            for name in names
        }
        return sha256_json(
            {
                name: [item.split_sha256, item.ids, item.probabilities.tolist()]
                for name, item in rows.items()
            }
        )


def write_record(
    study: FinishedStudy,
    plan: PlanRecord,
    unused_seeds: Sequence[int] = (),
    sweep: Mapping[int, FinishedStudy] | None = None,
) -> Path:
    """Compute intervals and the verdict from the predictions; write and return ``study.json``.

    The look at the results goes into ``plan.json`` before the verdict is told to anybody.

    Args:
        study: What the verdict is about.
        plan: What was planned, and the looks so far.
        unused_seeds: Seeds with results on disk that do not take part.
        sweep: Studies by training patients per class, if it was repeated with several.

    Raises:
        DataError: If predictions are missing or do not belong together.
    """
    statistics, question, arms = study.statistics, study.question, study.arms
    evidence = study.evidence_sha256
    asked = Asked(question, plan.next_look(evidence), plan.changes, tuple(unused_seeds))
    names = (question.arm, *asked.controls)
    own = _sweep_point(0, study, asked)  # under its number of patients if it is one of a sweep
    points = [
        replace(own, training_patients_per_class=patients)
        if point.layout == study.layout
        else _sweep_point(patients, point, asked)
        for patients, point in sorted((sweep or {}).items())
    ]
    plan = plan.looked(evidence, now(), own.verdict.word, own.verdict.sentence)
    plan.save(study.layout.plan)
    record = StudyRecord(
        name=study.name,
        title=study.title,
        created=now(),
        dataset=_cohort(study),
        recipe=study.recipe,
        seeds=own.seeds,
        arms=own.arms,
        comparisons=own.comparisons,
        plan=plan,
        corrected=corrected_claims(statistics, arms, asked),
        sample_size_equivalent=sample_size_equivalents(
            statistics, arms, question.baseline, question.metric, study.datalists
        ),
        verdict=own.verdict,
        external=own.external,
        curves=Curves(
            roc=roc_curves(study.predictions),
            precision_recall=precision_recall_curves(study.predictions, names),
            calibration=calibration_curves(study.predictions, names),
            gan=tuple(_gan_trainings(study)),
            classifier=tuple(_classifier_trainings(study)),
        ),
        quality=tuple(_quality(study)),
        screening=tuple(_screening(study)),
        selection=tuple(_selection(study)),
        grids=tuple(study.grids),
        published=study.published,
        provenance=_provenance(study),
        timing=Timing(
            tuple(Stage(name, round(seconds, 1)) for name, seconds in study.stages.items()),
            round(study.seconds, 1),
        ),
        sweep=tuple(points),
    )
    path = study.layout.record
    record.save(path)
    verdict = record.verdict
    logger.info("Verdict: %s. %s %s", verdict.word, verdict.sentence, verdict.next_step)
    return path


def now() -> str:
    """The time in UTC, ISO 8601, as records hold it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sweep_point(patients: int, study: FinishedStudy, asked: Asked) -> SweepPoint:
    return SweepPoint(
        arms=_arms(study, asked.tail),
        comparisons=comparison_rows(study.statistics, study.arms, asked),
        verdict=conclusion(study.statistics, study.arms, asked),
        training_patients_per_class=patients,
        seeds=_seeds(study),
        external=_external(study, asked),
    )


def _cohort(study: FinishedStudy) -> Cohort:
    split = study.split
    return Cohort(
        labels=split.labels,
        images=split.counts(),
        patients=split.group_counts(),
        grouping=split.split.grouping,
        caveats=(*split.caveats, *([UNSCREENED] if _is_unscreened(study) else [])),
    )


def _is_unscreened(study: FinishedStudy) -> bool:
    """Whether images were drawn of a seed and nobody screened them."""
    return any(
        gan.synthetic.is_file()
        and not gan.saw_unlabelled
        and not study.layout.seed(seed).gan().screening.is_file()
        for seed in study.datalists
        for gan in study.gans(seed)
    )


def _seeds(study: FinishedStudy) -> tuple[SeedRecord, ...]:
    return tuple(
        SeedRecord(
            seed=seed,
            split_sha256=datalist.sha256,
            images=_splits(datalist.counts),
            patients=_splits(datalist.group_counts),
            gans=tuple(_hashes(gan, datalist.labels) for gan in study.gans(seed)),
        )
        for seed, datalist in study.datalists.items()
    )


def _splits(count: Callable[[str], Mapping[str, int]]) -> Splits:
    return Splits(count("training"), count("validation"), count("test"))


def _hashes(gan: TrainedGan, labels: Sequence[str]) -> GanHashes:
    name = gan.name(labels)
    if not gan.synthetic.is_file():
        return GanHashes(name, Datalist.load(gan.datalist).sha256, gan.checkpoint_sha256())
    images = SyntheticDatalist.load(gan.synthetic)
    origin = images.provenance
    return GanHashes(name, origin.training.split_sha256, origin.checkpoint_sha256, images.sha256)


def _arms(study: FinishedStudy, tail: float) -> tuple[ArmResult, ...]:
    return tuple(_arm(arm, study, tail) for arm in study.arms)


def _arm(arm: Arm, study: FinishedStudy, tail: float) -> ArmResult:
    first, *_ = study.datalists
    counts = sum(
        confusion(item.labels, item.probabilities, np.ones((1, len(item))))[0]
        for item in study.statistics.predictions(arm.name)
    )
    return ArmResult(
        name=arm.name,
        metrics={
            name: as_estimate(study.statistics.metric(arm.name, name), tail) for name in METRICS
        },
        title=arm.title,
        role=arm.role,
        steps=study.outcomes[first, arm.name].steps,
        confusion=tuple(tuple(row) for row in np.rint(counts).astype(int).tolist()),
    )


def _external(study: FinishedStudy, asked: Asked) -> tuple[ExternalResults, ...]:
    seeds = [study.layout.seed(seed) for seed in study.datalists]
    return external_results(study.external, seeds, study.arms, asked, study.overlap)


def _gan_trainings(study: FinishedStudy) -> Iterator[GanTraining]:
    for seed, datalist in study.datalists.items():
        for gan in study.gans(seed):
            alarms = gan.place.alarms(gan.part)
            yield GanTraining(
                seed=seed,
                name=gan.name(datalist.labels),
                curves=GanCurves.load(gan.place.curves(gan.part)),
                alarms=Alarms.load(alarms).alarms if alarms.is_file() else None,
            )


def _classifier_trainings(study: FinishedStudy) -> Iterator[ClassifierTraining]:
    """Curves of the arms that have some: one that is averaged from others has none."""
    for (seed, arm), outcome in study.outcomes.items():
        if outcome.curves is not None:
            yield ClassifierTraining(seed, arm, outcome.curves)


def _quality(study: FinishedStudy) -> Iterator[SeedQuality]:
    for seed in study.datalists:
        path = study.layout.seed(seed).gan().quality
        if path.is_file():
            yield SeedQuality(seed, QualityFile.load(path).rows)


def _screening(study: FinishedStudy) -> Iterator[SeedScreening]:
    for seed in study.datalists:
        path = study.layout.seed(seed).gan().screening
        if path.is_file():
            screen = ScreeningFile.load(path)
            yield SeedScreening(
                seed=seed,
                caveat=screen.caveat,
                conclusion=screen.conclusion,
                near_copies=len(screen.near_copies),
                images=screen.images,
                recipe=screen.recipe,
                rows=screen.rows,
            )


def _selection(study: FinishedStudy) -> Iterator[SeedSelection]:
    for seed in study.datalists:
        kept = [gan.place.selection_cost(gan.part) for gan in study.gans(seed)]
        paths = [path for path in kept if path.is_file()]
        if paths:
            rows = (row for path in paths for row in SelectionFile.load(path).classes)
            yield SeedSelection(seed, tuple(rows))


def _provenance(study: FinishedStudy) -> StudyProvenance:
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    return StudyProvenance(
        package=__version__,
        versions=versions,
        machine=_machine(),
        key_fingerprint=study.split.split.key_fingerprint,
    )


def _machine() -> str:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, {gpu}"
