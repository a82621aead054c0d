"""The benefit study: the whole path for several seeds, restartable anywhere.

Every job leaves files in the study's folder (:mod:`monai_gan_aug.studies.layout`) and is skipped
when they are there and still belong to the same settings.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monai_gan_aug.data.training_sets import with_fewer_patients
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.plan import Plan, PlanRecord, unused_seeds
from monai_gan_aug.records.study_parts import Grid, PublishedTable, Recipe
from monai_gan_aug.statistics.conclusion import Question
from monai_gan_aug.statistics.study_statistics import FEWEST_PATIENTS
from monai_gan_aug.studies.arms import arm as arm_called
from monai_gan_aug.studies.arms import arms_needed_by
from monai_gan_aug.studies.bundle_runs import KINDS, BundleRuns
from monai_gan_aug.studies.classifier_runs import ClassifierRecipe
from monai_gan_aug.studies.comparisons import PlannedComparison
from monai_gan_aug.studies.data import StudyData, preprocessing
from monai_gan_aug.studies.executors import job_executor
from monai_gan_aug.studies.external import ExternalData, ExternalSet, external_sets
from monai_gan_aug.studies.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.studies.job_queue import run_jobs
from monai_gan_aug.studies.layout import StudyLayout
from monai_gan_aug.studies.pictures import draw_grids
from monai_gan_aug.studies.record import FinishedStudy, now, write_record
from monai_gan_aug.studies.runs import Recipes, StudyRuns
from monai_gan_aug.studies.shipped import bundles_folder

__all__ = ["Study"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Study:
    """Whether a GAN helps the same classifier, by its images or its discriminator, on one data set.

    Args:
        title: What the images and classes are, for the report.
        data: The images and how their patients are split.
        output_dir: Folder of the study; nothing is written elsewhere.
        seeds: One split, GAN and set of classifiers per seed.
        gan: How the GAN is trained.
        unlabelled_gan: How the GAN is trained that learns from unlabelled images as well, for arms
            that need one; as ``gan`` if not given. With the knob ``condition: null`` it is one
            generator for all classes together and does not look at guessed classes; then no arm
            can use its images, only its discriminator.
        classifier: Knobs of ``augmentation_classifier``.
        arms: Names from :data:`monai_gan_aug.studies.arms.ARMS`.
        arm_knobs: Knobs of single arms of ``augmentation_classifier``, by the arm's name.
        training_patients: Training patients per class to repeat everything with, the GAN included;
            a smaller training set is part of every larger one and all share their test set. The
            largest number replaces that of the split and is the one the verdict is about.
        selection: Knobs of ``select.yaml`` of the GAN bundle, for arms of selected images.
        unlabelled_images: Unlabelled images at most, for arms that use them.
        comparison: Arguments of :class:`~monai_gan_aug.studies.comparisons.PlannedComparison`.
        network: ``--network`` of the classifier bundle.
        external: Test sets from elsewhere, by name, for the classifiers of all arms.
        published: Numbers of a publication to stand beside in the report.
        show_real_images: Put real training images beside the synthetic ones in the report.
        bundles_dir: Folder that holds both bundles; those of the package if not given.
        device: Device of the jobs, ``"cpu"`` or ``"cuda"``.
        workers: Processes; the number of usable cores if not given.
        scheduler: Address of a dask scheduler whose workers run the jobs instead.

    Raises:
        DataError: If the seeds or the comparison's arms do not make a study.
        ValueError: If an arm is unknown.
    """

    title: str
    data: StudyData
    output_dir: str
    seeds: Sequence[int]
    arms: Sequence[str]
    comparison: Mapping[str, Any]
    gan: GanRecipe = field(default_factory=GanRecipe)
    classifier: Mapping[str, Any] = field(default_factory=dict)
    unlabelled_gan: GanRecipe | None = None
    network: str = "small_cnn"
    arm_knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    training_patients: Sequence[int] = ()
    selection: Mapping[str, Any] = field(default_factory=lambda: {"confidence": 0.5})
    unlabelled_images: int = 2000
    external: Mapping[str, ExternalData] = field(default_factory=dict)
    published: PublishedTable | None = None
    show_real_images: bool = True
    bundles_dir: str | None = None
    device: str = "cpu"
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        for name in self.arms:
            arm_called(name)
        self._question()
        if len(set(self.seeds)) != len(self.seeds) or len(self.seeds) < 2:
            raise DataError(
                f"`seeds` must be two or more different numbers, got {list(self.seeds)}: one run "
                "cannot show how much luck matters."
            )
        self._check_discriminators()
        if any(number < 1 for number in self.training_patients):
            raise DataError(
                f"`training_patients` must be positive, got {list(self.training_patients)}."
            )
        self._recipe()

    def _check_discriminators(self) -> None:
        """Refuse arms made of a discriminator when there is one per class."""
        for arm in arms_needed_by(map(arm_called, self.arms)):
            recipe = self._unlabelled_gan if arm.unlabelled_gan else self.gan
            if arm.discriminator and recipe.per_class:
                raise DataError(
                    f"{arm.name} needs the discriminator of one GAN for all classes: set "
                    "`per_class` to false, or leave the arm out."
                )

    def run(self, executor: Executor | None = None) -> Path:
        """Run what is not finished and return the path of ``study.json``.

        Args:
            executor: Anything with ``submit``; a local process pool if not given.

        Raises:
            DataError: If the data cannot support the study, or another run writes its folder.
            JobError: If a run of a bundle fails.
        """
        with FolderLock(self._layout.root):
            return self._run(executor)

    def planned(self) -> PlanRecord:
        """The plan as :meth:`run` would write it now, with the looks so far; nothing is written.

        Raises:
            DataError: If ``plan.json`` was edited.
        """
        plan, path = self._plan(), self._layout.plan
        results = bool(self._layout.seeds_with_results())
        if not path.is_file():
            return PlanRecord(now(), plan, after_results=results)
        return PlanRecord.load(path).revised(plan, now(), results=results)

    def write_plan(self) -> Path:
        """Write ``plan.json`` before anything is trained, and return its path.

        Raises:
            DataError: If another run writes the folder, or ``plan.json`` was edited.
        """
        with FolderLock(self._layout.root):
            self.planned().save(self._layout.plan)
        return self._layout.plan

    def _plan(self) -> Plan:
        question = self._question()
        return Plan(
            arm=question.arm,
            baseline=question.baseline,
            matched=question.matched,
            controls=question.planned,
            metric=question.metric,
            relevant_effect=question.relevant_effect,
            seeds=tuple(self.seeds),
            training_patients=self._training_patients,
        )

    def _question(self) -> Question:
        arms = tuple(map(arm_called, self.arms))
        return PlannedComparison(**self.comparison).question(arms)

    @property
    def _training_patients(self) -> tuple[int, ...]:
        """Training patients per class, the largest number first."""
        own = self.data.split.get("training_patients_per_class", 60)
        return tuple(sorted({*self.training_patients} or {own}, reverse=True))

    def _run(self, executor: Executor | None) -> Path:
        start = time.monotonic()
        sizes = self._sizes()
        main, *_ = sizes.values()
        _require_test_patients(main.datalists)
        for runs in sizes.values():
            runs.prepare()
        plan = self.planned()
        plan.save(self._layout.plan)
        self.data.decode(self._layout, self.gan.image)
        jobs = [job for runs in sizes.values() for job in runs.jobs()]
        jobs.sort(key=lambda job: KINDS.index(job.kind))
        with ExitStack() as stack:
            workers = executor or stack.enter_context(job_executor(self.workers, self.scheduler))
            seconds = run_jobs(jobs, workers, title=self.data.name)
        records = {number: self._record(runs) for number, runs in sizes.items()}
        return write_record(
            replace(
                records[next(iter(sizes))],
                grids=self._grids(main.datalists, main.gans) if main.uses_gan else (),
                stages=seconds,
                seconds=time.monotonic() - start,
            ),
            plan,
            unused_seeds(plan.plan, self._layout.seeds_with_results()),
            sweep=records if self.training_patients else {},
        )

    def _sizes(self) -> dict[int, StudyRuns]:
        """The runs of every number of training patients per class, the main one first."""
        largest, *rest = self._training_patients
        datalists = self.data.splits(self._layout, self.seeds, largest)
        external = external_sets(self.external, self.data, self._layout)
        sizes = {largest: self._runs(self._layout, datalists, external)}
        for number in rest:
            layout = self._layout.with_patients(number)
            fewer = {
                seed: with_fewer_patients(datalist, number) for seed, datalist in datalists.items()
            }
            for seed, datalist in fewer.items():
                datalist.save(layout.seed(seed).datalist)
            sizes[number] = self._runs(layout, fewer, external)
        return sizes

    def _runs(
        self,
        layout: StudyLayout,
        datalists: Mapping[int, Datalist],
        external: Mapping[str, ExternalSet],
    ) -> StudyRuns:
        bundles = Path(self.bundles_dir).resolve() if self.bundles_dir else bundles_folder()
        return StudyRuns(
            runs=BundleRuns(self.data, layout, bundles, self.device),
            datalists=datalists,
            arms=tuple(map(arm_called, self.arms)),
            recipes=Recipes(
                gan=self.gan,
                unlabelled_gan=self._unlabelled_gan,
                classifier=self._recipe(),
                selection=self.selection,
                unlabelled_images=self.unlabelled_images,
            ),
            external=external,
        )

    def _record(self, runs: StudyRuns) -> FinishedStudy:
        return FinishedStudy(
            layout=runs.runs.layout,
            name=self.data.name,
            title=self.title,
            datalists=runs.datalists,
            arms=runs.arms,
            question=self._question(),
            recipe=self._recipe_summary(runs),
            grids=(),
            stages={},
            seconds=0.0,
            published=self.published,
            external={name: external.datalist for name, external in runs.external.items()},
        )

    @property
    def _layout(self) -> StudyLayout:
        return StudyLayout(Path(self.output_dir).resolve())

    @property
    def _unlabelled_gan(self) -> GanRecipe:
        return self.gan if self.unlabelled_gan is None else self.unlabelled_gan

    def _recipe(self) -> ClassifierRecipe:
        return ClassifierRecipe(self.network, self.classifier, self.arm_knobs)

    def _grids(self, datalists: Mapping[int, Datalist], gan: GanRuns) -> tuple[Grid, ...]:
        seed = self.seeds[0]
        return draw_grids(
            self._layout.root,
            datalists[seed],
            gan.synthetic(seed),
            dataset_dir=self.data.root,
            recipe=preprocessing({**self.data.image, **self.gan.image}),
            cache_dir=self._layout.cache,
            seed=seed,
            show_real=self.show_real_images,
        )

    def _recipe_summary(self, runs: StudyRuns) -> Recipe:
        single = {f"{name}, {k}": v for name, own in self.arm_knobs.items() for k, v in own.items()}
        return Recipe(
            preprocessing=dict(self.data.image),
            split={**self.data.split, **self._sweep_summary()},
            gan=self._gan_summary(runs),
            classifier={"network": self.network, **self.classifier, **single},
            metric=self._question().metric,
        )

    def _gan_summary(self, runs: StudyRuns) -> dict[str, Any]:
        """What was trained: nothing of a GAN that no arm uses."""
        summary = self.gan.summary() if runs.uses_gan else {}
        if runs.uses_unlabelled_gan and self.unlabelled_gan is not None:
            summary["with unlabelled"] = self.unlabelled_gan.summary()
        return summary

    def _sweep_summary(self) -> dict[str, Any]:
        if not self.training_patients:
            return {}
        return {"training_patients_per_class": sorted(self.training_patients)}


def _require_test_patients(datalists: Mapping[int, Datalist]) -> None:
    """Refuse test sets too small for an interval before anything is trained for them."""
    for seed, datalist in datalists.items():
        for label, patients in datalist.group_counts("test").items():
            if patients < FEWEST_PATIENTS:
                raise DataError(
                    f"Class {label} has {patients} test patients at seed {seed}, so no interval "
                    f"can be given: put at least {FEWEST_PATIENTS} of every class into the test "
                    "split."
                )
