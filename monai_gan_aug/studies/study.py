"""The benefit study: the whole path for several seeds, stage by stage, restartable anywhere.

Every stage leaves files in the study's folder and is skipped when they are there and still
belong to the same settings::

    output_dir/
      pool.json                     every image with label and patient, near-duplicates grouped
      cache/                        the decoded images
      seed-0/datalist.json          the split of this seed
      seed-0/gan/                   one run of the GAN bundle (or gan-<class>/, one per class)
      seed-0/synthetic/             its images and their datalist
      seed-0/quality/               image quality beside real-versus-real
      seed-0/screen/                the copy screen, if there are patients enough
      seed-0/selection/             what a choice among its images cost, if an arm needs one
      seed-0/pseudo/                guessed classes of unlabelled images, if an arm needs them
      seed-0/semi-gan/              a GAN that learned from those as well, and semi-synthetic/
      seed-0/arm-<name>/            one run of the classifier bundle per arm, also for those that
                                    others are chosen or averaged from
      patients-10/seed-0/…          all of that again with fewer training patients
      external/<name>/              an external test set, and what was found when it was checked
      seed-0/external/<name>/       what every arm said about it
      study.json                    everything a report needs
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monai_gan_aug.data.training_sets import with_fewer_patients
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.study_parts import Grid, PublishedTable, Recipe
from monai_gan_aug.statistics.bootstrap import CrossedBootstrap
from monai_gan_aug.studies.arms import arm, trained_arms
from monai_gan_aug.studies.classifier_runs import ClassifierRecipe
from monai_gan_aug.studies.comparisons import PlannedComparison
from monai_gan_aug.studies.data import StudyData, preprocessing
from monai_gan_aug.studies.executors import job_executor
from monai_gan_aug.studies.external import ExternalData, ExternalSet, external_sets
from monai_gan_aug.studies.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.studies.jobs import run_jobs
from monai_gan_aug.studies.pictures import draw_grids
from monai_gan_aug.studies.record import FinishedStudy, write_record
from monai_gan_aug.studies.runs import StudyRuns

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
        semi_gan: How the GAN is trained that learns from unlabelled images as well, for arms that
            need one; as ``gan`` if not given. With the knob ``condition: null`` it is one generator
            for all classes together and does not look at guessed classes; then no arm can use its
            images, only its discriminator.
        classifier: Knobs of ``augmentation_classifier``.
        arms: Names from :data:`monai_gan_aug.studies.arms.ARMS`.
        arm_knobs: Knobs of single arms of ``augmentation_classifier``, by the arm's name.
        training_patients: Training patients per class to repeat everything with, the GAN included;
            a smaller training set is part of every larger one and all share their test set. The
            largest number replaces that of the split and is the one the verdict is about.
        selection: Knobs of ``select.yaml`` of the GAN bundle, for arms of selected images.
        unlabelled_images: Unlabelled images at most, for arms that use them.
        comparison: Arguments of :class:`~monai_gan_aug.studies.comparisons.PlannedComparison`.
        network: ``configs/network_<…>.yaml`` of the classifier bundle.
        external: Test sets from elsewhere, by name, for the classifiers of all arms.
        published: Numbers of a publication to stand beside in the report.
        show_real_images: Put real training images beside the synthetic ones in the report.
        bundles_dir: Folder that holds both bundles.
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
    semi_gan: GanRecipe | None = None
    network: str = "small_cnn"
    arm_knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    training_patients: Sequence[int] = ()
    selection: Mapping[str, Any] = field(default_factory=lambda: {"confidence": 0.5})
    unlabelled_images: int = 2000
    external: Mapping[str, ExternalData] = field(default_factory=dict)
    published: PublishedTable | None = None
    show_real_images: bool = True
    bundles_dir: str = "bundles"
    device: str = "cpu"
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        for name in self.arms:
            arm(name)
        missing = set(PlannedComparison(**self.comparison).names) - set(self.arms)
        if missing:
            raise DataError(f"The comparison needs arms that are not run: {sorted(missing)}.")
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
        for one in trained_arms(arm(name) for name in self.arms):
            recipe = self._semi_gan if one.semi else self.gan
            if one.discriminator and recipe.per_class:
                raise DataError(
                    f"{one.name} needs the discriminator of one GAN for all classes: set "
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
        with FolderLock(self._folder):
            return self._run(executor)

    def _run(self, executor: Executor | None) -> Path:
        start = time.monotonic()
        sizes = self._sizes()
        first, *_ = sizes.values()
        _require_intervals(first.datalists.values())
        for runs in sizes.values():
            runs.prepare()
        self.data.decode(self._folder, self.gan.image)
        seconds: dict[str, float] = {}
        with ExitStack() as stack:
            chosen = executor or stack.enter_context(job_executor(self.workers, self.scheduler))
            stages = [runs.stages() for runs in sizes.values()]
            for title in stages[0]:
                jobs = [job for one in stages for seed in self.seeds for job in one[title](seed)]
                seconds[title] = run_jobs(jobs, chosen, title=f"{title:<12}")
        records = {number: self._record(runs) for number, runs in sizes.items()}
        return write_record(
            replace(
                records[next(iter(sizes))],
                grids=self._grids(first.datalists, first.gans) if first.uses_gan else (),
                stages=seconds,
                seconds=time.monotonic() - start,
            ),
            sweep=records if self.training_patients else {},
        )

    def _sizes(self) -> dict[int, StudyRuns]:
        """The runs of every number of training patients per class, the main one first."""
        split = self.data.split.get("training_patients_per_class", 60)
        largest, *rest = sorted({*self.training_patients} or {split}, reverse=True)
        datalists = self.data.splits(self._folder, self.seeds, largest)
        external = external_sets(self.external, self.data, self._folder)
        sizes = {largest: self._runs(self._folder, datalists, external)}
        for number in rest:
            folder = self._folder / f"patients-{number}"
            fewer = {seed: with_fewer_patients(one, number) for seed, one in datalists.items()}
            for seed, datalist in fewer.items():
                datalist.save(self.data.datalist_path(folder, seed))
            sizes[number] = self._runs(folder, fewer, external)
        return sizes

    def _runs(
        self,
        folder: Path,
        datalists: Mapping[int, Datalist],
        external: Mapping[str, ExternalSet],
    ) -> StudyRuns:
        return StudyRuns(
            data=self.data,
            root=self._folder,
            folder=folder,
            datalists=datalists,
            arms=tuple(arm(name) for name in self.arms),
            gan=self.gan,
            semi_gan=self._semi_gan,
            classifier=self._recipe(),
            selection=self.selection,
            unlabelled_images=self.unlabelled_images,
            bundles_dir=Path(self.bundles_dir).resolve(),
            device=self.device,
            external=external,
        )

    def _record(self, runs: StudyRuns) -> FinishedStudy:
        return FinishedStudy(
            folder=runs.folder,
            name=self.data.name,
            title=self.title,
            datalists=runs.datalists,
            arms=runs.arms,
            comparison=PlannedComparison(**self.comparison),
            recipe=self._recipe_summary(runs),
            grids=(),
            stages={},
            seconds=0.0,
            published=self.published,
            external={name: one.datalist for name, one in runs.external.items()},
        )

    @property
    def _folder(self) -> Path:
        return Path(self.output_dir).resolve()

    @property
    def _semi_gan(self) -> GanRecipe:
        return self.gan if self.semi_gan is None else self.semi_gan

    def _recipe(self) -> ClassifierRecipe:
        return ClassifierRecipe(self.network, self.classifier, self.arm_knobs)

    def _grids(self, datalists: Mapping[int, Datalist], gan: GanRuns) -> tuple[Grid, ...]:
        seed = self.seeds[0]
        return draw_grids(
            self._folder,
            datalists[seed],
            gan.synthetic(seed),
            dataset_dir=self.data.root,
            recipe=preprocessing({**self.data.image, **self.gan.image}),
            cache_dir=self._folder / "cache",
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
            metric=PlannedComparison(**self.comparison).metric,
        )

    def _gan_summary(self, runs: StudyRuns) -> dict[str, Any]:
        """What was trained: nothing of a GAN that no arm uses."""
        summary = self.gan.summary() if runs.uses_gan else {}
        if runs.uses_semi_gan and self.semi_gan is not None:
            summary["with unlabelled"] = self.semi_gan.summary()
        return summary

    def _sweep_summary(self) -> dict[str, Any]:
        if not self.training_patients:
            return {}
        return {"training_patients_per_class": sorted(self.training_patients)}


def _require_intervals(datalists: Collection[Datalist]) -> None:
    """Refuse test sets too small for an interval before anything is trained for them."""
    bootstrap = CrossedBootstrap([[entry.group for entry in one.test] for one in datalists])
    bootstrap.require_classes([[entry.known_label for entry in one.test] for one in datalists])
